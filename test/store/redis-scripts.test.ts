import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisConnection } from '../../src/store/redis-connection.ts';
import { COMPARE_AND_DELETE, COMPARE_AND_SET, COUNT_IN } from '../../src/store/redis-scripts.ts';
import { systemRandomness } from '../../src/system.ts';
import { aHash } from '../contract/harness.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

describeWithRedis('a script on the server', () => {
  let server: RedisServer;
  let connection: RedisConnection;
  beforeAll(async () => {
    server = await startRedis();
    connection = new RedisConnection({
      address: {
        host: '127.0.0.1',
        port: server.port,
        tls: false,
        username: undefined,
        password: undefined,
        db: 0,
        cluster: false,
      },
      randomness: systemRandomness,
      onFault: () => undefined,
    });
    await until('the connection', () => connection.send((client) => client.ping()).catch(() => undefined));
  });
  afterAll(async () => {
    await connection.close();
    await server.close();
  });

  it('that compares and sets knows its own write when it is sent twice [SB-08]', async () => {
    const key = aHash();
    expect(await connection.run(COMPARE_AND_SET, key, '', 'mine', 60_000)).toBe(1);
    // A cluster is asked again when a connection broke before the answer: the claim is still won.
    expect(await connection.run(COMPARE_AND_SET, key, '', 'mine', 60_000)).toBe(1);
    expect(await connection.run(COMPARE_AND_SET, key, '', 'other', 60_000)).toBe(0);
    expect(await connection.run(COMPARE_AND_SET, key, 'other', 'next', 60_000)).toBe(0);
    expect(await connection.run(COMPARE_AND_SET, key, 'mine', 'next', 60_000)).toBe(1);
    expect(await server.raw.get(key)).toBe('next');
    expect(await server.raw.pttl(key)).toBeGreaterThan(50_000);
  });

  it('that compares and deletes leaves what somebody else wrote meanwhile [SB-34]', async () => {
    const key = aHash();
    await server.raw.set(key, 'theirs');
    expect(await connection.run(COMPARE_AND_DELETE, key, 'mine')).toBe(0);
    expect(await server.raw.get(key)).toBe('theirs');
    expect(await connection.run(COMPARE_AND_DELETE, key, 'theirs')).toBe(1);
    expect(await server.raw.exists(key)).toBe(0);
    expect(await connection.run(COMPARE_AND_DELETE, key, 'theirs')).toBe(0);
  });

  it('that counts has a place for who is counted already, and forgets when the last one lapses [SB-22]', async () => {
    const key = aHash();
    const countIn = (nowMs: number, member: string, untilMs: number, keptMs = 0) =>
      connection.run(COUNT_IN, key, nowMs, member, untilMs, 2, keptMs);
    expect(await countIn(1_000, 'a', 61_000)).toEqual([]);
    expect(await countIn(1_000, 'b', 31_000)).toEqual([]);
    expect(await countIn(1_000, 'c', 31_000)).toBeNull();
    expect(await countIn(1_000, 'a', 61_000)).toEqual([]);
    expect(await server.raw.pttl(key)).toBeGreaterThan(50_000);
    expect(await server.raw.pttl(key)).toBeLessThanOrEqual(60_000);
    expect(await countIn(31_000, 'c', 61_000)).toEqual(['b']);
    expect(await server.raw.zrange(key, '0', '-1')).toEqual(['a', 'c']);
    expect(await countIn(61_000, 'd', 91_000, 60_000)).toEqual(['a', 'c']);
    expect(await server.raw.pttl(key)).toBeGreaterThan(80_000);
  });
});
