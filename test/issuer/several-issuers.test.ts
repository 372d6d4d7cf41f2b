import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startIssuer } from '../../src/emulator/issuer.ts';
import type { Issuer } from '../../src/emulator/issuer.ts';
import { startVerifying } from './verifying.ts';

const COOLDOWN_MS = 5000;

let first: Issuer;
let second: Issuer;

let askedBefore: readonly number[];

beforeAll(async () => {
  [first, second] = await Promise.all([startIssuer(), startIssuer({ path: '/second' })]);
});

afterAll(() => Promise.all([first.close(), second.close()]));

beforeEach(() => {
  first.faults = {};
  second.faults = {};
  askedBefore = counts();
});

const counts = () => [first.discoveryRequests, second.discoveryRequests];
/** How often each of the two was asked in this test. */
const asked = () => counts().map((count, index) => count - (askedBefore[index] ?? 0));

const kidOf = (issuer: Issuer) => issuer.keySet()[0]?.kid;
const both = () => [first.discoveryUrl, second.discoveryUrl];

describe('two issuers', () => {
  test('each vouch for their own users', async () => {
    const { verdict } = startVerifying(both());
    expect(await verdict(await first.accessToken())).toBe('verified');
    expect(await verdict(await second.accessToken())).toBe('verified');
  });

  test('never share keys: neither can sign for a user of the other [SB-10] [SB-11]', async () => {
    const { verifier, verdict } = startVerifying(both());
    await verifier.load();
    const claims = { iss: first.issuer };
    expect(await verdict(await second.accessToken({ claims }))).toBe('invalid: unknown_key');
    const header = { kid: kidOf(first) };
    expect(await verdict(await second.accessToken({ claims, header }))).toBe('invalid: bad_signature');
  });

  test('that share a kid are told apart by issuer [SB-11]', async () => {
    second.faults = { keys: second.keySet().map((jwk) => ({ ...jwk, kid: kidOf(first) })) };
    const { verdict } = startVerifying(both());
    expect(await verdict(await first.accessToken())).toBe('verified');
    expect(await verdict(await second.accessToken({ header: { kid: kidOf(first) } }))).toBe('verified');
  });
});

test('of an issuer it is said whether it is configured, is not, or cannot be told yet [SB-11] [SB-20]', async () => {
  second.faults = { mode: 'status_500' };
  const { verifier } = startVerifying(both());
  expect(await verifier.knowsIssuer(first.issuer)).toBe('configured');
  expect(await verifier.knowsIssuer('https://other.example')).toBe('issuer_never_reached');
  expect(await startVerifying([first.discoveryUrl]).verifier.knowsIssuer('https://other.example')).toBe(
    'wrong_issuer',
  );
});

describe('one issuer at fault', () => {
  test.each([
    ['the first', () => [second.discoveryUrl, first.discoveryUrl]],
    ['the second', both],
  ])('delays no user of the other, not even at the start: %s [SB-12]', async (_name, discoveryUrls) => {
    second.faults = { mode: 'hang' };
    const { verdict, verifier } = startVerifying(discoveryUrls());
    for (let round = 0; round < 3; round++) {
      const startedAt = performance.now();
      expect(await verdict(await first.accessToken())).toBe('verified');
      expect(performance.now() - startedAt).toBeLessThan(2_500);
    }
    expect(verifier.status().filter(({ reachedOnce }) => reachedOnce)).toHaveLength(1);
    expect(asked()).toEqual([1, 1]);
  });

  test('makes a token of nobody known "unavailable", never "invalid" [SB-12]', async () => {
    second.faults = { mode: 'down' };
    const { verdict, clock } = startVerifying(both());
    const stranger = await first.accessToken({ claims: { iss: 'https://stranger.example' } });
    expect(await verdict(stranger)).toBe('issuer_unavailable: issuer_never_reached');
    expect(await verdict(await second.accessToken())).toBe('issuer_unavailable: issuer_never_reached');
    expect(asked()).toEqual([1, 1]);
    second.faults = {};
    clock.advanceMonotonic(COOLDOWN_MS);
    expect(await verdict(await second.accessToken())).toBe('verified');
    expect(await verdict(stranger)).toBe('invalid: wrong_issuer');
    expect(asked()).toEqual([1, 2]);
  });
});

describe('of two discovery documents that name one issuer', () => {
  test.each([
    ['arrives later', 0, 50],
    ['arrives first', 50, 0],
  ])('the second configured is refused, when it %s [SB-11]', async (_name, firstSlowMs, secondSlowMs) => {
    first.faults = { slowMs: firstSlowMs };
    second.faults = { slowMs: secondSlowMs, issuer: first.issuer };
    const { verifier, faults, verdict } = startVerifying(both());
    await verifier.load();
    expect(faults).toEqual(['duplicate_issuer']);
    expect(verifier.status()).toMatchObject([
      { reachedOnce: true, failing: false },
      { reachedOnce: false, failing: true },
    ]);
    expect(await verdict(await first.accessToken())).toBe('verified');
    const impostor = await second.accessToken({ claims: { iss: first.issuer } });
    expect(await verdict(impostor)).toBe('invalid: unknown_key');
  });
});
