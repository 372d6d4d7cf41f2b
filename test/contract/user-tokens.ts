import { describe, expect, it } from 'vitest';
import type { UserToken } from '../../src/binding/user-token.ts';
import { aUser, aUserToken, type CreateHarness, HOUR, MINUTE, race, SECOND } from './harness.ts';

const fingerprints = (userTokens: readonly UserToken[]) => userTokens.map(({ fingerprint }) => fingerprint);

export function describeUserTokens(createHarness: CreateHarness): void {
  describe('user tokens', () => {
    it('are read back whole, by their user and fingerprint only', async () => {
      const { store, replica, nowMs } = await createHarness();
      const user = aUser();
      const { username: _, ...nameless } = aUserToken(user, nowMs() + HOUR);
      for (const userToken of [aUserToken(user, nowMs() + HOUR), nameless]) {
        await store.userTokens.write(userToken);

        const read = await replica.userTokens.read(user, userToken.fingerprint);
        expect(read).toEqual(userToken);
        expect(read?.jwt.reveal()).toBe(userToken.jwt.reveal());
        expect(await store.userTokens.read(aUser(), userToken.fingerprint)).toBeUndefined();
        expect(await store.userTokens.read({ ...user, issuer: 'x' }, userToken.fingerprint)).toBeUndefined();
      }
      expect(await store.userTokens.read(user, 'another')).toBeUndefined();
    });

    it('are never overwritten by another of the same user [SB-13]', async () => {
      const { store, nowMs } = await createHarness();
      const user = aUser();
      const first = aUserToken(user, nowMs() + HOUR);
      await store.userTokens.write(first);
      await store.userTokens.write(aUserToken(user, nowMs() + HOUR));

      expect((await store.userTokens.read(user, first.fingerprint))?.jwt.reveal()).toBe(first.jwt.reveal());
    });

    it('are listed newest first, whatever their expiry and pins', async () => {
      const { store, nowMs } = await createHarness();
      const user = aUser();
      const written = [4, 1, 3, 2].map((hours) => aUserToken(user, nowMs() + hours * HOUR));
      for (const [index, userToken] of written.entries()) {
        await store.userTokens.write(userToken, index % 2 === 1 ? nowMs() + 10 * MINUTE : undefined);
      }

      expect(fingerprints(await store.userTokens.list(user))).toEqual(fingerprints(written.toReversed()));
      expect(await store.userTokens.list(aUser())).toEqual([]);
    });

    it('become the newest when they are written again', async () => {
      const { store, nowMs } = await createHarness();
      const user = aUser();
      const [first, second] = [aUserToken(user, nowMs() + HOUR), aUserToken(user, nowMs() + HOUR)];
      for (const userToken of [first, second, first]) await store.userTokens.write(userToken);

      expect(fingerprints(await store.userTokens.list(user))).toEqual(fingerprints([first, second]));
    });

    it('are kept to the newest eight a user, and one user pushes out no other [SB-22]', async () => {
      const { store, nowMs } = await createHarness();
      const [user, other] = [aUser(), aUser()];
      const others = aUserToken(other, nowMs() + HOUR);
      await store.userTokens.write(others);
      const written = Array.from({ length: 12 }, () => aUserToken(user, nowMs() + HOUR));
      for (const userToken of written) await store.userTokens.write(userToken);

      expect(fingerprints(await store.userTokens.list(user))).toEqual(
        fingerprints(written.slice(-8).toReversed()),
      );
      expect(await store.userTokens.read(user, written[3]?.fingerprint ?? '')).toBeUndefined();
      expect(fingerprints(await store.userTokens.list(other))).toEqual([others.fingerprint]);
    });

    it('are eight a user however many arrive at once [SB-22]', async () => {
      const harness = await createHarness();
      const user = aUser();
      await race(harness, 30, (store) => store.userTokens.write(aUserToken(user, harness.nowMs() + HOUR)));
      expect(await harness.store.userTokens.list(user)).toHaveLength(8);
    });

    it('do not count against the eight once they have expired', async () => {
      const { store, nowMs, advance } = await createHarness();
      const user = aUser();
      const lasting = aUserToken(user, nowMs() + HOUR);
      await store.userTokens.write(lasting);
      for (let count = 0; count < 7; count += 1) {
        await store.userTokens.write(aUserToken(user, nowMs() + MINUTE));
      }
      advance(MINUTE);
      await store.userTokens.write(aUserToken(user, nowMs() + HOUR));

      expect(await store.userTokens.list(user)).toHaveLength(2);
      expect(await store.userTokens.read(user, lasting.fingerprint)).toBeDefined();
    });

    it('are kept beside the newest eight while a live pin names them, and no longer [SB-13]', async () => {
      const { store, nowMs, advance } = await createHarness();
      const user = aUser();
      const pinned = aUserToken(user, nowMs() + HOUR);
      await store.userTokens.write(pinned, nowMs() + 10 * MINUTE);
      const newer = Array.from({ length: 9 }, () => aUserToken(user, nowMs() + HOUR));
      for (const userToken of newer) await store.userTokens.write(userToken);

      advance(10 * MINUTE - SECOND);
      expect(await store.userTokens.read(user, pinned.fingerprint)).toBeDefined();
      expect(fingerprints(await store.userTokens.list(user))).toEqual(
        fingerprints([...newer.slice(1).toReversed(), pinned]),
      );
      advance(SECOND);
      expect(await store.userTokens.read(user, pinned.fingerprint)).toBeUndefined();
      expect(await store.userTokens.list(user)).toHaveLength(8);
    });

    it('stay pinned as long as the longest pin says, also when they are written again [SB-13]', async () => {
      const { store, nowMs, advance } = await createHarness();
      const user = aUser();
      const pinned = aUserToken(user, nowMs() + HOUR);
      await store.userTokens.write(pinned, nowMs() + 10 * MINUTE);
      await store.userTokens.write(pinned, nowMs() + MINUTE);
      await store.userTokens.write(pinned);
      for (let count = 0; count < 9; count += 1) {
        await store.userTokens.write(aUserToken(user, nowMs() + HOUR));
      }

      advance(10 * MINUTE - SECOND);
      expect(await store.userTokens.read(user, pinned.fingerprint)).toBeDefined();
    });

    it('are never handed out after their exp, pinned or not', async () => {
      const { store, nowMs, advance } = await createHarness();
      const user = aUser();
      const [plain, pinned] = [aUserToken(user, nowMs() + MINUTE), aUserToken(user, nowMs() + MINUTE)];
      await store.userTokens.write(plain);
      await store.userTokens.write(pinned, nowMs() + 10 * MINUTE);
      advance(MINUTE - SECOND);
      expect(await store.userTokens.list(user)).toHaveLength(2);
      advance(SECOND);

      expect(await store.userTokens.list(user)).toEqual([]);
      expect(await store.userTokens.read(user, plain.fingerprint)).toBeUndefined();
      expect(await store.userTokens.read(user, pinned.fingerprint)).toBeUndefined();
    });

    it('are all forgotten by removeAll, pinned ones too, and nobody else loses his', async () => {
      const { store, replica, nowMs } = await createHarness();
      const [user, other] = [aUser(), aUser()];
      const pinned = aUserToken(user, nowMs() + HOUR);
      await store.userTokens.write(pinned, nowMs() + 10 * MINUTE);
      for (let count = 0; count < 9; count += 1) {
        await store.userTokens.write(aUserToken(user, nowMs() + HOUR));
      }
      await store.userTokens.write(aUserToken(other, nowMs() + HOUR));
      await replica.userTokens.removeAll(user);

      expect(await store.userTokens.list(user)).toEqual([]);
      expect(await store.userTokens.read(user, pinned.fingerprint)).toBeUndefined();
      expect(await store.userTokens.list(other)).toHaveLength(1);
      await store.userTokens.write(pinned);
      expect(await store.userTokens.list(user)).toHaveLength(1);
    });
  });
}
