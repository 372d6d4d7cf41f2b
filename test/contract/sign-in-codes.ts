import { describe, expect, it } from 'vitest';
import type { User } from '../../src/binding/user.ts';
import type { SignInCandidate } from '../../src/session/sign-in-code.ts';
import { aHash, aUser, type CreateHarness, HOUR, MINUTE, race, SECOND } from './harness.ts';

function aCandidate(user: User, tokenExpiresAtMs: number): SignInCandidate {
  return { user, username: `name of ${user.subject}`, tokenExpiresAtMs };
}

export function describeSignInCodes(createHarness: CreateHarness): void {
  describe('sign-in codes', () => {
    it('can be looked at without being spent, and taken once [SB-04]', async () => {
      const { store, replica, nowMs } = await createHarness();
      const { username: _, ...nameless } = aCandidate(aUser(), nowMs() + HOUR);
      for (const candidate of [aCandidate(aUser(), nowMs() + HOUR), nameless]) {
        const codeHash = aHash();
        await store.signInCodes.writeCode(codeHash, candidate, nowMs() + 10 * MINUTE);
        expect(await replica.signInCodes.readCode(codeHash)).toEqual(candidate);
        expect(await store.signInCodes.readCode(codeHash)).toEqual(candidate);
        expect(await replica.signInCodes.takeCode(codeHash)).toEqual(candidate);
        expect(await store.signInCodes.takeCode(codeHash)).toBeUndefined();
        expect(await store.signInCodes.readCode(codeHash)).toBeUndefined();
      }
      expect(await store.signInCodes.takeCode(aHash())).toBeUndefined();
    });

    it('are given to exactly one of fifty takers at once [SB-04]', async () => {
      const harness = await createHarness();
      const codeHash = aHash();
      const candidate = aCandidate(aUser(), harness.nowMs() + HOUR);
      await harness.store.signInCodes.writeCode(codeHash, candidate, harness.nowMs() + 10 * MINUTE);
      const taken = await race(harness, 50, (store) => store.signInCodes.takeCode(codeHash));
      expect(taken.filter((found) => found !== undefined)).toEqual([candidate]);
    });

    it('are worth nothing after their expiry', async () => {
      const { store, nowMs, advance } = await createHarness();
      const codeHash = aHash();
      await store.signInCodes.writeCode(codeHash, aCandidate(aUser(), nowMs() + HOUR), nowMs() + MINUTE);
      advance(MINUTE - SECOND);
      expect(await store.signInCodes.readCode(codeHash)).toBeDefined();
      advance(SECOND);
      expect(await store.signInCodes.readCode(codeHash)).toBeUndefined();
      expect(await store.signInCodes.takeCode(codeHash)).toBeUndefined();
    });
  });

  describe('sign-in candidates', () => {
    it('are listed newest first, each user once with what was written last', async () => {
      const { store, replica, nowMs } = await createHarness();
      const [anna, bert] = [aCandidate(aUser(), nowMs() + HOUR), aCandidate(aUser(), nowMs() + HOUR)];
      const renamed = { ...anna, username: 'Anna', tokenExpiresAtMs: nowMs() + 2 * HOUR };
      for (const candidate of [anna, bert, renamed]) await store.signInCodes.writeCandidate(candidate);
      expect((await replica.signInCodes.listCandidates()).slice(0, 2)).toEqual([renamed, bert]);
    });

    it('are offered until their token expires, and not beyond [SB-04]', async () => {
      const { store, nowMs, advance } = await createHarness();
      const [short, long] = [aCandidate(aUser(), nowMs() + MINUTE), aCandidate(aUser(), nowMs() + HOUR)];
      await store.signInCodes.writeCandidate(long);
      await store.signInCodes.writeCandidate(short);
      advance(MINUTE);
      const offered = await store.signInCodes.listCandidates();
      expect(offered).toContainEqual(long);
      expect(offered).not.toContainEqual(short);
    });

    it('are the newest twenty, also when many come at once', async () => {
      const harness = await createHarness();
      const { store, nowMs } = harness;
      const candidates = Array.from({ length: 25 }, () => aCandidate(aUser(), nowMs() + HOUR));
      for (const candidate of candidates) await store.signInCodes.writeCandidate(candidate);
      expect(await store.signInCodes.listCandidates()).toEqual(candidates.slice(-20).toReversed());

      await race(harness, 30, (one) => one.signInCodes.writeCandidate(aCandidate(aUser(), nowMs() + HOUR)));
      expect(await store.signInCodes.listCandidates()).toHaveLength(20);
    });

    it('are offered no more once removed', async () => {
      const { store, replica, nowMs } = await createHarness();
      const [gone, staying] = [aCandidate(aUser(), nowMs() + HOUR), aCandidate(aUser(), nowMs() + HOUR)];
      await store.signInCodes.writeCandidate(gone);
      await store.signInCodes.writeCandidate(staying);
      await replica.signInCodes.removeCandidate(gone.user);
      await replica.signInCodes.removeCandidate(aUser());
      const offered = await store.signInCodes.listCandidates();
      expect(offered).toContainEqual(staying);
      expect(offered).not.toContainEqual(gone);
    });
  });
}
