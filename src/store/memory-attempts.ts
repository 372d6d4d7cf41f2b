import { ATTEMPT_KEPT_MS, type Attempt, isSameAttempt } from '../binding/attempt.ts';
import type { Clock } from '../binding/clock.ts';
import { type AttemptStore, StoreUnavailable } from '../binding/ports.ts';
import { type User, userKey } from '../binding/user.ts';
import { MAX_ATTEMPTS_PER_USER } from './limits.ts';
import { type MemoryBudget, MemoryTable } from './memory-table.ts';
import { UserIndex } from './user-index.ts';

export function createMemoryAttempts(clock: Clock, budget: MemoryBudget): AttemptStore {
  const keysOf = new UserIndex();
  const table = new MemoryTable<{
    readonly user: User;
    readonly attempt: Attempt;
    readonly isCounted: boolean;
  }>({
    clock,
    budget,
    whenFull: 'refuse',
    bytesOf: ({ user }) => user.issuer.length + user.subject.length + 100,
    onRemoved: (key, { user }) => keysOf.remove(user, key),
  });
  const keyOf = (session: string, user: User) => `${session} ${userKey(user)}`;

  return {
    async read(session, user) {
      return table.get(keyOf(session, user))?.attempt;
    },
    // No await between the comparison and the write: in one process that is the atomic command (SB-08).
    async compareAndSet(session, user, expected, next, kind = 'unpinned') {
      table.dropExpired();
      const key = keyOf(session, user);
      const found = table.get(key);
      if (!isSameAttempt(found?.attempt, expected)) return 'conflict';
      const isNew = found === undefined;
      const isCounted = found?.isCounted ?? kind === 'unpinned';
      if (isNew && isCounted && keysOf.count(user) >= MAX_ATTEMPTS_PER_USER) return 'too_many';
      if (!table.set(key, { user, attempt: next, isCounted }, clock.nowMs() + ATTEMPT_KEPT_MS)) {
        throw new StoreUnavailable('attempts are full');
      }
      // Also when it was written over, which takes the former one out of the index: a quota that counts only what has not
      // ended yet is none (SB-22).
      if (isCounted) keysOf.add(user, key);
      return 'written';
    },
  };
}
