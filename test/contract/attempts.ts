import { describe, expect, it } from 'vitest';
import { type Attempt, claimAttempt, settleAttempt } from '../../src/binding/attempt.ts';
import type { User } from '../../src/binding/user.ts';
import { aHash, aUser, type CreateHarness, HOUR, race, SECOND, type StoreHarness } from './harness.ts';

function claimed({ nowMs }: StoreHarness, holder: string, before?: Attempt): Attempt {
  const attempt = claimAttempt(before, holder, nowMs());
  if (attempt === undefined) throw new Error('somebody holds the claim');
  return attempt;
}

const DENIED: Attempt = { mayHaveBound: false, ended: 'consent_denied' };

/** Begins that many attempts of one user, not so many at once that a slow machine would run into a time limit. */
async function begin(harness: StoreHarness, user: User, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 50) {
    await race(harness, Math.min(left, 50), (store) =>
      store.attempts.compareAndSet(aHash(), user, undefined, DENIED),
    );
  }
}

export function describeAttempts(createHarness: CreateHarness): void {
  describe('attempts', () => {
    it('are read back whole, by authorization session and user', async () => {
      const harness = await createHarness();
      const { store, replica } = harness;
      const [key, user] = [aHash(), aUser()];
      expect(await store.attempts.read(key, user)).toBeUndefined();
      const claim = claimed(harness, 'one');
      for (const [found, next] of [
        [undefined, claim],
        [claim, { mayHaveBound: true }],
        [{ mayHaveBound: true }, { mayHaveBound: true, ended: 'outcome_unknown' }],
      ] as const) {
        expect(await store.attempts.compareAndSet(key, user, found, next)).toBe('written');
        expect(await replica.attempts.read(key, user)).toEqual(next);
      }
      expect(await store.attempts.read(key, aUser())).toBeUndefined();
      expect(await store.attempts.read(aHash(), user)).toBeUndefined();
    });

    it('of one user are not touched by those of another on the same session [SB-09]', async () => {
      const harness = await createHarness();
      const { store } = harness;
      const [key, user, stranger] = [aHash(), aUser(), aUser()];
      await store.attempts.compareAndSet(key, stranger, undefined, claimed(harness, 'stranger'));

      const mine = claimed(harness, 'mine');
      expect(await store.attempts.compareAndSet(key, user, undefined, mine)).toBe('written');
      expect(await store.attempts.read(key, user)).toEqual(mine);
    });

    it('are written only over exactly what the writer has seen [SB-08]', async () => {
      const harness = await createHarness();
      const { store, replica } = harness;
      const [key, user] = [aHash(), aUser()];
      const claim = claimed(harness, 'holder');
      const next: Attempt = { mayHaveBound: false, ended: 'completed' };
      expect(await store.attempts.compareAndSet(key, user, claim, next)).toBe('conflict');
      expect(await store.attempts.read(key, user)).toBeUndefined();
      await store.attempts.compareAndSet(key, user, undefined, claim);

      for (const seen of [
        undefined,
        DENIED,
        { ...claim, mayHaveBound: true },
        { ...claim, ended: 'completed' as const },
        { mayHaveBound: false },
        claimed(harness, 'another'),
        { ...claim, claim: { holder: 'holder', leaseUntilMs: 1 } },
      ]) {
        expect(await replica.attempts.compareAndSet(key, user, seen, next)).toBe('conflict');
      }
      expect(await store.attempts.read(key, user)).toEqual(claim);
      expect(await replica.attempts.compareAndSet(key, user, { ...claim }, next)).toBe('written');
    });

    it('have exactly one winner among fifty first claims at once [SB-08] [SB-09]', async () => {
      const harness = await createHarness();
      const [key, user] = [aHash(), aUser()];
      const results = await race(harness, 50, (store, index) =>
        store.attempts.compareAndSet(key, user, undefined, claimed(harness, `holder ${index}`)),
      );

      const winner = results.indexOf('written');
      expect(results.filter((result) => result === 'written')).toHaveLength(1);
      expect(results.filter((result) => result === 'conflict')).toHaveLength(49);
      expect((await harness.replica.attempts.read(key, user))?.claim?.holder).toBe(`holder ${winner}`);
    });

    it('have exactly one winner among fifty who take over a lapsed claim at once [SB-08]', async () => {
      const harness = await createHarness();
      const [key, user] = [aHash(), aUser()];
      const lapsed = claimed(harness, 'killed');
      await harness.store.attempts.compareAndSet(key, user, undefined, lapsed);
      harness.advance(20 * SECOND);
      const results = await race(harness, 50, async (store, index) => {
        const found = await store.attempts.read(key, user);
        // Whoever comes so late that he reads the winner's claim does not even try.
        const next = claimAttempt(found, `holder ${index}`, harness.nowMs());
        return next === undefined ? 'held' : store.attempts.compareAndSet(key, user, found, next);
      });

      expect(results.filter((result) => result === 'written')).toHaveLength(1);
      const winner = await harness.store.attempts.read(key, user);
      expect(winner?.claim?.holder).toBe(`holder ${results.indexOf('written')}`);
      expect(winner?.mayHaveBound).toBe(true);
    });

    it('let a holder that has lapsed write nothing over its successor [SB-08]', async () => {
      const harness = await createHarness();
      const { store } = harness;
      const [key, user] = [aHash(), aUser()];
      const lapsed = claimed(harness, 'slow');
      await store.attempts.compareAndSet(key, user, undefined, lapsed);
      harness.advance(20 * SECOND);
      const successor = claimed(harness, 'successor', lapsed);
      await store.attempts.compareAndSet(key, user, lapsed, successor);

      const settled = settleAttempt(lapsed, 'authorization_expired', false);
      expect(await store.attempts.compareAndSet(key, user, lapsed, settled)).toBe('conflict');
      expect(await store.attempts.read(key, user)).toEqual(successor);
    });

    it('are kept for 24 hours after they were written last', async () => {
      const harness = await createHarness();
      const { store, advance } = harness;
      const [key, user] = [aHash(), aUser()];
      const claim = claimed(harness, 'one');
      await store.attempts.compareAndSet(key, user, undefined, claim);
      advance(HOUR);
      await store.attempts.compareAndSet(key, user, claim, DENIED);

      advance(24 * HOUR - SECOND);
      expect(await store.attempts.read(key, user)).toEqual(DENIED);
      advance(SECOND);
      expect(await store.attempts.read(key, user)).toBeUndefined();
      expect(await store.attempts.compareAndSet(key, user, DENIED, claim)).toBe('conflict');
      expect(await store.attempts.compareAndSet(key, user, undefined, claim)).toBe('written');
    });

    it('are at most 512 a user in 24 hours; those he has go on [SB-22]', async () => {
      const harness = await createHarness();
      const { store } = harness;
      const [user, other, known] = [aUser(), aUser(), aHash()];
      await store.attempts.compareAndSet(known, user, undefined, DENIED);
      await begin(harness, user, 511);

      const refused = aHash();
      expect(await store.attempts.compareAndSet(refused, user, undefined, DENIED)).toBe('too_many');
      expect(await store.attempts.read(refused, user)).toBeUndefined();
      const claim = claimed(harness, 'one', DENIED);
      expect(await store.attempts.compareAndSet(known, user, DENIED, claim)).toBe('written');
      expect(await store.attempts.compareAndSet(refused, other, undefined, DENIED)).toBe('written');

      harness.advance(24 * HOUR);
      expect(await store.attempts.compareAndSet(refused, user, undefined, DENIED)).toBe('written');
    });

    it('count on when they have ended: visit after visit does not make room [SB-22]', async () => {
      const harness = await createHarness();
      const { attempts } = harness.store;
      const [user, ended] = [aUser(), aHash()];
      await attempts.compareAndSet(ended, user, undefined, DENIED);
      const claim = claimed(harness, 'one', DENIED);
      expect(await attempts.compareAndSet(ended, user, DENIED, claim)).toBe('written');
      await begin(harness, user, 511);
      expect(await attempts.compareAndSet(aHash(), user, undefined, DENIED)).toBe('too_many');
    });

    it('of pinned flows go on however many others a page has begun in this browser [SB-22]', async () => {
      const harness = await createHarness();
      const { attempts } = harness.store;
      const user = aUser();
      await begin(harness, user, 512);
      expect(await attempts.compareAndSet(aHash(), user, undefined, DENIED, 'unpinned')).toBe('too_many');
      expect(await attempts.compareAndSet(aHash(), user, undefined, DENIED, 'pinned')).toBe('written');
    });

    it('are at most 512 a user however many are made at once [SB-22]', async () => {
      const harness = await createHarness();
      const user = aUser();
      await begin(harness, user, 500);
      const results = await race(harness, 50, (store) =>
        store.attempts.compareAndSet(aHash(), user, undefined, DENIED),
      );
      expect(results.filter((result) => result === 'written')).toHaveLength(12);
      expect(results.filter((result) => result === 'too_many')).toHaveLength(38);
    });
  });
}
