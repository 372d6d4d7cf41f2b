import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import { Secret } from '../../src/binding/secret.ts';
import type { Store } from '../../src/store/store.ts';
import { aHash, aUser } from '../contract/harness.ts';
import { freePort } from '../support/free-port.ts';
import { describeWithRedis, type RedisServer, startRedisForTest } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { everyCall } from './every-call.ts';
import {
  createTestStore,
  type OpenRedisStoreOptions,
  openRedisStore,
  untilWorking,
} from './open-redis-store.ts';

/** Contract §10, and what a slow machine may add. */
const BUDGET_MS = 1_000 + 500;

const WRITES =
  /\.(?:write|create|compareAndSet|record|replace|writeCode|takeCode|writeCandidate|removeAll|removeCandidate)$/;

/** Each call ends in StoreUnavailable within the budget, with one word and nothing else of what went wrong. */
async function expectUnavailable(store: Store, which = /./): Promise<void> {
  const calls = everyCall(store).filter(([name]) => which.test(name));
  expect(calls.length).toBeGreaterThan(3);
  const startedMs = performance.now();
  await Promise.all(
    calls.map(async ([name, call]) => {
      const error: unknown = await call().then(
        () => `${name} answered`,
        (thrown: unknown) => thrown,
      );
      expect(error, name).toBeInstanceOf(StoreUnavailable);
      expect(String(error), name).toMatch(/^StoreUnavailable: the store failed: [A-Za-z_]+$/);
      expect(Object.getOwnPropertyNames(error).toSorted(), name).toEqual(['message', 'name', 'stack']);
    }),
  );
  expect(performance.now() - startedMs).toBeLessThan(BUDGET_MS);
  expect(await store.works()).toBe(false);
}

async function expectWorking(store: Store): Promise<void> {
  await untilWorking(store);
  for (const [name, call] of everyCall(store)) {
    expect(await call().then(() => name), name).toBe(name);
  }
}

async function connections({ raw }: RedisServer): Promise<number> {
  const stats = await raw.info('stats');
  return Number(/total_connections_received:(\d+)/.exec(stats)?.[1]);
}

/** A store with the words of its faults. */
async function openWatched(options: Omit<OpenRedisStoreOptions, 'onFault'>, opened = true) {
  const faults = new Set<string>();
  const watched = { ...options, onFault: (reason: string) => void faults.add(reason) };
  const store = opened ? await openRedisStore(watched) : createTestStore(watched);
  onTestFinished(() => store.close());
  faults.clear();
  return { store, faults };
}

