import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Issuer, startIssuer } from '../../src/emulator/issuer.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { openRedisStore } from '../store/open-redis-store.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { anySeed, INPUTS, userTokens } from './inputs.ts';
import { life } from './life.ts';
import type { Property } from './property.ts';

/** Set by `npm run fuzz`: how long, from which seed, and which of them. */
const MINUTES = Number(process.env['FUZZ_MINUTES'] ?? 0);
const SEED = process.env['FUZZ_SEED'] === undefined ? undefined : Number(process.env['FUZZ_SEED']);
const ONLY = process.env['FUZZ_ONLY'] ?? '';

const RUNS = 400;
const SLICE_MS = 5_000;
const PAST_FILE = new URL('past-failures.json', import.meta.url);

/** Inputs that broke something once, by the property's name; the tests try them first, for ever. */
const past = JSON.parse(readFileSync(PAST_FILE, 'utf8')) as Readonly<Record<string, readonly unknown[]>>;

const memoryLife = life('a life on one replica and its memory keeps every promise', 20, (clock) => [
  createMemoryStore(clock),
]);

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());

function tryOut(property: Property): void {
  const { name } = property;
  it(name, { timeout: Infinity }, () => tryLong(property));
}

/** A few runs; or, under `npm run fuzz`, slices until the time is up. */
async function tryLong(property: Property): Promise<void> {
  const { name } = property;
  if (!name.includes(ONLY)) return;
  const untilMs = performance.now() + (MINUTES * 60_000) / COUNT;
  let runs = 0;
  do {
    const seed = SEED ?? anySeed();
    const limit = MINUTES > 0 ? { limitMs: SLICE_MS } : {};
    const effort = { runs: MINUTES > 0 ? 1e6 : RUNS, seed, past: past[name] ?? [], ...limit };
    const tried = await property.check(effort);
    runs += tried.runs;
    if (tried.failure !== undefined) {
      const { value, message } = tried.failure;
      if (MINUTES > 0) keep(name, value);
      expect.fail(
        `${message}\n  input: ${JSON.stringify(value)}\n  replay: npm run fuzz -- --seed=${seed} --only '${name}'`,
      );
    }
    if (MINUTES > 0) process.stderr.write(`${runs} runs, seed ${seed}: ${name}\n`);
  } while (performance.now() < untilMs);
}

function keep(name: string, value: unknown): void {
  const kept = { ...past, [name]: [...(past[name] ?? []), value] };
  writeFileSync(PAST_FILE, `${JSON.stringify(kept, undefined, 2)}\n`);
}

const COUNT = ONLY === '' ? INPUTS.length + 3 : 1;

describe('for any input', () => {
  for (const property of INPUTS) tryOut(property);

  it('a user token that somebody had a hand in is refused [SB-10]', { timeout: Infinity }, () =>
    tryLong(userTokens(issuer)),
  );
});

describe('for any story of people, browsers, flows and faults', () => {
  it(`${memoryLife.name} [SB-01] [SB-02] [SB-08] [SB-24]`, { timeout: Infinity }, () => tryLong(memoryLife));
});

describeWithRedis('for any such story on two replicas', () => {
  let redis: RedisServer;
  let nowMs = () => Date.now();
  const replicas: Store[] = [];
  beforeAll(async () => {
    redis = await startRedis();
    for (let replica = 0; replica < 2; replica += 1) {
      replicas.push(await openRedisStore({ port: redis.port, nowMs: () => nowMs() }));
    }
  });
  afterAll(async () => {
    for (const replica of replicas) await replica.close();
    await redis.close();
  });

  const name = 'a life on two replicas and a shared store keeps every promise';
  it(`${name} [SB-01] [SB-08] [SB-09]`, { timeout: Infinity }, () =>
    tryLong(
      life(name, 40, (clock) => {
        nowMs = () => clock.nowMs();
        return replicas;
      }),
    ),
  );
});
