import { describe, expect, it } from 'vitest';
import { aHash, aUser, type CreateHarness, HOUR, race, SECOND } from './harness.ts';

export function describeCompletions(createHarness: CreateHarness): void {
  describe('completions', () => {
    it('name the user who completed an authorization session', async () => {
      const { store, replica } = await createHarness();
      const [key, user] = [aHash(), aUser()];
      expect(await store.completions.read(key)).toBeUndefined();
      await store.completions.record(key, user);
      expect(await replica.completions.read(key)).toEqual(user);
      expect(await store.completions.read(aHash())).toBeUndefined();
    });

    it('stay the first one [SB-08]', async () => {
      const { store, replica } = await createHarness();
      const [key, user] = [aHash(), aUser()];
      await store.completions.record(key, user);
      await replica.completions.record(key, aUser());
      expect(await store.completions.read(key)).toEqual(user);
    });

    it('name one user when many are recorded at once, and everybody reads the same [SB-08]', async () => {
      const harness = await createHarness();
      const key = aHash();
      const users = Array.from({ length: 50 }, aUser);
      const seen = await race(harness, 50, async (store, index) => {
        await store.completions.record(key, users[index] ?? aUser());
        return store.completions.read(key);
      });
      expect(new Set(seen.map((user) => user?.subject)).size).toBe(1);
      expect(users).toContainEqual(seen[0]);
    });

    it('are kept for 24 hours', async () => {
      const { store, advance } = await createHarness();
      const [key, user, later] = [aHash(), aUser(), aUser()];
      await store.completions.record(key, user);
      advance(24 * HOUR - SECOND);
      expect(await store.completions.read(key)).toEqual(user);
      advance(SECOND);
      expect(await store.completions.read(key)).toBeUndefined();
      await store.completions.record(key, later);
      expect(await store.completions.read(key)).toEqual(later);
    });
  });
}
