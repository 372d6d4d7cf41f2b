import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { aHash, type StoreHarness } from '../contract/harness.ts';
import { describeStoreContract } from '../contract/store-contract.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { DOCUMENTED_USER, documentedAcl } from './documented-acl.ts';
import { everyCall } from './every-call.ts';
import { openRedisStore } from './open-redis-store.ts';

describeWithRedis('a server that gives us the documented permissions and no more', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
    await server.raw.call('ACL', 'SETUSER', ...documentedAcl());
  });
  afterAll(() => server.close());

  async function open(nowMs?: () => number, db = 0): Promise<Store> {
    const store = await openRedisStore({
      port: server.port,
      more: { ...DOCUMENTED_USER, db },
      ...(nowMs === undefined ? {} : { nowMs }),
    });
    onTestFinished(() => store.close());
    return store;
  }

  describeStoreContract('the Redis store', async (): Promise<StoreHarness> => {
    await server.raw.flushall();
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

  it('lets us do nothing else: no other keys, no listing of keys, no configuration', async () => {
    const asUs = server.raw.duplicate({
      username: DOCUMENTED_USER.username.reveal(),
      password: DOCUMENTED_USER.password.reveal(),
    });
    onTestFinished(() => asUs.disconnect());
    for (const command of [
      ['GET', 'another'],
      ['SET', 'sb:2:x', 'x'],
      ['KEYS', '*'],
      ['SCAN', '0'],
      ['FLUSHALL'],
      ['CONFIG', 'GET', '*'],
      ['ACL', 'LIST'],
      ['MONITOR'],
      ['EVAL', "return redis.call('GET', 'another')", '0'],
      ['EVAL', "return redis.call('KEYS', '*')", '0'],
    ] as const) {
      const [verb, ...args] = command;
      await expect(asUs.call(verb, ...args), command.join(' ')).rejects.toThrow(
        /NOPERM|ACL failure|can't (?:access|run)/,
      );
    }
    expect(await asUs.call('GET', `sb:1:completion:${aHash()}`)).toBeNull();
  });

  // Without INFO the driver only complains.
  it.each(documentedAcl().filter((word) => /^\+[a-z]+$/.test(word) && word !== '+info'))(
    'asks for no permission that we can do without: %s',
    async (permission) => {
      const store = await open();
      expect(await failuresOf(store)).toEqual([]);
      await server.raw.call('ACL', 'SETUSER', documentedAcl()[0], permission.replace('+', '-'));
      onTestFinished(async () => {
        await server.raw.call('ACL', 'SETUSER', ...documentedAcl());
      });
      expect(await failuresOf(store)).not.toEqual([]);
    },
  );

  it('needs one permission more for another database', async () => {
    await server.raw.flushall();
    await server.raw.call('ACL', 'SETUSER', documentedAcl()[0], '+select');
    const store = await open(undefined, 3);
    expect(await failuresOf(store)).toEqual([]);
    expect(await server.raw.dbsize()).toBe(0);
  });

  /** On a server that has forgotten our scripts, so that they have to be sent whole. */
  async function failuresOf(store: Store): Promise<readonly string[]> {
    await server.raw.script('FLUSH');
    const failures: string[] = [];
    for (const [name, call] of everyCall(store)) {
      await call().catch(() => failures.push(name));
    }
    return failures;
  }
});
