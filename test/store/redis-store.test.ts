import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { StoreHarness } from '../contract/harness.ts';
import { describeStoreContract } from '../contract/store-contract.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { openRedisStore } from './open-redis-store.ts';

describeWithRedis('one server of Valkey or Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());

  describeStoreContract('the Redis store', async (): Promise<StoreHarness> => {
    await server.raw.flushall();
    let offsetMs = 0;
    const nowMs = () => Date.now() + offsetMs;
    const [store, replica] = await Promise.all([
      openRedisStore({ port: server.port, nowMs }),
      openRedisStore({ port: server.port, nowMs }),
    ]);
    onTestFinished(async () => {
      await Promise.all([store.close(), replica.close()]);
    });
    return {
      store,
      replica,
      nowMs,
      advance(ms) {
        offsetMs += ms;
      },
    };
  });
});