describeWithRedis('the Redis store, without a restart,', () => {
  it('survives a server that is stalled and goes on (SIGSTOP, SIGCONT)', async () => {
    const server = await startRedisForTest();
    const { store, faults } = await openWatched({ port: server.port });
    server.pause();
    await expectUnavailable(store);
    await expectUnavailable(store);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    // Now the silent connection has been given up: nothing waits any more, and nothing piles up behind it.
    const startedMs = performance.now();
    await expect(store.completions.read(aHash())).rejects.toThrow(StoreUnavailable);
    expect(performance.now() - startedMs).toBeLessThan(450);
    server.resume();
    await expectWorking(store);
    expect(faults).toContain('timeout');
  });

  it('survives a server that is killed and comes back empty (SIGKILL)', async () => {
    const server = await startRedisForTest();
    const { store } = await openWatched({ port: server.port });
    const [key, user] = [aHash(), aUser()];
    await store.completions.record(key, user);
    await server.kill();
    await expectUnavailable(store);
    await server.start();
    await expectWorking(store);
    expect(await store.completions.read(key)).toBeUndefined();
  });

  it('starts before its server does', async () => {
    const server = await startRedisForTest();
    await server.kill();
    const { store, faults } = await openWatched({ port: server.port }, false);
    await expectUnavailable(store);
    await until('the refusal', () => faults.has('ECONNREFUSED') || undefined);
    await expect(store.completions.read('x')).rejects.toThrow('the store failed: ECONNREFUSED');
    await server.start();
    await expectWorking(store);
  });

  it('survives a server that holds all its clients up (CLIENT PAUSE)', async () => {
    const server = await startRedisForTest();
    const { store } = await openWatched({ port: server.port });
    await server.raw.call('CLIENT', 'PAUSE', '2500', 'ALL');
    await expectUnavailable(store);
    await expectWorking(store);
  });

  it('sends no command again whose connection broke: its caller has been told that it failed [SB-08]', async () => {
    const server = await startRedisForTest();
    const { store } = await openWatched({ port: server.port });
    server.pause();
    const pending = store.completions.record(aHash(), aUser());
    await expect(pending).rejects.toThrow(StoreUnavailable);
    await server.kill();
    await server.start();
    await expectWorking(store);
    expect(await server.raw.keys('sb:1:completion:*')).toHaveLength(1);
  });

  it('survives a full server: writes fail, reads go on, nothing is evicted', async () => {
    const server = await startRedisForTest({ args: ['--maxmemory-policy', 'noeviction'] });
    const { store, faults } = await openWatched({ port: server.port });
    const [key, user] = [aHash(), aUser()];
    await store.completions.record(key, user);
    await server.raw.config('SET', 'maxmemory', '1');
    await expectUnavailable(
      store,
      /\.(?:write|create|compareAndSet|record|replace|writeCode|writeCandidate)$/,
    );
    expect(await store.completions.read(key)).toEqual(user);
    expect(await store.userTokens.list(user)).toEqual([]);
    expect([...faults]).toEqual(['OOM']);
    await server.raw.config('SET', 'maxmemory', '0');
    await expectWorking(store);
  });

  it('survives a server that has become a replica, and finds out when it is primary again', async () => {
    const [primary, server] = await Promise.all([startRedisForTest(), startRedisForTest()]);
    const { store, faults } = await openWatched({ port: server.port });
    await server.raw.replicaof('127.0.0.1', primary.port);
    const before = await connections(server);
    await expectUnavailable(store, WRITES);
    expect(faults).toContain('READONLY');
    // After a failover the name of a primary leads elsewhere: it is looked up anew.
    await until('a new connection', async () => (await connections(server)) > before || undefined);
    await server.raw.replicaof('NO', 'ONE');
    await expectWorking(store);
  });

  it.each([
    ['a wrong password', 'wrong', 'WRONGPASS'],
    ['no password', undefined, 'NOAUTH'],
  ])('survives %s, which is put right on the server', async (_name, password, fault) => {
    const server = await startRedisForTest({ args: ['--requirepass', 'right'], rawPassword: 'right' });
    const more = { password: password === undefined ? undefined : new Secret(password) };
    const { store, faults } = await openWatched({ port: server.port, more }, false);
    await until(fault, () => faults.has(fault) || undefined);
    await expectUnavailable(store);
    await server.raw.config('SET', 'requirepass', password ?? '');
    await expectWorking(store);
  });

  it('survives a record of another type under a key of ours', async () => {
    const server = await startRedisForTest();
    const { store, faults } = await openWatched({ port: server.port });
    const key = aHash();
    await server.raw.lpush(`sb:1:completion:${key}`, 'x');
    await expect(store.completions.read(key)).rejects.toThrow(StoreUnavailable);
    expect([...faults]).toEqual(['WRONGTYPE']);
  });
});

describe('the Redis store', () => {
  it.each([
    ['says nothing', ''],
    ['speaks HTTP', 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'],
    ['answers an error with a canary', '-ERR canary-of-the-server\r\n'.repeat(9)],
    ['answers nonsense', '\u0000*9\r\n$-7\r\n:x\r\n'],
  ])('meets a server that %s with StoreUnavailable', async (_name, answer) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { store, faults } = await openWatched({ port }, false);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await expectUnavailable(store);
    expect([...faults].join(' ')).not.toContain('canary');
  });

  it('meets a name that leads nowhere with StoreUnavailable', async () => {
    const { store, faults } = await openWatched(
      { port: await freePort(), more: { host: 'nowhere.invalid' } },
      false,
    );
    await until('the lookup', () => [...faults].find((reason) => /^(?:ENOTFOUND|EAI_AGAIN)$/.test(reason)));
    await expectUnavailable(store);
  });

  it('says StoreUnavailable once it is closed', async () => {
    const { store } = await openWatched({ port: await freePort() }, false);
    await store.close();
    await expectUnavailable(store);
  });
});
