import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startIssuer } from '../../src/emulator/issuer.ts';
import type { Issuer } from '../../src/emulator/issuer.ts';
import { claimsOf, forge, hmacSigner, jwkOf, keyPairFor, signer } from './forge.ts';
import { startVerifying } from './verifying.ts';

type Jwk = Readonly<Record<string, unknown>>;

let issuer: Issuer;
/** Told whenever a key of a set would have us fetch something from there. */
let lure: { readonly url: string; readonly requests: () => number; readonly close: () => void };

beforeAll(async () => {
  issuer = await startIssuer();
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  lure = {
    url: `http://127.0.0.1:${port}/`,
    requests: () => requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
});

afterAll(async () => {
  lure.close();
  await issuer.close();
});

beforeEach(() => {
  issuer.faults = {};
});

const ours = (): Jwk => issuer.keySet()[0] ?? {};
const mallory = keyPairFor('RS256');
const onCurve = keyPairFor('ES256');

/** The issuer's own claims under another header and signature. */
async function forged(header: Jwk, sign: (input: Buffer) => Buffer): Promise<string> {
  return forge({ kid: ours()['kid'], ...header }, claimsOf(await issuer.accessToken()), sign);
}

const NEVER_REACHED = 'issuer_unavailable: issuer_never_reached';

/** A key set that an issuer may come to publish, a user token, and what is made of it. */
const CASES: readonly (readonly [string, () => readonly unknown[], () => Promise<string>, string])[] = [
  [
    'two keys under one kid: which of them is meant is never guessed',
    () => [ours(), { ...jwkOf(mallory.publicKey), kid: ours()['kid'] }],
    () => issuer.accessToken(),
    'invalid: ambiguous_key',
  ],
  [
    'the same key twice: its owner is told, nobody guesses',
    () => [ours(), ours()],
    () => issuer.accessToken(),
    'invalid: ambiguous_key',
  ],
  [
    'two keys under one kid, of different kinds: each serves its own algorithm',
    () => [{ ...jwkOf(onCurve.publicKey), kid: ours()['kid'] }, ours()],
    () => issuer.accessToken(),
    'verified',
  ],
  [
    'its private key: whoever reads the set could sign',
    () => [{ ...jwkOf(mallory.privateKey), kid: 'leaked' }, ours()],
    () => forged({ alg: 'RS256', kid: 'leaked' }, signer('RS256', mallory.privateKey)),
    'invalid: unknown_key',
  ],
  [
    'nothing but private keys',
    () => [{ ...jwkOf(mallory.privateKey), kid: ours()['kid'] }],
    () => issuer.accessToken(),
    NEVER_REACHED,
  ],
  [
    'a symmetric key under our kid, known to everybody',
    () => [
      { kty: 'oct', k: Buffer.from('known').toString('base64url'), kid: 'shared', alg: 'HS256' },
      ours(),
    ],
    () => forged({ alg: 'HS256', kid: 'shared' }, hmacSigner('known')),
    'invalid: algorithm_not_allowed',
  ],
  [
    'an RSA key that says HS256, and a token signed with its public half as the secret',
    () => [{ ...ours(), alg: 'HS256' }],
    () => forged({ alg: 'HS256' }, hmacSigner(JSON.stringify(ours()))),
    'invalid: algorithm_not_allowed',
  ],
  [
    'a key that names no algorithm, and a token whose header names that of another kind of key',
    () => [ours()],
    () => forged({ alg: 'ES256' }, signer('ES256', onCurve.privateKey)),
    'invalid: wrong_algorithm',
  ],
  [
    'a key for PS256 alone, and a token with RS256 under it',
    () => [{ ...ours(), alg: 'PS256' }],
    () => issuer.accessToken(),
    'invalid: wrong_algorithm',
  ],
  [
    'an RSA key dressed as one on a curve',
    () => [{ ...ours(), kty: 'EC', crv: 'P-256' }],
    () => issuer.accessToken(),
    NEVER_REACHED,
  ],
  [
    'a key on a curve dressed as RSA',
    () => [{ ...jwkOf(onCurve.publicKey), kty: 'RSA', kid: ours()['kid'] }],
    () => forged({ alg: 'RS256' }, signer('RS256', mallory.privateKey)),
    NEVER_REACHED,
  ],
  [
    'an RSA key with an exponent of one, under which any text is its own signature',
    () => [
      { ...ours(), e: 'AQ' },
      { ...ours(), kid: 'good' },
    ],
    () => forged({ alg: 'RS256' }, () => Buffer.alloc(256, 1)),
    'invalid: bad_signature',
  ],
  [
    'a short RSA key',
    () => [
      {
        ...jwkOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
        kid: ours()['kid'],
      },
    ],
    () => issuer.accessToken(),
    NEVER_REACHED,
  ],
  [
    'keys that point elsewhere: nothing is fetched from there',
    () => [{ ...ours(), jku: lure.url, x5u: lure.url, x5c: [lure.url] }],
    () => forged({ alg: 'RS256', jku: lure.url, x5u: lure.url }, signer('RS256', mallory.privateKey)),
    'invalid: bad_signature',
  ],
  [
    'the good key behind a hundred others',
    () => [...Array.from({ length: 100 }, (_, index) => ({ ...ours(), kid: `other-${index}` })), ours()],
    () => issuer.accessToken(),
    'invalid: unknown_key',
  ],
  [
    'kids that are words of the language',
    () => [
      { ...ours(), kid: '__proto__' },
      { ...ours(), kid: 'constructor' },
    ],
    () => forged({ alg: 'RS256', kid: 'toString' }, signer('RS256', mallory.privateKey)),
    'invalid: unknown_key',
  ],
];

describe('an issuer that publishes', () => {
  test.each(CASES)('%s [SB-10] [SB-12]', async (_title, keys, jwt, verdict) => {
    issuer.faults = { keys: keys() };
    const verifying = startVerifying([issuer.discoveryUrl]);
    expect(await verifying.verdict(await jwt())).toBe(verdict);
    expect(lure.requests()).toBe(0);
  });
});

test('five thousand random kids in a row cost one fetch, and nobody who has a real one [SB-12]', async () => {
  const verifying = startVerifying([issuer.discoveryUrl]);
  const good = await issuer.accessToken();
  const [, claims = '', signature = ''] = good.split('.');
  expect(await verifying.verdict(good)).toBe('verified');
  const before = issuer.jwksRequests;
  verifying.clock.advanceMonotonic(5_000);
  const verdicts = new Set<string>();
  for (let round = 0; round < 50; round += 1) {
    const round100 = Array.from({ length: 100 }, () => {
      const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: randomUUID() })).toString('base64url');
      return verifying.verdict(`${header}.${claims}.${signature}`);
    });
    for (const verdict of await Promise.all(round100)) verdicts.add(verdict);
  }
  expect([...verdicts]).toEqual(['invalid: unknown_key']);
  expect(issuer.jwksRequests - before).toBe(1);
  expect(await verifying.verdict(good)).toBe('verified');
});

test('claims that are no UTF-8 are no claims, even well signed', async () => {
  issuer.faults = { keys: [{ ...jwkOf(mallory.publicKey), kid: 'latin' }] };
  const verifying = startVerifying([issuer.discoveryUrl]);
  const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: 'latin' })).toString('base64url');
  const claims = claimsOf(await issuer.accessToken());
  const encoded = (encoding: 'utf8' | 'latin1') => {
    const text = JSON.stringify({ ...claims, username: 'Zo\u00eb' });
    const input = `${header}.${Buffer.from(text, encoding).toString('base64url')}`;
    return `${input}.${signer('RS256', mallory.privateKey)(Buffer.from(input)).toString('base64url')}`;
  };
  expect(await verifying.verdict(encoded('utf8'))).toBe('verified');
  expect(await verifying.verdict(encoded('latin1'))).toBe('invalid: malformed');
});
