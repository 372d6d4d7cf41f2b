import type { Clock } from '../binding/clock.ts';
import { StoreUnavailable, type UserTokenStore } from '../binding/ports.ts';
import { type User, userKey } from '../binding/user.ts';
import type { UserToken } from '../binding/user-token.ts';
import { MAX_USER_TOKENS_PER_USER } from './limits.ts';
import { type MemoryBudget, MemoryTable } from './memory-table.ts';
import { UserIndex } from './user-index.ts';

interface Kept {
  readonly userToken: UserToken;
  /** Counts the writes: the newest has the highest. */
  readonly writeNumber: number;
}

interface KeptForPin extends Kept {
  readonly untilMs: number;
}

/**
 * Two tables: what every user may have (newest eight, soonest to expire leaves first), and what live pins name,
 * which nothing pushes out (SB-13). A pinned token stands in both.
 */
export function createMemoryUserTokens(
  clock: Clock,
  recentBudget: MemoryBudget,
  pinnedBudget: MemoryBudget,
): UserTokenStore {
  const bytesOf = ({ userToken: { user, jwt, username } }: Kept) =>
    jwt.reveal().length + user.issuer.length + user.subject.length + (username?.length ?? 0);
  const recentOf = new UserIndex();
  const pinnedOf = new UserIndex();
  const recent = new MemoryTable<Kept>({
    clock,
    budget: recentBudget,
    whenFull: 'evict',
    bytesOf,
    onRemoved: (key, { userToken }) => recentOf.remove(userToken.user, key),
  });
  const pinned = new MemoryTable<KeptForPin>({
    clock,
    budget: pinnedBudget,
    whenFull: 'refuse',
    bytesOf,
    onRemoved: (key, { userToken }) => pinnedOf.remove(userToken.user, key),
  });
  let writes = 0;
  const keyOf = (user: User, fingerprint: string) => `${userKey(user)} ${fingerprint}`;

  return {
    async write(userToken, pinnedUntilMs) {
      const { user, fingerprint, expiresAtMs } = userToken;
      const key = keyOf(user, fingerprint);
      const kept: Kept = { userToken, writeNumber: (writes += 1) };
      if (pinnedUntilMs !== undefined) {
        // An earlier pin of this token may be the one that lives longer.
        const untilMs = Math.max(Math.min(pinnedUntilMs, expiresAtMs), pinned.get(key)?.untilMs ?? 0);
        if (!pinned.set(key, { ...kept, untilMs }, untilMs)) {
          throw new StoreUnavailable('pinned user tokens are full');
        }
        pinnedOf.add(user, key);
      }
      if (!recent.set(key, kept, expiresAtMs)) throw new StoreUnavailable('user tokens are full');
      recentOf.add(user, key);
      for (const oldest of recentOf.oldestBeyond(user, MAX_USER_TOKENS_PER_USER)) recent.delete(oldest);
    },
    async read(user, fingerprint) {
      const key = keyOf(user, fingerprint);
      return (recent.get(key) ?? pinned.get(key))?.userToken;
    },
    async list(user) {
      const keys = new Set([...recentOf.keys(user), ...pinnedOf.keys(user)]);
      return [...keys]
        .map((key) => recent.get(key) ?? pinned.get(key))
        .filter((kept) => kept !== undefined)
        .toSorted((a, b) => b.writeNumber - a.writeNumber)
        .map(({ userToken }) => userToken);
    },
    async removeAll(user) {
      for (const key of recentOf.keys(user)) recent.delete(key);
      for (const key of pinnedOf.keys(user)) pinned.delete(key);
    },
  };
}
