import { createPublicKey, randomUUID } from 'node:crypto';
import { CompactEncrypt } from 'jose';
import type { Issuer } from '../../src/emulator/issuer.ts';
import { claimsOf, forge, hmacSigner, jwkOf, keyPairFor, signer } from './forge.ts';

export interface Issuers {
  readonly ours: Issuer;
  /** A perfectly working issuer, only not one of ours. */
  readonly foreign: Issuer;
}

const attacker = keyPairFor('RS256');
const byAttacker = signer('RS256', attacker.privateKey);

function publishedJwk({ ours }: Issuers): Record<string, unknown> {
  return { ...ours.keySet()[0] };
}

/** Our issuer's claims and header, to be signed by somebody else. */
async function genuineClaims({ ours }: Issuers): Promise<Record<string, unknown>> {
  return claimsOf(await ours.accessToken());
}

function headerWith(issuers: Issuers, parameters: object): Record<string, unknown> {
  return { alg: 'RS256', kid: publishedJwk(issuers).kid, ...parameters };
}

/** A bad user token: what is wrong with it, what the verifier says, and how it is made. */
export type Forgery = readonly [
  name: string,
  verdict: string,
  make: (issuers: Issuers) => Promise<string> | string,
];

const withHeader =
  (header: Record<string, unknown>): Forgery[2] =>
  ({ ours }) =>
    ours.accessToken({ header });
const withClaims =
  (claims: Record<string, unknown>): Forgery[2] =>
  ({ ours }) =>
    ours.accessToken({ claims });
const nowSeconds = () => Math.floor(Date.now() / 1000);

