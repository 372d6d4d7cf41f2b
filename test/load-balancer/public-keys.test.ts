import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createLoadBalancerVerifier,
  type LoadBalancerVerifierOptions,
} from '../../src/load-balancer/identity-verifier.ts';
import { type AdjustableClock, createAdjustableClock } from '../issuer/adjustable-clock.ts';
import { type LoadBalancer, pemOf, startLoadBalancer } from '../support/load-balancer.ts';

const ISSUER = 'https://issuer.example';
const COOLDOWN_MS = 5_000;
const MAX_AGE_MS = 10 * 60_000;
/** How many keys never seen may be asked for within one cooldown. */
const MAX_UNHELD = 8;
const MAX_HELD = 16;

let loadBalancer: LoadBalancer;
let clock: AdjustableClock;
let verdict: (kid?: string) => Promise<string>;
let faults: string[];
let askedBefore: number;

beforeAll(async () => {
  loadBalancer = await startLoadBalancer();
});
afterAll(() => loadBalancer.close());
beforeEach(() => {
  loadBalancer.answer = undefined;
  askedBefore = loadBalancer.requests.length;
  faults = [];
  clock = createAdjustableClock();
  verdict = createVerdict();
});

function createVerdict(options: Partial<LoadBalancerVerifierOptions> = {}): typeof verdict {
  const { loadBalancer: config } = loadBalancer.config;
  if (config === undefined) throw new Error('the load balancer has a configuration');
  const verifier = createLoadBalancerVerifier({
    ...config,
    userClaim: 'sub',
    issuers: { knowsIssuer: () => Promise.resolve('configured') },
    clock,
    onFault: (reason) => void faults.push(reason),
    ...options,
  });
  return async (kid = loadBalancer.kid) => {
    const answer = await verifier.verify(
      loadBalancer.identityOf(ISSUER, { sub: 'alice' }, { header: { kid } }),
    );
    return answer.kind === 'verified' ? 'verified' : `${answer.kind}: ${answer.reason}`;
  };
}

/** How often the endpoint was asked in this test. */
const asked = () => loadBalancer.requests.length - askedBefore;
const UNAVAILABLE = 'issuer_unavailable: load_balancer_key';
const UNKNOWN = 'invalid: unknown_key';

async function stampede(size: number, kid: () => string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const one of await Promise.all(Array.from({ length: size }, () => verdict(kid())))) {
    counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  return counts;
}

describe('a key of the load balancer', () => {
  it('is fetched once for all who arrive at once [SB-12]', async () => {
    expect(await stampede(100, () => loadBalancer.kid)).toEqual(new Map([['verified', 100]]));
    expect(loadBalancer.requests.slice(askedBefore)).toEqual([`/keys/${loadBalancer.kid}`]);
  });

  it('is used for ten minutes, then asked for once', async () => {
    await verdict();
    clock.advanceMonotonic(MAX_AGE_MS - 1);
    expect(await verdict()).toBe('verified');
    expect(asked()).toBe(1);
    clock.advanceMonotonic(1);
    expect(await stampede(10, () => loadBalancer.kid)).toEqual(new Map([['verified', 10]]));
    expect(asked()).toBe(2);
  });

  it('that was withdrawn is worthless after that [SB-20]', async () => {
    const pem = loadBalancer.published.get(loadBalancer.kid) ?? '';
    await verdict();
    loadBalancer.published.delete(loadBalancer.kid);
    clock.advanceMonotonic(MAX_AGE_MS);
    expect(await verdict()).toBe(UNKNOWN);
    // An outage must not bring it back.
    clock.advanceMonotonic(COOLDOWN_MS);
    loadBalancer.answer = (_, response) => void response.writeHead(500).end();
    expect(await verdict()).toBe(UNAVAILABLE);
    clock.advanceMonotonic(COOLDOWN_MS);
    loadBalancer.answer = undefined;
    loadBalancer.published.set(loadBalancer.kid, pem);
    expect(await verdict()).toBe('verified');
  });

  it('stays while the endpoint is down, however old, and is not asked for at every visit [SB-12]', async () => {
    await verdict();
    loadBalancer.answer = (_, response) => void response.writeHead(500).end();
    clock.advanceMonotonic(100 * MAX_AGE_MS);
    expect(await stampede(20, () => loadBalancer.kid)).toEqual(new Map([['verified', 20]]));
    expect(await verdict()).toBe('verified');
    expect(asked()).toBe(2);
    clock.advanceMonotonic(COOLDOWN_MS);
    expect(await verdict()).toBe('verified');
    expect(asked()).toBe(3);
  });
});

