import type { Clock } from '../binding/clock.ts';
import { createMemoryAttempts } from './memory-attempts.ts';
import { createMemoryBrowserSessions } from './memory-browser-sessions.ts';
import { createMemoryCompletions } from './memory-completions.ts';
import { createMemoryPins } from './memory-pins.ts';
import { createMemorySignInCodes } from './memory-sign-in-codes.ts';
import type { MemoryBudget } from './memory-table.ts';
import { createMemoryUserTokens } from './memory-user-tokens.ts';
import type { Store } from './store.ts';

/** One budget per kind of record (contract §8). */
export interface MemoryBudgets {
  readonly browserSessions: MemoryBudget;
  readonly userTokens: MemoryBudget;
  readonly pinnedUserTokens: MemoryBudget;
  readonly pins: MemoryBudget;
  readonly attempts: MemoryBudget;
  readonly completions: MemoryBudget;
  readonly signInCodes: MemoryBudget;
}

const MEBIBYTE = 1024 * 1024;

export const DEFAULT_MEMORY_BUDGETS: MemoryBudgets = {
  browserSessions: { maxEntries: 100_000, maxBytes: 96 * MEBIBYTE },
  userTokens: { maxEntries: 50_000, maxBytes: 192 * MEBIBYTE },
  pinnedUserTokens: { maxEntries: 50_000, maxBytes: 192 * MEBIBYTE },
  pins: { maxEntries: 200_000, maxBytes: 192 * MEBIBYTE },
  attempts: { maxEntries: 200_000, maxBytes: 128 * MEBIBYTE },
  completions: { maxEntries: 100_000, maxBytes: 64 * MEBIBYTE },
  signInCodes: { maxEntries: 1_000, maxBytes: 4 * MEBIBYTE },
};

/** All records in this process: for one replica, gone with it. Passes the same contract suite as every store. */
export function createMemoryStore(clock: Clock, budgets: MemoryBudgets = DEFAULT_MEMORY_BUDGETS): Store {
  return {
    userTokens: createMemoryUserTokens(clock, budgets.userTokens, budgets.pinnedUserTokens),
    pins: createMemoryPins(clock, budgets.pins),
    attempts: createMemoryAttempts(clock, budgets.attempts),
    completions: createMemoryCompletions(clock, budgets.completions),
    browserSessions: createMemoryBrowserSessions(clock, budgets.browserSessions),
    signInCodes: createMemorySignInCodes(clock, budgets.signInCodes),
    works: async () => true,
    close: async () => undefined,
  };
}
