import type { Clock } from '../binding/clock.ts';
import { type CompletionStore, StoreUnavailable } from '../binding/ports.ts';
import type { User } from '../binding/user.ts';
import { COMPLETION_KEPT_MS } from './limits.ts';
import { type MemoryBudget, MemoryTable } from './memory-table.ts';

export function createMemoryCompletions(clock: Clock, budget: MemoryBudget): CompletionStore {
  const table = new MemoryTable<User>({
    clock,
    budget,
    whenFull: 'refuse',
    bytesOf: (user) => user.issuer.length + user.subject.length,
  });

  return {
    async read(session) {
      return table.get(session);
    },
    async record(session, user) {
      if (table.get(session) !== undefined) return;
      if (!table.set(session, user, clock.nowMs() + COMPLETION_KEPT_MS)) {
        throw new StoreUnavailable('completions are full');
      }
    },
  };
}
