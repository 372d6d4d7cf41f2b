import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { startIssuer } from '../../src/emulator/issuer.ts';
import type { Issuer } from '../../src/emulator/issuer.ts';
import { claimsOf, forge, jwkOf, keyPairFor, signer } from './forge.ts';
import { FORGERIES } from './forgeries.ts';
import { startVerifying } from './verifying.ts';
import type { Verifying } from './verifying.ts';

let ours: Issuer;
/** A perfectly working issuer, only not one of ours. */
let foreign: Issuer;
let verifying: Verifying;
const rsaKeys = keyPairFor('RS256');

beforeAll(async () => {
  [ours, foreign] = await Promise.all([startIssuer(), startIssuer()]);
  verifying = startVerifying([ours.discoveryUrl]);
  await verifying.verifier.load();
});

afterAll(() => Promise.all([ours.close(), foreign.close()]));

describe('a bad user token', () => {
  test.each(FORGERIES)('is refused: %s [SB-10] [SB-11]', async (_name, verdict, make) => {
    expect(await verifying.verdict(await make({ ours, foreign }))).toBe(verdict);
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
      const { publicKey, privateKey } = alg.slice(1, 2) === 'S' && alg[0] !== 'E' ? rsaKeys : keyPairFor(alg);
      foreign.faults = { keys: [{ ...jwkOf(publicKey), kid: 'other' }] };
      const claims = claimsOf(await foreign.accessToken());
      const other = startVerifying([foreign.discoveryUrl]);
      expect(await other.verdict(forge({ alg, kid: 'other' }, claims, signer(alg, privateKey)))).toBe(
        'verified',
      );
    },
  );
});
