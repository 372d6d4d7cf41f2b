import { createPublicKey, randomUUID } from 'node:crypto';
import { CompactEncrypt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { startIssuer } from '../../src/emulator/issuer.ts';
import type { Issuer } from '../../src/emulator/issuer.ts';
import { claimsOf, forge, hmacSigner, jwkOf, keyPairFor, signer } from './forge.ts';
import { startVerifying } from './verifying.ts';
import type { Verifying } from './verifying.ts';

let ours: Issuer;
/** A perfectly working issuer, only not one of ours. */
let foreign: Issuer;
let verifying: Verifying;
const attacker = keyPairFor('RS256');
const byAttacker = signer('RS256', attacker.privateKey);

beforeAll(async () => {
  [ours, foreign] = await Promise.all([startIssuer(), startIssuer()]);
  verifying = startVerifying([ours.discoveryUrl]);
  await verifying.verifier.load();
});

afterAll(() => Promise.all([ours.close(), foreign.close()]));

function publishedJwk(): Record<string, unknown> {
  return { ...ours.keySet()[0] };
}

/** Our issuer's claims and header, to be signed by somebody else. */
async function genuineClaims(): Promise<Record<string, unknown>> {
  return claimsOf(await ours.accessToken());
}

function headerWith(parameters: object): Record<string, unknown> {
  return { alg: 'RS256', kid: publishedJwk().kid, ...parameters };
}

type Forgery = readonly [name: string, verdict: string, make: () => Promise<string> | string];

const withHeader =
  (header: Record<string, unknown>): Forgery[2] =>
  () =>
    ours.accessToken({ header });
const withClaims =
  (claims: Record<string, unknown>): Forgery[2] =>
  () =>
    ours.accessToken({ claims });
const nowSeconds = () => Math.floor(Date.now() / 1000);

const FORGERIES: readonly Forgery[] = [
  [
    'alg none',
    'invalid: malformed',
    async () => forge(headerWith({ alg: 'none' }), await genuineClaims(), () => Buffer.alloc(0)),
  ],
  [
    'alg none with a signature',
    'invalid: algorithm_not_allowed',
    async () => forge(headerWith({ alg: 'none' }), await genuineClaims(), byAttacker),
  ],
  ['no alg', 'invalid: algorithm_not_allowed', withHeader({ alg: undefined })],
  [
    'HS256 keyed with the public key as PEM',
    'invalid: algorithm_not_allowed',
    async () => {
      const pem = createPublicKey({ key: publishedJwk(), format: 'jwk' }).export({
        type: 'spki',
        format: 'pem',
      });
      return forge(headerWith({ alg: 'HS256' }), await genuineClaims(), hmacSigner(String(pem)));
    },
  ],
  [
    'HS256 keyed with the public key as JWK',
    'invalid: algorithm_not_allowed',
    async () =>
      forge(headerWith({ alg: 'HS256' }), await genuineClaims(), hmacSigner(JSON.stringify(publishedJwk()))),
  ],
  [
    'HS256 with a kid nobody knows',
    'invalid: algorithm_not_allowed',
    async () => forge({ alg: 'HS256', kid: randomUUID() }, await genuineClaims(), hmacSigner('secret')),
  ],
  [
    'an embedded jwk',
    'invalid: bad_signature',
    async () => forge(headerWith({ jwk: jwkOf(attacker.publicKey) }), await genuineClaims(), byAttacker),
  ],
  [
    'an embedded jwk without kid',
    'invalid: bad_signature',
    async () =>
      forge(
        headerWith({ kid: undefined, jwk: jwkOf(attacker.publicKey) }),
        await genuineClaims(),
        byAttacker,
      ),
  ],
  [
    'a jku and x5u of another server',
    'invalid: unknown_key',
    () => {
      const keySetUrl = `${foreign.issuer}/.well-known/jwks.json`;
      return foreign.accessToken({
        header: { jku: keySetUrl, x5u: keySetUrl },
        claims: { iss: ours.issuer },
      });
    },
  ],
  [
    'a foreign key under our kid',
    'invalid: bad_signature',
    () =>
      foreign.accessToken({
        header: headerWith({}),
        claims: { iss: ours.issuer },
      }),
  ],
  [
    'the right key under an algorithm it is not published for',
    'invalid: wrong_algorithm',
    withHeader({ alg: 'PS256' }),
  ],
  ['another issuer', 'invalid: wrong_issuer', () => foreign.accessToken()],
  [
    'an issuer with a trailing slash',
    'invalid: wrong_issuer',
    () => ours.accessToken({ claims: { iss: `${ours.issuer}/` } }),
  ],
  ['no issuer', 'invalid: wrong_issuer', withClaims({ iss: undefined })],
  ['a list of issuers', 'invalid: wrong_issuer', () => ours.accessToken({ claims: { iss: [ours.issuer] } })],
  ['another client', 'invalid: wrong_client', withClaims({ client_id: 'other' })],
  ['no client', 'invalid: wrong_client', withClaims({ client_id: undefined })],
  [
    'another client_id beside an azp that fits',
    'invalid: wrong_client',
    withClaims({ client_id: 'other', azp: 'emulated-client' }),
  ],
  ['token_use id', 'invalid: wrong_token_use', withClaims({ token_use: 'id' })],
  ['expired a second ago', 'invalid: expired', () => ours.accessToken({ expiresInSeconds: -1 })],
  ['no exp', 'invalid: exp_missing', withClaims({ exp: undefined })],
  ['a string for exp', 'invalid: exp_not_a_time', withClaims({ exp: '99999999999' })],
  ['an nbf far ahead', 'invalid: not_yet_valid', () => withClaims({ nbf: nowSeconds() + 3600 })()],
  ['an iat far ahead', 'invalid: issued_in_the_future', () => withClaims({ iat: nowSeconds() + 3600 })()],
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
  ['a truncated signature', 'invalid: bad_signature', async () => (await ours.accessToken()).slice(0, -8)],
  [
    'the signature of another token',
    'invalid: bad_signature',
    async () => {
      const [header, , signature] = (await ours.accessToken()).split('.');
      const [, payload] = (await ours.accessToken({ subject: 'somebody else' })).split('.');
      return [header, payload, signature].join('.');
    },
  ],
  [
    'an encrypted token (JWE)',
    'invalid: malformed',
    async () =>
      new CompactEncrypt(new TextEncoder().encode(JSON.stringify(await genuineClaims())))
        .setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM' })
        .encrypt(createPublicKey({ key: publishedJwk(), format: 'jwk' })),
  ],
  ['five parts', 'invalid: malformed', async () => `${await ours.accessToken()}.AA.AA`],
  [
    'two parts',
    'invalid: malformed',
    async () => (await ours.accessToken()).split('.').slice(0, 2).join('.'),
  ],
  ['padded base64', 'invalid: malformed', async () => `${await ours.accessToken()}==`],
  ['a line break behind it', 'invalid: malformed', async () => `${await ours.accessToken()}\n`],
  ['nothing', 'invalid: malformed', () => ''],
  ['garbage', 'invalid: malformed', () => '\u0000\uD800../../etc/passwd'],
  ['base64 of no JSON', 'invalid: malformed', () => 'AAAA.BBBB.CCCC'],
  [
    'a header that is null',
    'invalid: malformed',
    async () => `bnVsbA.${(await ours.accessToken()).slice(10)}`,
  ],
  [
    'a JWT within the JWT',
    'invalid: malformed',
    async () => forge(headerWith({}), await ours.accessToken(), byAttacker),
  ],
  ['a list for the claims', 'invalid: malformed', () => forge(headerWith({}), '[{}]', byAttacker)],
  [
    'claims nested ten thousand deep',
    'invalid: malformed',
    () => forge(headerWith({}), '['.repeat(10_000) + ']'.repeat(10_000), byAttacker),
  ],
  ['more than 64 KiB', 'invalid: too_long', withClaims({ padding: 'x'.repeat(64 * 1024) })],
];

describe('a bad user token', () => {
  test.each(FORGERIES)('is refused: %s [SB-10] [SB-11]', async (_name, verdict, make) => {
    expect(await verifying.verdict(await make())).toBe(verdict);
  });

  test('contacts no server that it names, and its own issuer at most once [SB-10] [SB-12]', () => {
    expect([foreign.discoveryRequests, foreign.jwksRequests]).toEqual([0, 0]);
    expect([ours.discoveryRequests, ours.jwksRequests]).toEqual([1, 1]);
  });

  test('is told from a bug: a TypeError of ours is never an answer to the caller', async () => {
    class BrokenSecret extends Secret {
      #reveals = 0;
      override reveal(): string {
        this.#reveals += 1;
        if (this.#reveals > 1) throw new TypeError('a bug');
        return super.reveal();
      }
    }
    await expect(verifying.verifier.verify(new BrokenSecret(await ours.accessToken()))).rejects.toThrow(
      TypeError,
    );
  });
});

describe('a good user token', () => {
  test('is verified as its issuer and subject, with the very text it came in', async () => {
    const jwt = await ours.accessToken({ subject: 'user-1', username: 'Ada', expiresInSeconds: 600 });
    const verification = await verifying.verifier.verify(new Secret(jwt));
    if (verification.kind !== 'verified') throw new Error(verification.reason);
    const { userToken } = verification;
    expect(userToken.user).toEqual({ issuer: ours.issuer, subject: 'user-1' });
    expect(userToken.jwt.reveal()).toBe(jwt);
    expect(userToken.fingerprint).toMatch(/^[\w-]{43}$/);
    expect(userToken.expiresAtMs).toBe(Number(claimsOf(jwt).exp) * 1000);
    expect(userToken.username).toBe('Ada');
  });

  test.each([['JWT'], ['jwt'], ['at+jwt'], ['application/at+jwt'], ['application/JWT'], [undefined]])(
    'may have the typ %s',
    async (typ) => {
      expect(await verifying.verdict(await ours.accessToken({ header: { typ } }))).toBe('verified');
    },
  );

  test('may be nearly 64 KiB long', async () => {
    const jwt = await ours.accessToken({ claims: { padding: 'x'.repeat(48_000) } });
    expect(jwt.length).toBeGreaterThan(64_000);
    expect(await verifying.verdict(jwt)).toBe('verified');
  });

  test('may leave out its kid where the issuer has one key only', async () => {
    expect(await verifying.verdict(await ours.accessToken({ header: { kid: undefined } }))).toBe('verified');
  });

  test.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'may be signed with %s',
    async (alg) => {
      const { publicKey, privateKey } =
        alg.slice(1, 2) === 'S' && alg[0] !== 'E' ? attacker : keyPairFor(alg);
      foreign.faults = { keys: [{ ...jwkOf(publicKey), kid: 'other' }] };
      const claims = claimsOf(await foreign.accessToken());
      const other = startVerifying([foreign.discoveryUrl]);
      expect(await other.verdict(forge({ alg, kid: 'other' }, claims, signer(alg, privateKey)))).toBe(
        'verified',
      );
    },
  );
});