/** Every forged, foreign or stale user token that the service knows how to refuse. */
export const FORGERIES: readonly Forgery[] = [
  [
    'alg none',
    'invalid: malformed',
    async (issuers) =>
      forge(headerWith(issuers, { alg: 'none' }), await genuineClaims(issuers), () => Buffer.alloc(0)),
  ],
  [
    'alg none with a signature',
    'invalid: algorithm_not_allowed',
    async (issuers) => forge(headerWith(issuers, { alg: 'none' }), await genuineClaims(issuers), byAttacker),
  ],
  ['no alg', 'invalid: algorithm_not_allowed', withHeader({ alg: undefined })],
  [
    'HS256 keyed with the public key as PEM',
    'invalid: algorithm_not_allowed',
    async (issuers) => {
      const pem = createPublicKey({ key: publishedJwk(issuers), format: 'jwk' }).export({
        type: 'spki',
        format: 'pem',
      });
      return forge(
        headerWith(issuers, { alg: 'HS256' }),
        await genuineClaims(issuers),
        hmacSigner(String(pem)),
      );
    },
  ],
  [
    'HS256 keyed with the public key as JWK',
    'invalid: algorithm_not_allowed',
    async (issuers) =>
      forge(
        headerWith(issuers, { alg: 'HS256' }),
        await genuineClaims(issuers),
        hmacSigner(JSON.stringify(publishedJwk(issuers))),
      ),
  ],
  [
    'HS256 with a kid nobody knows',
    'invalid: algorithm_not_allowed',
    async (issuers) =>
      forge({ alg: 'HS256', kid: randomUUID() }, await genuineClaims(issuers), hmacSigner('secret')),
  ],
  [
    'an embedded jwk',
    'invalid: bad_signature',
    async (issuers) =>
      forge(
        headerWith(issuers, { jwk: jwkOf(attacker.publicKey) }),
        await genuineClaims(issuers),
        byAttacker,
      ),
  ],
  [
    'an embedded jwk without kid',
    'invalid: bad_signature',
    async (issuers) =>
      forge(
        headerWith(issuers, { kid: undefined, jwk: jwkOf(attacker.publicKey) }),
        await genuineClaims(issuers),
        byAttacker,
      ),
  ],
  [
    'a jku and x5u of another server',
    'invalid: unknown_key',
    (issuers) => {
      const keySetUrl = `${issuers.foreign.issuer}/.well-known/jwks.json`;
      return issuers.foreign.accessToken({
        header: { jku: keySetUrl, x5u: keySetUrl },
        claims: { iss: issuers.ours.issuer },
      });
    },
  ],
  [
    'a foreign key under our kid',
    'invalid: bad_signature',
    (issuers) =>
      issuers.foreign.accessToken({
        header: headerWith(issuers, {}),
        claims: { iss: issuers.ours.issuer },
      }),
  ],
  [
    'the right key under an algorithm it is not published for',
    'invalid: wrong_algorithm',
    withHeader({ alg: 'PS256' }),
  ],
  ['another issuer', 'invalid: wrong_issuer', (issuers) => issuers.foreign.accessToken()],
  [
    'an issuer with a trailing slash',
    'invalid: wrong_issuer',
    (issuers) => issuers.ours.accessToken({ claims: { iss: `${issuers.ours.issuer}/` } }),
  ],
  ['no issuer', 'invalid: wrong_issuer', withClaims({ iss: undefined })],
  [
    'a list of issuers',
    'invalid: wrong_issuer',
    (issuers) => issuers.ours.accessToken({ claims: { iss: [issuers.ours.issuer] } }),
  ],
  ['another client', 'invalid: wrong_client', withClaims({ client_id: 'other' })],
  ['no client', 'invalid: wrong_client', withClaims({ client_id: undefined })],
  [
    'another client_id beside an azp that fits',
    'invalid: wrong_client',
    withClaims({ client_id: 'other', azp: 'emulated-client' }),
  ],
  ['token_use id', 'invalid: wrong_token_use', withClaims({ token_use: 'id' })],
  [
    'expired a second ago',
    'invalid: expired',
    (issuers) => issuers.ours.accessToken({ expiresInSeconds: -1 }),
  ],
  ['no exp', 'invalid: exp_missing', withClaims({ exp: undefined })],
  ['a string for exp', 'invalid: exp_not_a_time', withClaims({ exp: '99999999999' })],
  [
    'an nbf far ahead',
    'invalid: not_yet_valid',
    (issuers) => withClaims({ nbf: nowSeconds() + 3600 })(issuers),
  ],
  [
    'an iat far ahead',
    'invalid: issued_in_the_future',
    (issuers) => withClaims({ iat: nowSeconds() + 3600 })(issuers),
  ],
  ['no sub', 'invalid: no_user_claim', withClaims({ sub: undefined })],
  ['a number for sub', 'invalid: no_user_claim', withClaims({ sub: 42 })],
  ['an empty sub', 'invalid: no_user_claim', withClaims({ sub: '' })],
  ['a sub of 129 characters', 'invalid: no_user_claim', withClaims({ sub: 'x'.repeat(129) })],
  ['an unknown critical extension', 'invalid: critical_header', withHeader({ crit: ['exp'], exp: 1 })],
  ['an unencoded payload (b64=false)', 'invalid: critical_header', withHeader({ crit: ['b64'], b64: false })],
  ['a logout token', 'invalid: wrong_typ', withHeader({ typ: 'logout+jwt' })],
  ['a DPoP proof', 'invalid: wrong_typ', withHeader({ typ: 'dpop+jwt' })],
  ['a typ that is no string', 'invalid: wrong_typ', withHeader({ typ: ['JWT'] })],
  ['a kid that is no string', 'invalid: malformed', withHeader({ kid: { $ne: '' } })],
  [
    'a truncated signature',
    'invalid: bad_signature',
    async (issuers) => (await issuers.ours.accessToken()).slice(0, -8),
  ],
  [
    'the signature of another token',
    'invalid: bad_signature',
    async (issuers) => {
      const [header, , signature] = (await issuers.ours.accessToken()).split('.');
      const [, payload] = (await issuers.ours.accessToken({ subject: 'somebody else' })).split('.');
      return [header, payload, signature].join('.');
    },
  ],
  [
    'an encrypted token (JWE)',
    'invalid: malformed',
    async (issuers) =>
      new CompactEncrypt(new TextEncoder().encode(JSON.stringify(await genuineClaims(issuers))))
        .setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM' })
        .encrypt(createPublicKey({ key: publishedJwk(issuers), format: 'jwk' })),
  ],
  ['five parts', 'invalid: malformed', async (issuers) => `${await issuers.ours.accessToken()}.AA.AA`],
  [
    'two parts',
    'invalid: malformed',
    async (issuers) => (await issuers.ours.accessToken()).split('.').slice(0, 2).join('.'),
  ],
  ['padded base64', 'invalid: malformed', async (issuers) => `${await issuers.ours.accessToken()}==`],
  [
    'a line break behind it',
    'invalid: malformed',
    async (issuers) => `${await issuers.ours.accessToken()}\n`,
  ],
  ['nothing', 'invalid: malformed', () => ''],
  ['garbage', 'invalid: malformed', () => '\u0000\uD800../../etc/passwd'],
  ['base64 of no JSON', 'invalid: malformed', () => 'AAAA.BBBB.CCCC'],
  [
    'a header that is null',
    'invalid: malformed',
    async (issuers) => `bnVsbA.${(await issuers.ours.accessToken()).slice(10)}`,
  ],
  [
    'a JWT within the JWT',
    'invalid: malformed',
    async (issuers) => forge(headerWith(issuers, {}), await issuers.ours.accessToken(), byAttacker),
  ],
  [
    'a list for the claims',
    'invalid: malformed',
    (issuers) => forge(headerWith(issuers, {}), '[{}]', byAttacker),
  ],
  [
    'claims nested ten thousand deep',
    'invalid: malformed',
    (issuers) => forge(headerWith(issuers, {}), '['.repeat(10_000) + ']'.repeat(10_000), byAttacker),
  ],
  ['more than 64 KiB', 'invalid: too_long', withClaims({ padding: 'x'.repeat(64 * 1024) })],
];
