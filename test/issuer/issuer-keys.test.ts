import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startIssuer } from '../../src/emulator/issuer.ts';
import type { Issuer } from '../../src/emulator/issuer.ts';
import { startVerifying } from './verifying.ts';
import type { Verifying } from './verifying.ts';

const MAX_AGE_MS = 10 * 60_000;
const COOLDOWN_MS = 5000;

let issuer: Issuer;
let verifying: Verifying;

let askedBefore: number;

beforeAll(async () => {
  issuer = await startIssuer();
});

afterAll(() => issuer.close());

beforeEach(() => {
  issuer.faults = {};
  askedBefore = issuer.discoveryRequests;
  verifying = startVerifying([issuer.discoveryUrl], { budgets: { fetchTimeoutMs: 2_000 } });
});

/** How often the issuer was asked in this test. */
const asked = () => issuer.discoveryRequests - askedBefore;
const withRandomKid = () => issuer.accessToken({ header: { kid: randomUUID() } });

/** Verdicts over many tokens with random kids at once, without repetition. */
async function stampede(size: number): Promise<readonly string[]> {
  const jwts = await Promise.all(Array.from({ length: size }, withRandomKid));
  return [...new Set(await Promise.all(jwts.map((jwt) => verifying.verdict(jwt))))];
}

describe('keys', () => {
  test('are fetched once for any number of users who arrive at once [SB-12]', async () => {
    const jwts = await Promise.all(Array.from({ length: 100 }, () => issuer.accessToken()));
    const verdicts = await Promise.all(jwts.map((jwt) => verifying.verdict(jwt)));
    expect(new Set(verdicts)).toEqual(new Set(['verified']));
    expect(asked()).toBe(1);
  });

  test('are used without asking again for ten minutes, then asked for once [SB-12]', async () => {
    const jwt = await issuer.accessToken();
    await verifying.verdict(jwt);
    verifying.clock.advanceMonotonic(MAX_AGE_MS - 1);
    expect(await verifying.verdict(jwt)).toBe('verified');
    expect(asked()).toBe(1);
    verifying.clock.advanceMonotonic(1);
    expect(await Promise.all([verifying.verdict(jwt), verifying.verdict(jwt)])).toEqual([
      'verified',
      'verified',
    ]);
    expect(asked()).toBe(2);
  });

  test('that the issuer withdrew are worthless after that [SB-10]', async () => {
    const jwt = await issuer.accessToken();
    expect(await verifying.verdict(jwt)).toBe('verified');
    await issuer.rotateKeys();
    expect(await verifying.verdict(jwt)).toBe('verified');
    verifying.clock.advanceMonotonic(MAX_AGE_MS);
    expect(await verifying.verdict(jwt)).toBe('invalid: unknown_key');
  });

  test('of a rotation are picked up by the first token that needs them [SB-12]', async () => {
    const before = await issuer.accessToken();
    await verifying.verdict(before);
    await issuer.rotateKeys({ keepOld: true });
    verifying.clock.advanceMonotonic(COOLDOWN_MS);
    expect(await verifying.verdict(await issuer.accessToken())).toBe('verified');
    expect(await verifying.verdict(before)).toBe('verified');
    expect(asked()).toBe(2);
  });
});

describe('random kids', () => {
  test('cost one fetch per cooldown, however many come [SB-12]', async () => {
    expect(await stampede(500)).toEqual(['invalid: unknown_key']);
    expect(await stampede(50)).toEqual(['invalid: unknown_key']);
    expect(asked()).toBe(1);
    verifying.clock.advanceMonotonic(COOLDOWN_MS);
    expect(await stampede(500)).toEqual(['invalid: unknown_key']);
    expect(await stampede(50)).toEqual(['invalid: unknown_key']);
    expect(asked()).toBe(2);
  });

  test('cannot wear out a slow issuer: the cooldown starts when the answer is there [SB-12]', async () => {
    await verifying.verifier.load();
    verifying.clock.advanceMonotonic(COOLDOWN_MS);
    issuer.faults = { slowMs: 50 };
    const pending = verifying.verdict(await withRandomKid());
    verifying.clock.advanceMonotonic(COOLDOWN_MS - 1);
    await pending;
    verifying.clock.advanceMonotonic(COOLDOWN_MS - 1);
    expect(await verifying.verdict(await withRandomKid())).toBe('invalid: unknown_key');
    expect(asked()).toBe(2);
  });

  test('disturb nobody whose key is held [SB-12]', async () => {
    await verifying.verifier.load();
    verifying.clock.advanceMonotonic(COOLDOWN_MS);
    issuer.faults = { mode: 'hang' };
    const pending = verifying.verdict(await withRandomKid());
    const startedAt = performance.now();
    expect(await verifying.verdict(await issuer.accessToken())).toBe('verified');
    expect(performance.now() - startedAt).toBeLessThan(1_800);
    expect(await pending).toBe('issuer_unavailable: keys_not_refreshed');
  });
});

describe('the two clocks', () => {
  test('a step of the wall clock neither ages keys nor ends the cooldown [SB-29]', async () => {
    await verifying.verdict(await withRandomKid());
    verifying.clock.stepWall(24 * 3_600_000);
    await verifying.verdict(await withRandomKid());
    verifying.clock.stepWall(-48 * 3_600_000);
    await verifying.verdict(await withRandomKid());
    expect(asked()).toBe(1);
  });

  test('claims are judged by the wall clock alone [SB-29]', async () => {
    const jwt = await issuer.accessToken({ expiresInSeconds: 600 });
    verifying.clock.advanceMonotonic(24 * 3_600_000);
    expect(await verifying.verdict(jwt)).toBe('verified');
    verifying.clock.stepWall(601_000);
    expect(await verifying.verdict(jwt)).toBe('invalid: expired');
  });
});

test('a discovery document that names another issuer on a later visit is refused [SB-11] [SB-12]', async () => {
  const jwt = await issuer.accessToken();
  expect(await verifying.verdict(jwt)).toBe('verified');
  const impostor = 'https://impostor.example';
  issuer.faults = { issuer: impostor };
  verifying.clock.advanceMonotonic(MAX_AGE_MS);
  expect(await verifying.verdict(jwt)).toBe('verified');
  expect(verifying.faults).toEqual(['issuer_changed']);
  const foreign = await issuer.accessToken({ claims: { iss: impostor } });
  expect(await verifying.verdict(foreign)).toBe('invalid: wrong_issuer');
});
