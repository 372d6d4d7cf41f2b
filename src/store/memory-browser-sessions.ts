import type { Clock } from '../binding/clock.ts';
import { StoreUnavailable } from '../binding/ports.ts';
import {
  type BrowserSession,
  type BrowserSessionStore,
  keepingRank,
  MAX_BROWSER_SESSIONS_PER_USER,
} from '../session/browser-session.ts';
import { type MemoryBudget, MemoryTable } from './memory-table.ts';
import { UserIndex } from './user-index.ts';

export function createMemoryBrowserSessions(clock: Clock, budget: MemoryBudget): BrowserSessionStore {
  const keysOf = new UserIndex();
  const table = new MemoryTable<BrowserSession>({
    clock,
    budget,
    whenFull: 'evict',
    bytesOf: ({ user, username, lineage }) =>
      user.issuer.length + user.subject.length + (username?.length ?? 0) + lineage.length,
    onRemoved: (key, { user }) => keysOf.remove(user, key),
  });

  return {
    async read(idHash) {
      return table.get(idHash);
    },
    async write(idHash, browserSession, expiresAtMs) {
      set(idHash, browserSession, expiresAtMs);
      const others = keysOf.keys(browserSession.user).filter((key) => key !== idHash);
      if (others.length >= MAX_BROWSER_SESSIONS_PER_USER) table.delete(firstToGo(others));
    },
    async replace(idHash, browserSession, expiresAtMs) {
      if (table.get(idHash) === undefined) return false;
      set(idHash, browserSession, expiresAtMs);
      return true;
    },
    async remove(idHash) {
      table.delete(idHash);
    },
    async removeAll(user) {
      for (const key of keysOf.keys(user)) table.delete(key);
    },
  };

  function set(idHash: string, browserSession: BrowserSession, expiresAtMs: number): void {
    if (!table.set(idHash, browserSession, expiresAtMs)) {
      throw new StoreUnavailable('browser sessions are full');
    }
    keysOf.add(browserSession.user, idHash);
  }

  function firstToGo(keys: readonly string[]): string {
    const rank = (key: string) => {
      const found = table.get(key);
      return found === undefined ? 0 : keepingRank(found);
    };
    return keys.reduce((first, key) => (rank(key) < rank(first) ? key : first));
  }
}
