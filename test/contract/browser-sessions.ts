import { describe, expect, it } from 'vitest';
import type { User } from '../../src/binding/user.ts';
import type { BrowserSession } from '../../src/session/browser-session.ts';
import type { Store } from '../../src/store/store.ts';
import {
  aHash,
  aUser,
  type CreateHarness,
  HOUR,
  MINUTE,
  race,
  SECOND,
  type StoreHarness,
} from './harness.ts';

function aBrowserSession(user: User, nowMs: number, provisional = false): BrowserSession {
  return {
    user,
    username: 'A Name',
    createdAtMs: nowMs,
    lineage: aHash(),
    tokenExpiresAtMs: nowMs + HOUR,
    provisional,
  };
}

/** Signs in a new browser, a second after the last one; gives the hash of its cookie's id. */
async function signIn(
  { store, nowMs, advance }: StoreHarness,
  user: User,
  provisional = false,
): Promise<string> {
  advance(SECOND);
  const idHash = aHash();
  await store.browserSessions.write(idHash, aBrowserSession(user, nowMs(), provisional), nowMs() + HOUR);
  return idHash;
}

async function live(store: Store, idHashes: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(idHashes.map((idHash) => store.browserSessions.read(idHash)));
  return idHashes.filter((_, index) => found[index] !== undefined);
}

export function describeBrowserSessions(createHarness: CreateHarness): void {
  describe('browser sessions', () => {
    it("are read back whole, by the hash of the cookie's id", async () => {
      const { store, replica, nowMs } = await createHarness();
      const { username: _, ...nameless } = aBrowserSession(aUser(), nowMs(), true);
      for (const browserSession of [aBrowserSession(aUser(), nowMs()), nameless]) {
        const idHash = aHash();
        await store.browserSessions.write(idHash, browserSession, nowMs() + HOUR);
        expect(await replica.browserSessions.read(idHash)).toEqual(browserSession);
      }
      expect(await store.browserSessions.read(aHash())).toBeUndefined();
    });

    it('are never handed out after their expiry', async () => {
      const { store, nowMs, advance } = await createHarness();
      const idHash = aHash();
      await store.browserSessions.write(idHash, aBrowserSession(aUser(), nowMs()), nowMs() + HOUR);
      advance(HOUR - SECOND);
      expect(await store.browserSessions.read(idHash)).toBeDefined();
      advance(SECOND);
      expect(await store.browserSessions.read(idHash)).toBeUndefined();
    });

    it('end one by one, on every replica', async () => {
      const harness = await createHarness();
      const { store, replica } = harness;
      const user = aUser();
      const [ended, going] = [await signIn(harness, user), await signIn(harness, user)];
      await replica.browserSessions.remove(ended);
      await replica.browserSessions.remove(aHash());
      expect(await live(store, [ended, going])).toEqual([going]);
    });

    it('end all at once for their user, and for nobody else', async () => {
      const harness = await createHarness();
      const { store, replica } = harness;
      const user = aUser();
      const ended = [await signIn(harness, user), await signIn(harness, user, true)];
      const others = await signIn(harness, aUser());
      await replica.browserSessions.removeAll(user);
      await replica.browserSessions.removeAll(user);

      expect(await live(store, [...ended, others])).toEqual([others]);
      const again = await signIn(harness, user);
      expect(await live(store, [...ended, again])).toEqual([again]);
    });

    it('are at most eight a user: the oldest goes for the ninth, and no other user loses one [SB-22]', async () => {
      const harness = await createHarness();
      const user = aUser();
      const others = await signIn(harness, aUser());
      const idHashes: string[] = [];
      for (let count = 0; count < 10; count += 1) idHashes.push(await signIn(harness, user));
      expect(await live(harness.store, [others, ...idHashes])).toEqual([others, ...idHashes.slice(2)]);
    });

    it('go provisional ones first, then the oldest, and never the one just made [SB-22]', async () => {
      const harness = await createHarness();
      const { store } = harness;
      const user = aUser();
      const real = [await signIn(harness, user), await signIn(harness, user)];
      const provisional: string[] = [];
      for (let count = 0; count < 6; count += 1) provisional.push(await signIn(harness, user, true));
      const next = await signIn(harness, user);
      expect(await live(store, [...real, ...provisional, next])).toEqual([
        ...real,
        ...provisional.slice(1),
        next,
      ]);

      const more: string[] = [];
      for (let count = 0; count < 8; count += 1) more.push(await signIn(harness, user));
      expect(await live(store, [...real, ...provisional, next, ...more])).toEqual(more);
      const last = await signIn(harness, user, true);
      expect(await live(store, [...more, last])).toEqual([...more.slice(1), last]);
    });

    it('are eight a user however many browsers sign in at once [SB-22]', async () => {
      const harness = await createHarness();
      const user = aUser();
      const idHashes = Array.from({ length: 30 }, aHash);
      await race(harness, 30, (store, index) =>
        store.browserSessions.write(
          idHashes[index] ?? '',
          aBrowserSession(user, harness.nowMs()),
          harness.nowMs() + HOUR,
        ),
      );
      expect(await live(harness.store, idHashes)).toHaveLength(8);
      await harness.store.browserSessions.removeAll(user);
      expect(await live(harness.replica, idHashes)).toEqual([]);
    });

    it('do not count against the eight once they have expired', async () => {
      const harness = await createHarness();
      const { store, nowMs, advance } = harness;
      const user = aUser();
      const first = await signIn(harness, user);
      for (let count = 0; count < 7; count += 1) {
        await store.browserSessions.write(aHash(), aBrowserSession(user, nowMs(), true), nowMs() + MINUTE);
      }
      advance(MINUTE);
      const second = await signIn(harness, user);
      expect(await live(store, [first, second])).toEqual([first, second]);
    });

    it('are replaced while they last: same id, new record, new expiry', async () => {
      const harness = await createHarness();
      const { store, replica, nowMs, advance } = harness;
      const user = aUser();
      const idHash = aHash();
      const provisional = aBrowserSession(user, nowMs(), true);
      await store.browserSessions.write(idHash, provisional, nowMs() + 10 * MINUTE);
      const confirmed = { ...provisional, provisional: false };
      expect(await replica.browserSessions.replace(idHash, confirmed, nowMs() + HOUR)).toBe(true);

      expect(await store.browserSessions.read(idHash)).toEqual(confirmed);
      advance(30 * MINUTE);
      expect(await store.browserSessions.read(idHash)).toEqual(confirmed);
      const later: string[] = [];
      for (let count = 0; count < 7; count += 1) later.push(await signIn(harness, user));
      expect(await live(store, [idHash, ...later])).toEqual([idHash, ...later]);
    });

    it('that have ended are not replaced: a sign-out stands [SB-05]', async () => {
      const harness = await createHarness();
      const { store, nowMs, advance } = harness;
      const user = aUser();
      const ended = await signIn(harness, user);
      const removed = await signIn(harness, user);
      const expired = aHash();
      await store.browserSessions.remove(removed);
      await store.browserSessions.removeAll(user);
      await store.browserSessions.write(expired, aBrowserSession(user, nowMs()), nowMs() + MINUTE);
      advance(MINUTE);

      for (const idHash of [ended, removed, expired, aHash()]) {
        const browserSession = aBrowserSession(user, nowMs());
        expect(await store.browserSessions.replace(idHash, browserSession, nowMs() + HOUR)).toBe(false);
        expect(await store.browserSessions.read(idHash)).toBeUndefined();
      }
    });
  });
}
