import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startIssuer } from '../../src/emulator/issuer.ts';
import type { Issuer, IssuerFaults } from '../../src/emulator/issuer.ts';
import { jwkOf, keyPairFor } from './forge.ts';
import { startVerifying } from './verifying.ts';

const BUDGETS = { fetchTimeoutMs: 250 };
const MAX_AGE_MS = 10 * 60_000;
const COOLDOWN_MS = 5000;

let issuer: Issuer;

let askedBefore: number;

beforeAll(async () => {
  issuer = await startIssuer();
});

afterAll(() => issuer.close());

beforeEach(() => {
  issuer.faults = {};
  askedBefore = issuer.discoveryRequests;
});

/** How often discovery was asked for in this test. */
const asked = () => issuer.discoveryRequests - askedBefore;

const MODES: readonly [NonNullable<IssuerFaults['mode']>, string][] = [
  ['down', 'unreachable'],
  ['hang', 'timeout'],
  ['hang_in_body', 'timeout'],
  ['status_500', 'status_500'],
  ['html', 'not_a_json_object'],
  ['redirect', 'status_302'],
  ['huge', 'too_large'],
];

describe.each(['discovery', 'jwks'] as const)('an issuer whose %s goes wrong', (only) => {
  test.each(MODES)('is unavailable within the budget: %s [SB-12]', async (mode, reason) => {
    issuer.faults = { mode, only };
    const budgets = reason === 'timeout' ? BUDGETS : {};
    const { verifier, faults, ...verifying } = startVerifying([issuer.discoveryUrl], { budgets });
    const startedAt = performance.now();
    expect(await verifying.verdict(await issuer.accessToken())).toBe(
      'issuer_unavailable: issuer_never_reached',
    );
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    expect(faults).toEqual([reason]);
    expect(issuer.redirectedRequests).toBe(0);
    expect(verifier.status()).toEqual([
      { discoveryUrl: issuer.discoveryUrl, reachedOnce: false, failing: true },
    ]);
  });
});

describe('an issuer', () => {
  test('has one budget for both documents together [SB-12]', async () => {
    issuer.faults = { slowMs: 150 };
    const { faults, ...verifying } = startVerifying([issuer.discoveryUrl], { budgets: BUDGETS });
    expect(await verifying.verdict(await issuer.accessToken())).toBe(
      'issuer_unavailable: issuer_never_reached',
    );
    expect(faults).toEqual(['timeout']);
  });

  test('may be slow within its budget', async () => {
    issuer.faults = { slowMs: 50 };
    const { verdict } = startVerifying([issuer.discoveryUrl]);
    expect(await verdict(await issuer.accessToken())).toBe('verified');
  });

  test('that does not listen at all is unavailable [SB-12]', async () => {
    const gone = await startIssuer();
    await gone.close();
    const { faults, ...verifying } = startVerifying([gone.discoveryUrl]);
    expect(await verifying.verdict(await gone.accessToken())).toBe(
      'issuer_unavailable: issuer_never_reached',
    );
    expect(faults).toEqual(['unreachable']);
  });

  const encryptionKey = { ...jwkOf(keyPairFor('RS256').publicKey), use: 'enc' };
  test.each<[string, IssuerFaults]>([
    ['no_usable_key', { keys: [] }],
    ['no_usable_key', { keys: [encryptionKey, { kty: 'oct', k: 'AAAA' }] }],
    ['no_usable_key', { keys: 'none' }],
    ['issuer_not_https', { issuer: undefined }],
    ['issuer_not_https', { issuer: 7 }],
    ['issuer_not_https', { issuer: 'issuer.example' }],
    ['issuer_not_https', { issuer: 'http://issuer.example' }],
    ['jwks_uri_not_https', { jwksUri: undefined }],
    ['jwks_uri_not_https', { jwksUri: 'http://issuer.example/keys' }],
    ['jwks_uri_not_https', { jwksUri: 'file:///etc/passwd' }],
    ['jwks_uri_not_https', { jwksUri: 'data:application/json,{"keys":[]}' }],
    ['jwks_uri_not_https', { jwksUri: 'https://user:password@issuer.example/keys' }],
  ])('is at fault: %s in %j [SB-12]', async (reason, faultsOfIssuer) => {
    issuer.faults = faultsOfIssuer;
    const { faults, ...verifying } = startVerifying([issuer.discoveryUrl]);
    expect(await verifying.verdict(await issuer.accessToken())).toBe(
      'issuer_unavailable: issuer_never_reached',
    );
    expect(faults).toEqual([reason]);
  });

  test('may publish keys that we cannot use beside one that we can', async () => {
    issuer.faults = { keys: [null, { kty: 'oct', k: 'AAAA' }, encryptionKey, ...issuer.keySet()] };
    const { verdict } = startVerifying([issuer.discoveryUrl]);
    expect(await verdict(await issuer.accessToken())).toBe('verified');
  });

  test('is never asked over plain http, unless it is on this machine [SB-12]', async () => {
    const contacted: string[] = [];
    const fetch: typeof globalThis.fetch = (url) => {
      contacted.push(new Request(url).url);
      return Promise.reject(new TypeError('no network here'));
    };
    const discoveryUrls = [
      'http://issuer.example/openid',
      'http://127.0.0.1.issuer.example/openid',
      'https://user@issuer.example/openid',
      'http://user.localhost/openid',
      'https://issuer.example/openid',
    ];
    const { verifier, faults } = startVerifying(discoveryUrls, { fetch });
    await verifier.load();
    expect(contacted).toEqual(['http://user.localhost/openid', 'https://issuer.example/openid']);
    expect(faults.filter((reason) => reason === 'discovery_url_not_https')).toHaveLength(3);
  });

  test('out on the network cannot send us to a port of this machine [SB-12]', async () => {
    const fetch: typeof globalThis.fetch = (url, init) =>
      globalThis.fetch(
        new Request(url).url.replace('https://issuer.example/openid', issuer.discoveryUrl),
        init,
      );
    const keySetsBefore = issuer.jwksRequests;
    const { verifier, faults } = startVerifying(['https://issuer.example/openid'], { fetch });
    await verifier.load();
    expect(faults).toEqual(['jwks_uri_not_https']);
    expect([asked(), issuer.jwksRequests - keySetsBefore]).toEqual([1, 0]);
  });
});

