import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import {
  createMemoryStore,
  DEFAULT_MEMORY_BUDGETS,
  type MemoryBudgets,
} from '../../src/store/memory-store.ts';
import { systemClock } from '../../src/system.ts';
import { aHash, aUser, aUserToken, HOUR, MINUTE, type StoreHarness } from '../contract/harness.ts';
import { describeStoreContract } from '../contract/store-contract.ts';
import { collectGarbage } from '../support/collect-garbage.ts';

function createHarness(budgets?: Partial<MemoryBudgets>): StoreHarness {
  let offsetMs = 0;
  const nowMs = () => Date.now() + offsetMs;
  const store = createMemoryStore({ ...systemClock, nowMs }, { ...DEFAULT_MEMORY_BUDGETS, ...budgets });
  return {
    store,
    replica: store,
    nowMs,
    advance(ms) {
      offsetMs += ms;
    },
  };
}

describeStoreContract('the memory store', async () => createHarness());

const THREE = { maxEntries: 3, maxBytes: 1024 * 1024 };

describe('a full memory store', () => {
  it('refuses a further pin and keeps every veto, live or not [SB-22]', async () => {
    const { store, nowMs, advance } = createHarness({ pins: THREE });
    const pins = Array.from({ length: 4 }, () => ({
      authorizationSessionKey: aHash(),
      user: aUser(),
      tokenFingerprint: aHash(),
      tokenExpiresAtMs: nowMs() + HOUR,
      liveUntilMs: nowMs() + 10 * MINUTE,
    }));
    const keys = pins.map(({ authorizationSessionKey }) => authorizationSessionKey);
    for (const pin of pins.slice(0, 3)) await store.pins.create(pin);
    advance(HOUR);

    for (const pin of pins.slice(3)) await expect(store.pins.create(pin)).rejects.toThrow(StoreUnavailable);
    const found = await Promise.all(keys.map((key) => store.pins.read(key)));
    expect(found).toEqual([...pins.slice(0, 3), undefined]);
    advance(23 * HOUR);
    for (const pin of pins.slice(3)) expect(await store.pins.create(pin)).toEqual({ kind: 'created' });
  });

  it('refuses a further attempt, and lets those that are there go on [SB-22]', async () => {
    const { store, advance } = createHarness({ attempts: THREE });
    const [user, key] = [aUser(), aHash()];
    const [first, second] = [{ mayHaveBound: true }, { mayHaveBound: false }];
    await store.attempts.compareAndSet(key, user, undefined, first);
    for (let count = 0; count < 2; count += 1) {
      await store.attempts.compareAndSet(aHash(), aUser(), undefined, first);
    }
    await expect(store.attempts.compareAndSet(aHash(), aUser(), undefined, first)).rejects.toThrow(
      StoreUnavailable,
    );
    expect(await store.attempts.compareAndSet(key, user, first, second)).toBe('written');
    expect(await store.attempts.read(key, user)).toEqual(second);
    advance(24 * HOUR);
    expect(await store.attempts.compareAndSet(aHash(), aUser(), undefined, first)).toBe('written');
  });

  it('refuses a further completion and keeps those it has [SB-22]', async () => {
    const { store } = createHarness({ completions: THREE });
    const keys = [aHash(), aHash(), aHash()];
    const user = aUser();
    for (const key of keys) await store.completions.record(key, user);
    await expect(store.completions.record(aHash(), user)).rejects.toThrow(StoreUnavailable);
    const found = await Promise.all(keys.map((key) => store.completions.read(key)));
    expect(found).toEqual([user, user, user]);
  });

  it('lets the browser session go that would expire soonest [SB-22]', async () => {
    const { store, nowMs } = createHarness({ browserSessions: THREE });
    const idHashes = [aHash(), aHash(), aHash(), aHash()];
    for (const [index, idHash] of idHashes.entries()) {
      const browserSession = {
        user: aUser(),
        createdAtMs: nowMs(),
        lineage: aHash(),
        tokenExpiresAtMs: nowMs() + HOUR,
        provisional: false,
      };
      const hours = [3, 1, 2, 4][index] ?? 0;
      await store.browserSessions.write(idHash, browserSession, nowMs() + hours * HOUR);
    }
    const found = await Promise.all(idHashes.map((idHash) => store.browserSessions.read(idHash)));
    expect(found.map((one) => one !== undefined)).toEqual([true, false, true, true]);
  });

  it('lets the user token go that would expire soonest, but none that a live pin names [SB-13] [SB-22]', async () => {
    const { store, nowMs } = createHarness({ userTokens: THREE });
    const pinned = aUserToken(aUser(), nowMs() + HOUR);
    const soonest = aUserToken(aUser(), nowMs() + 2 * HOUR);
    const others = Array.from({ length: 3 }, () => aUserToken(aUser(), nowMs() + 3 * HOUR));
    await store.userTokens.write(pinned, nowMs() + 10 * MINUTE);
    for (const userToken of [soonest, ...others]) await store.userTokens.write(userToken);

    const found = await Promise.all(
      [pinned, soonest, ...others].map(({ user, fingerprint }) => store.userTokens.read(user, fingerprint)),
    );
    expect(found.map((one) => one !== undefined)).toEqual([true, false, true, true, true]);
  });

  it('refuses to pin a further user token, and then keeps nothing of it [SB-13] [SB-22]', async () => {
    const { store, nowMs } = createHarness({ pinnedUserTokens: THREE });
    const written = Array.from({ length: 3 }, () => aUserToken(aUser(), nowMs() + HOUR));
    for (const userToken of written) await store.userTokens.write(userToken, nowMs() + 10 * MINUTE);
    const refused = aUserToken(aUser(), nowMs() + HOUR);
    await expect(store.userTokens.write(refused, nowMs() + 10 * MINUTE)).rejects.toThrow(StoreUnavailable);

    expect(await store.userTokens.list(refused.user)).toEqual([]);
    for (const { user, fingerprint } of written) {
      expect(await store.userTokens.read(user, fingerprint)).toBeDefined();
    }
  });

  it('lets the sign-in code go that would expire soonest [SB-22]', async () => {
    const { store, nowMs } = createHarness({ signInCodes: THREE });
    const codes = [aHash(), aHash(), aHash(), aHash()];
    const candidate = { user: aUser(), tokenExpiresAtMs: nowMs() + HOUR };
    for (const [index, code] of codes.entries()) {
      await store.signInCodes.writeCode(code, candidate, nowMs() + (index + 1) * MINUTE);
    }
    const found = await Promise.all(codes.map((code) => store.signInCodes.readCode(code)));
    expect(found.map((one) => one !== undefined)).toEqual([false, true, true, true]);
  });

  it('forgets whose records they were: ever new users make no index grow [SB-22]', async () => {
    const budget = { maxEntries: 200, maxBytes: 10 * 1024 * 1024 };
    const { store, nowMs, advance } = createHarness({
      pins: budget,
      attempts: budget,
      browserSessions: budget,
      userTokens: budget,
      pinnedUserTokens: budget,
    });
    const flood = async (days: number) => {
      for (let day = 0; day < days; day += 1) {
        for (let count = 0; count < 200; count += 1) {
          const user = aUser();
          const key = aHash();
          const userToken = aUserToken(user, nowMs() + HOUR);
          const liveUntilMs = nowMs() + 10 * MINUTE;
          const tokenExpiresAtMs = userToken.expiresAtMs;
          const { fingerprint: tokenFingerprint } = userToken;
          await store.pins.create({
            authorizationSessionKey: key,
            user,
            tokenFingerprint,
            tokenExpiresAtMs,
            liveUntilMs,
          });
          await store.attempts.compareAndSet(key, user, undefined, { mayHaveBound: true });
          await store.userTokens.write(userToken, liveUntilMs);
          const browserSession = {
            user,
            createdAtMs: nowMs(),
            lineage: aHash(),
            tokenExpiresAtMs,
            provisional: false,
          };
          await store.browserSessions.write(key, browserSession, nowMs() + HOUR);
        }
        advance(24 * HOUR);
      }
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const heapBefore = await flood(2);
    // 12,000 users left behind in one index are about 5 MiB.
    expect((await flood(60)) - heapBefore).toBeLessThan(3 * 1024 * 1024);
  });
});