describe('made-up names of keys', () => {
  it('cost a few requests per cooldown, however many come, and nobody’s sign-in [SB-12] [SB-20]', async () => {
    await verdict();
    expect(await stampede(200, randomUUID)).toEqual(
      new Map([
        [UNKNOWN, MAX_UNHELD - 1],
        // Nobody can tell a new key of ours from a made-up one: never a verdict.
        [UNAVAILABLE, 200 - MAX_UNHELD + 1],
      ]),
    );
    expect(await verdict()).toBe('verified');
    expect(asked()).toBe(MAX_UNHELD);
    clock.advanceMonotonic(COOLDOWN_MS);
    expect(await verdict(randomUUID())).toBe(UNKNOWN);
  });

  it('cost one request per cooldown where it is always the same one [SB-12]', async () => {
    expect(await stampede(50, () => 'made-up')).toEqual(new Map([[UNKNOWN, 50]]));
    expect(await verdict('made-up')).toBe(UNKNOWN);
    expect(asked()).toBe(1);
    clock.advanceMonotonic(COOLDOWN_MS);
    expect(await verdict('made-up')).toBe(UNKNOWN);
    expect(asked()).toBe(2);
  });
});

it('keeps sixteen keys, those used last [SB-22]', async () => {
  const others = Array.from({ length: MAX_HELD }, (_, index) => `other-${index}`);
  for (const kid of others) {
    loadBalancer.published.set(kid, loadBalancer.published.get(loadBalancer.kid) ?? '');
    await verdict();
    expect(await verdict(kid)).toBe('verified');
    clock.advanceMonotonic(COOLDOWN_MS);
  }
  const before = asked();
  for (const kid of [loadBalancer.kid, ...others.slice(1)]) await verdict(kid);
  expect(asked()).toBe(before);
  await verdict('other-0');
  expect(asked()).toBe(before + 1);
});

/** More than any key is long. */
const HUGE = ' '.repeat(64 * 1024);

const FAULTS: readonly (readonly [string, (response: ServerResponse) => void])[] = [
  ['unreachable', (response) => void response.socket?.destroy()],
  ['timeout', () => undefined],
  ['timeout', (response) => void response.writeHead(200).write('-----BEGIN')],
  ['status_500', (response) => void response.writeHead(500).end()],
  ['status_302', (response) => void response.writeHead(302, { location: `/keys/${loadBalancer.kid}` }).end()],
  ['too_large', (response) => void response.writeHead(200).end(pem() + HUGE)],
  ['not_a_public_key', (response) => void response.writeHead(200).end('<!doctype html><p>Hello</p>')],
  ['not_a_public_key', (response) => void response.writeHead(200).end('')],
  ['not_a_public_key', (response) => void response.writeHead(200).end(pem().replaceAll('A', 'B'))],
  ['not_a_public_key', (response) => void response.writeHead(200).end(PRIVATE_PEM)],
  ['not_a_public_key', (response) => void response.writeHead(200).end(`${PRIVATE_PEM}${pem()}`)],
  ['not_a_p256_key', (response) => void response.writeHead(200).end(P384_PEM)],
  ['not_a_p256_key', (response) => void response.writeHead(200).end(RSA_PEM)],
];

const pem = () => loadBalancer.published.get(loadBalancer.kid) ?? '';
const PRIVATE_PEM = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const P384_PEM = pemOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey);
const RSA_PEM = pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);

describe('an endpoint at fault', () => {
  it.each(FAULTS)('%s is unavailable, never a verdict [SB-12] [SB-20]', async (reason, answer) => {
    loadBalancer.answer = (_, response) => answer(response);
    verdict = createVerdict({ budgets: { fetchTimeoutMs: 200 } });
    expect(await verdict()).toBe(UNAVAILABLE);
    expect(faults).toEqual([reason]);
    expect(asked()).toBe(1);
  });

  it('is never asked over http beyond this machine [SB-12] [SB-20]', async () => {
    verdict = createVerdict({ publicKeysUrl: 'http://keys.example' });
    expect(await verdict()).toBe(UNAVAILABLE);
    expect(faults).toEqual(['public_keys_url_not_https']);
  });
});
