import { ATTEMPT_KEPT_MS, type Attempt, isSameAttempt } from '../binding/attempt.ts';
import type { Clock } from '../binding/clock.ts';
import { type AttemptStore, StoreUnavailable } from '../binding/ports.ts';
import { type User, userKey } from '../binding/user.ts';
import { MAX_ATTEMPTS_PER_USER } from './limits.ts';
import { type MemoryBudget, MemoryTable } from './memory-table.ts';
import { UserIndex } from './user-index.ts';

export function createMemoryAttempts(clock: Clock, budget: MemoryBudget): AttemptStore {
  const keysOf = new UserIndex();
  const table = new MemoryTable<{ readonly user: User; readonly attempt: Attempt }>({
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
      const found = table.get(key)?.attempt;
      if (!isSameAttempt(found, expected)) return 'conflict';
      const isCounted = found === undefined && kind === 'unpinned';
      if (isCounted && keysOf.count(user) >= MAX_ATTEMPTS_PER_USER) return 'too_many';
      if (!table.set(key, { user, attempt: next }, clock.nowMs() + ATTEMPT_KEPT_MS)) {
        throw new StoreUnavailable('attempts are full');
      }
      if (isCounted) keysOf.add(user, key);
      return 'written';
    },
  };
}