describe('while the issuer is down', () => {
  test('the copy held keeps its users signed in, however old, until it is back [SB-12]', async () => {
    const { verifier, clock, faults, ...verifying } = startVerifying([issuer.discoveryUrl]);
    const jwt = await issuer.accessToken();
    expect(await verifying.verdict(jwt)).toBe('verified');
    issuer.faults = { mode: 'down' };
    clock.advanceMonotonic(MAX_AGE_MS);
    expect(await verifying.verdict(jwt)).toBe('verified');
    clock.advanceMonotonic(24 * 3_600_000);
    expect(await verifying.verdict(jwt)).toBe('verified');
    expect(faults).toEqual(['unreachable', 'unreachable']);
    expect(verifier.status()).toMatchObject([{ reachedOnce: true, failing: true }]);
    issuer.faults = {};
    clock.advanceMonotonic(COOLDOWN_MS);
    await verifier.load();
    expect(verifier.status()).toMatchObject([{ reachedOnce: true, failing: false }]);
  });

  test('a stale copy costs one attempt per cooldown, not one per token [SB-12]', async () => {
    const { verifier, clock, ...verifying } = startVerifying([issuer.discoveryUrl]);
    await verifier.load();
    issuer.faults = { mode: 'down' };
    clock.advanceMonotonic(MAX_AGE_MS);
    for (let round = 0; round < 5; round++) {
      expect(await verifying.verdict(await issuer.accessToken())).toBe('verified');
    }
    expect(asked()).toBe(2);
  });

  test('an unknown kid may be a rotated key, so the answer is not "invalid" [SB-12]', async () => {
    const { verifier, clock, ...verifying } = startVerifying([issuer.discoveryUrl]);
    await verifier.load();
    issuer.faults = { mode: 'status_500' };
    clock.advanceMonotonic(COOLDOWN_MS);
    const jwt = await issuer.accessToken({ header: { kid: randomUUID() } });
    expect(await verifying.verdict(jwt)).toBe('issuer_unavailable: keys_not_refreshed');
    expect(await verifying.verdict(jwt)).toBe('issuer_unavailable: keys_not_refreshed');
    expect(await verifying.verdict(await issuer.accessToken())).toBe('verified');
    expect(asked()).toBe(2);
    issuer.faults = {};
    clock.advanceMonotonic(COOLDOWN_MS);
    // Readiness loads: an issuer that is back is seen to be, although what is held is fresh.
    expect(verifier.status()).toMatchObject([{ failing: true }]);
    await verifier.load();
    expect(verifier.status()).toMatchObject([{ failing: false }]);
    expect(await verifying.verdict(jwt)).toBe('invalid: unknown_key');
  });

  test('load resolves, and a later load repairs what failed [SB-12]', async () => {
    issuer.faults = { mode: 'down' };
    const { verifier, clock } = startVerifying([issuer.discoveryUrl]);
    expect(verifier.status()).toMatchObject([{ reachedOnce: false, failing: false }]);
    await verifier.load();
    issuer.faults = {};
    await verifier.load();
    expect(asked()).toBe(1);
    clock.advanceMonotonic(COOLDOWN_MS);
    await verifier.load();
    expect(verifier.status()).toMatchObject([{ reachedOnce: true, failing: false }]);
    clock.advanceMonotonic(COOLDOWN_MS);
    await verifier.load();
    expect(asked()).toBe(2);
  });
});

test.each(['monotonicMs', 'deadline'] as const)(
  'a bug while keys are loaded is not taken for an outage: of %s',
  async (name) => {
    const { clock } = startVerifying([]);
    const bug = () => {
      throw new TypeError('a bug');
    };
    const verifying = startVerifying([issuer.discoveryUrl], { clock: { ...clock, [name]: bug } });
    await expect(verifying.verdict(await issuer.accessToken())).rejects.toThrow(TypeError);
    expect(verifying.faults).toEqual([]);
  },
);
