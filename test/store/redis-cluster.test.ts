import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import { aHash, aUser, type StoreHarness } from '../contract/harness.ts';
import { describeStoreContract } from '../contract/store-contract.ts';
import { freePort } from '../support/free-port.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { DOCUMENTED_USER, documentedAcl } from './documented-acl.ts';
import { everyCall } from './every-call.ts';
import { openRedisStore, untilWorking } from './open-redis-store.ts';

async function startNode(): Promise<{ readonly server: RedisServer; readonly busPort: number }> {
  // The default would be the port and 10,000 more, which ephemeral ports have no room for.
  const busPort = await freePort();
  const args = [
    '--cluster-enabled',
    'yes',
    '--cluster-port',
    String(busPort),
    '--cluster-node-timeout',
    '2000',
  ];
  return { server: await startRedis({ args }), busPort };
}

async function untilJoined(servers: readonly RedisServer[]): Promise<void> {
  await until('the cluster', async () => {
    const infos = await Promise.all(servers.map(({ raw }) => raw.call('CLUSTER', 'INFO')));
    return infos.every((info) => /cluster_state:ok[^]*cluster_known_nodes:2/.test(String(info))) || undefined;
  });
}

const MORE = { cluster: true };

/** A second a command (contract §10): one that finds the way, and one that fails. The rest is for a slow machine. */
const BUDGET_MS = 2_000 + 1_000;

describeWithRedis('a cluster of two nodes', () => {
  let servers: readonly [RedisServer, RedisServer];
  beforeAll(async () => {
    const [one, other] = await Promise.all([startNode(), startNode()]);
    servers = [one.server, other.server];
    await one.server.raw.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
    await other.server.raw.call('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
    await one.server.raw.call('CLUSTER', 'SET-CONFIG-EPOCH', '1');
    await other.server.raw.call('CLUSTER', 'SET-CONFIG-EPOCH', '2');
    await one.server.raw.call(
      'CLUSTER',
      'MEET',
      '127.0.0.1',
      String(other.server.port),
      String(other.busPort),
    );
    await untilJoined(servers);
  });
  afterAll(() => Promise.all(servers.map((server) => server.close())));

  async function open(nowMs?: () => number) {
    const store = await openRedisStore({
      port: servers[0].port,
      more: MORE,
      ...(nowMs === undefined ? {} : { nowMs }),
    });
    onTestFinished(() => store.close());
    return store;
  }

  describeStoreContract('the Redis store', async (): Promise<StoreHarness> => {
    await Promise.all(servers.map(({ raw }) => raw.flushall()));
    let offsetMs = 0;
    const nowMs = () => Date.now() + offsetMs;
    const [store, replica] = await Promise.all([open(nowMs), open(nowMs)]);
    return {
      store,
      replica,
      nowMs,
      advance(ms) {
        offsetMs += ms;
      },
    };
  });

  it('holds records on both of its nodes', async () => {
    const store = await open();
    for (let count = 0; count < 20; count += 1) await store.completions.record(aHash(), aUser());
    const sizes = await Promise.all(servers.map(({ raw }) => raw.dbsize()));
    expect(sizes.every((size) => size > 0)).toBe(true);
  });

  it('needs two permissions more than one server does', async () => {
    for (const { raw } of servers) {
      await raw.call('ACL', 'SETUSER', ...documentedAcl(), '+cluster|slots', '+cluster|info');
    }
    const store = await openRedisStore({ port: servers[0].port, more: { ...MORE, ...DOCUMENTED_USER } });
    onTestFinished(() => store.close());
    for (const [, call] of everyCall(store)) await call();
  });

  it.each([
    ['stalled', (server: RedisServer) => server.pause(), (server: RedisServer) => server.resume()],
    ['killed', (server: RedisServer) => server.kill(), (server: RedisServer) => server.start()],
  ] as const)(
    'is StoreUnavailable in time where a node is %s, and heals by itself',
    async (_how, out, back) => {
      const store = await open();
      const keys = Array.from({ length: 20 }, aHash);
      await out(servers[1]);
      const startedMs = performance.now();
      const results = await Promise.allSettled(keys.map((key) => store.completions.record(key, aUser())));
      expect(performance.now() - startedMs).toBeLessThan(BUDGET_MS);
      const reasons = results.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []));
      expect(reasons.length).toBeGreaterThan(0);
      for (const reason of reasons) expect(reason).toBeInstanceOf(StoreUnavailable);

      await back(servers[1]);
      await untilJoined(servers);
      await untilWorking(store);
      await until('all slots', async () => {
        const written = await Promise.allSettled(keys.map((key) => store.completions.record(key, aUser())));
        return written.every(({ status }) => status === 'fulfilled') || undefined;
      });
    },
  );
});
