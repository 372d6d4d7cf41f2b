import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type User, userDigest } from '../../src/binding/user.ts';
import type { Store } from '../../src/store/store.ts';
import { aHash, aUser, aUserToken, HOUR, MINUTE, race, SECOND } from '../contract/harness.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { openRedisStore } from './open-redis-store.ts';

describeWithRedis('a record in the Redis store', () => {
  let server: RedisServer;
  let store: Store;
  let replica: Store;
  beforeAll(async () => {
    server = await startRedis();
    [store, replica] = await Promise.all([
      openRedisStore({ port: server.port }),
      openRedisStore({ port: server.port }),
    ]);
  });
  beforeEach(async () => {
    await server.raw.flushall();
  });
  afterAll(async () => {
    await Promise.all([store.close(), replica.close()]);
    await server.close();
  });

  /** The server's own time to live: it is what frees the memory, and it must not come early. */
  async function expectLifetime(key: string, ms: number): Promise<void> {
    const ttlMs = await server.raw.pttl(key);
    expect(ttlMs, key).toBeGreaterThan(ms - 30 * SECOND);
    expect(ttlMs, key).toBeLessThanOrEqual(ms);
  }

  it('lives on the server as long as the contract says, and no longer', async () => {
    const [user, hash, nowMs] = [aUser(), aHash(), Date.now()];
    const pin = {
      authorizationSessionKey: hash,
      user,
      tokenFingerprint: aHash(),
      tokenExpiresAtMs: nowMs + HOUR,
      liveUntilMs: nowMs + 10 * MINUTE,
    };
    const browserSession = {
      user,
      createdAtMs: nowMs,
      lineage: aHash(),
      tokenExpiresAtMs: nowMs + HOUR,
      provisional: false,
    };
    const candidate = { user, tokenExpiresAtMs: nowMs + 2 * HOUR };
    await store.pins.create(pin);
    await store.attempts.compareAndSet(hash, user, undefined, { mayHaveBound: false });
    await store.completions.record(hash, user);
    await store.browserSessions.write(hash, browserSession, nowMs + 3 * HOUR);
    await store.signInCodes.writeCode(hash, candidate, nowMs + 10 * MINUTE);
    await store.signInCodes.writeCandidate(candidate);

    const ofUser = userDigest(user);
    await expectLifetime(`sb:1:pin:${hash}`, 24 * HOUR);
    await expectLifetime(`sb:1:own-pin:${hash}:${ofUser}`, 24 * HOUR);
    await store.pins.start(pin, aHash());
    await expectLifetime(`sb:1:pin:${hash}`, 24 * HOUR);
    await expectLifetime(`sb:1:live-pins:${ofUser}`, 24 * HOUR);
    await expectLifetime(`sb:1:attempt:${hash}:${ofUser}`, 24 * HOUR);
    await expectLifetime(`sb:1:attempts:${ofUser}`, 24 * HOUR);
    await expectLifetime(`sb:1:completion:${hash}`, 24 * HOUR);
    await expectLifetime(`sb:1:browser-session:${hash}`, 3 * HOUR);
    await expectLifetime(`sb:1:browser-sessions:${ofUser}`, 3 * HOUR);
    await expectLifetime(`sb:1:sign-in-code:${hash}`, 10 * MINUTE);
    await expectLifetime('sb:1:sign-in-candidates', 2 * HOUR);
  });

  it('among few is not taken along when a short-lived one is written after it [SB-13]', async () => {
    const [user, nowMs] = [aUser(), Date.now()];
    await store.userTokens.write(aUserToken(user, nowMs + 5 * HOUR));
    await store.userTokens.write(aUserToken(user, nowMs + MINUTE));
    await expectLifetime(`sb:1:user-tokens:${userDigest(user)}`, 5 * HOUR);
  });

  it('lives as long as its browser session that turned out to be real', async () => {
    const [user, idHash, nowMs] = [aUser(), aHash(), Date.now()];
    const provisional = {
      user,
      createdAtMs: nowMs,
      lineage: aHash(),
      tokenExpiresAtMs: nowMs + HOUR,
      provisional: true,
    };
    await store.browserSessions.write(idHash, provisional, nowMs + 10 * MINUTE);
    await store.browserSessions.replace(idHash, { ...provisional, provisional: false }, nowMs + HOUR);
    await expectLifetime(`sb:1:browser-session:${idHash}`, HOUR);
    await expectLifetime(`sb:1:browser-sessions:${userDigest(user)}`, HOUR);
  });

  it('leaves no way behind when its browser session goes [SB-22]', async () => {
    const [user, nowMs] = [aUser(), Date.now()];
    const idHashes = Array.from({ length: 12 }, aHash);
    for (const [index, idHash] of idHashes.entries()) {
      const createdAtMs = nowMs + index;
      const browserSession = {
        user,
        createdAtMs,
        lineage: aHash(),
        tokenExpiresAtMs: nowMs + HOUR,
        provisional: true,
      };
      await store.browserSessions.write(idHash, browserSession, nowMs + HOUR);
    }
    expect(await server.raw.keys('sb:1:browser-session:*')).toHaveLength(8);
    await store.browserSessions.remove(idHashes[11] ?? '');
    expect(await server.raw.keys('sb:1:browser-session:*')).toHaveLength(7);
    await store.browserSessions.removeAll(user);
    expect(await server.raw.keys('sb:1:browser-session*')).toEqual([]);
  });

  it('of a pin that lost a race takes no place of its user [SB-22] [SB-34]', async () => {
    const [key, nowMs] = [aHash(), Date.now()];
    const harness = { store, replica, nowMs: () => nowMs, advance: () => undefined };
    for (let rounds = 0; rounds < 3; rounds += 1) {
      await server.raw.flushall();
      await race(harness, 50, (one) =>
        one.pins.create({
          authorizationSessionKey: key,
          user: aUser(),
          tokenFingerprint: aHash(),
          tokenExpiresAtMs: nowMs + HOUR,
          liveUntilMs: nowMs + 10 * MINUTE,
        }),
      );
      expect(await server.raw.keys('sb:1:live-pins:*')).toHaveLength(1);
    }
  });

  it('of a live pin is its whole life, even where another user was counted for its session long ago [SB-01] [SB-34]', async () => {
    const [owner, other, nowMs] = [aUser(), aUser(), Date.now()];
    const aPinOf = (user: User, authorizationSessionKey = aHash()) => ({
      authorizationSessionKey,
      user,
      tokenFingerprint: aHash(),
      tokenExpiresAtMs: nowMs + HOUR,
      liveUntilMs: nowMs + 10 * MINUTE,
      label: 'GitHub for the sales agent',
    });
    const pin = aPinOf(owner);
    await store.pins.create(pin);
    await server.raw.zadd(`sb:1:live-pins:${userDigest(other)}`, nowMs - 1, pin.authorizationSessionKey);
    await store.pins.create(aPinOf(other));
    expect(await store.pins.read(pin.authorizationSessionKey)).toEqual(pin);
  });
});
