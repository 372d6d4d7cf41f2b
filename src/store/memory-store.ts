import { ATTEMPT_KEPT_MS, type Attempt, isSameAttempt } from '../binding/attempt.ts';
import type { Clock } from '../binding/clock.ts';
import { MAX_LIVE_PINS_PER_USER, type Pin, PIN_KEPT_MS } from '../binding/pin.ts';
import {
  type AttemptStore,
  type CompletionStore,
  type PinStore,
  StoreUnavailable,
  type UserTokenStore,
} from '../binding/ports.ts';
import { isSameUser, type User, userKey } from '../binding/user.ts';
import type { UserToken } from '../binding/user-token.ts';
import {
  type BrowserSession,
  type BrowserSessionStore,
  MAX_BROWSER_SESSIONS_PER_USER,
} from '../session/browser-session.ts';
import {
  MAX_SIGN_IN_CANDIDATES,
  type SignInCandidate,
  type SignInCodeStore,
} from '../session/sign-in-code.ts';
import { type MemoryBudget, MemoryTable } from './memory-table.ts';
import type { Store } from './store.ts';
import { UserIndex } from './user-index.ts';

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

const MAX_USER_TOKENS_PER_USER = 8;
/** In 24 hours: far above any person, far below the table, which one user must not fill (SB-22). */
const MAX_ATTEMPTS_PER_USER = 512;
const COMPLETION_KEPT_MS = 24 * 60 * 60_000;

/** All records in this process: for one replica, gone with it. Passes the same contract suite as every store. */
export function createMemoryStore(clock: Clock, budgets: MemoryBudgets = DEFAULT_MEMORY_BUDGETS): Store {
  return {
    userTokens: createUserTokens(clock, budgets),
    pins: createPins(clock, budgets.pins),
    attempts: createAttempts(clock, budgets.attempts),
    completions: createCompletions(clock, budgets.completions),
    browserSessions: createBrowserSessions(clock, budgets.browserSessions),
    signInCodes: createSignInCodes(clock, budgets.signInCodes),
    works: async () => true,
    close: async () => undefined,
  };
}

// Two tables: what every user may have (newest eight, soonest to expire leaves first), and what live pins name,
// which nothing pushes out (SB-13). A pinned token stands in both.
function createUserTokens(clock: Clock, budgets: MemoryBudgets): UserTokenStore {
  const bytesOf = ({ user, jwt, username }: UserToken) =>
    jwt.reveal().length + user.issuer.length + user.subject.length + (username?.length ?? 0);
  const recentOf = new UserIndex();
  const pinnedOf = new UserIndex();
  const recent = new MemoryTable<UserToken>({
    clock,
    budget: budgets.userTokens,
    whenFull: 'evict',
    bytesOf,
    onRemoved: (key, { user }) => recentOf.remove(user, key),
  });
  const pinned = new MemoryTable<UserToken>({
    clock,
    budget: budgets.pinnedUserTokens,
    whenFull: 'refuse',
    bytesOf,
    onRemoved: (key, { user }) => pinnedOf.remove(user, key),
  });
  const keyOf = (user: User, fingerprint: string) => `${userKey(user)} ${fingerprint}`;

  return {
    async write(userToken, pinnedUntilMs) {
      const { user, fingerprint, expiresAtMs } = userToken;
      const key = keyOf(user, fingerprint);
      if (pinnedUntilMs !== undefined) {
        const untilMs = Math.min(pinnedUntilMs, expiresAtMs);
        if (!pinned.set(key, userToken, untilMs)) throw new StoreUnavailable('pinned user tokens are full');
        pinnedOf.add(user, key);
      }
      if (!recent.set(key, userToken, expiresAtMs)) throw new StoreUnavailable('user tokens are full');
      recentOf.add(user, key);
      for (const oldest of recentOf.oldestBeyond(user, MAX_USER_TOKENS_PER_USER)) recent.delete(oldest);
    },
    async read(user, fingerprint) {
      const key = keyOf(user, fingerprint);
      return recent.get(key) ?? pinned.get(key);
    },
    async list(user) {
      const keys = new Set([...pinnedOf.keys(user), ...recentOf.keys(user)]);
      const userTokens = [...keys].map((key) => recent.get(key) ?? pinned.get(key));
      return userTokens.filter((userToken) => userToken !== undefined).toReversed();
    },
    async removeAll(user) {
      for (const key of recentOf.keys(user)) recent.delete(key);
      for (const key of pinnedOf.keys(user)) pinned.delete(key);
    },
  };
}

function createPins(clock: Clock, budget: MemoryBudget): PinStore {
  const liveOf = new UserIndex();
  const table = new MemoryTable<Pin>({
    clock,
    budget,
    whenFull: 'refuse',
    bytesOf: ({ user, tokenFingerprint }) =>
      user.issuer.length + user.subject.length + tokenFingerprint.length,
    onRemoved: (key, { user }) => liveOf.remove(user, key),
  });

  return {
    async create(pin) {
      const { authorizationSessionKey: key, user } = pin;
      const existing = table.get(key);
      if (existing !== undefined) return { kind: 'exists', pin: existing };
      for (const other of liveOf.keys(user)) {
        if ((table.get(other)?.liveUntilMs ?? 0) <= clock.nowMs()) liveOf.remove(user, other);
      }
      if (liveOf.count(user) >= MAX_LIVE_PINS_PER_USER) return { kind: 'too_many' };
      if (!table.set(key, pin, clock.nowMs() + PIN_KEPT_MS)) throw new StoreUnavailable('pins are full');
      liveOf.add(user, key);
      return { kind: 'created' };
    },
    async read(key) {
      return table.get(key);
    },
    async remove({ authorizationSessionKey }) {
      table.delete(authorizationSessionKey);
    },
  };
}

function createAttempts(clock: Clock, budget: MemoryBudget): AttemptStore {
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
    async compareAndSet(session, user, expected, next) {
      table.dropExpired();
      const key = keyOf(session, user);
      const found = table.get(key)?.attempt;
      if (!isSameAttempt(found, expected)) return 'conflict';
      if (found === undefined && keysOf.count(user) >= MAX_ATTEMPTS_PER_USER) return 'too_many';
      if (!table.set(key, { user, attempt: next }, clock.nowMs() + ATTEMPT_KEPT_MS)) {
        throw new StoreUnavailable('attempts are full');
      }
      keysOf.add(user, key);
      return 'written';
    },
  };
}

function createCompletions(clock: Clock, budget: MemoryBudget): CompletionStore {
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

function createBrowserSessions(clock: Clock, budget: MemoryBudget): BrowserSessionStore {
  const keysOf = new UserIndex();
  const table = new MemoryTable<BrowserSession>({
    clock,
    budget,
    whenFull: 'evict',
    bytesOf: ({ user, username }) => user.issuer.length + user.subject.length + (username?.length ?? 0),
    onRemoved: (key, { user }) => keysOf.remove(user, key),
  });

  return {
    async read(idHash) {
      return table.get(idHash);
    },
    async write(idHash, browserSession, expiresAtMs) {
      const { user } = browserSession;
      const isNew = table.get(idHash) === undefined;
      if (!table.set(idHash, browserSession, expiresAtMs)) {
        throw new StoreUnavailable('browser sessions are full');
      }
      if (!isNew) return;
      const others = keysOf.keys(user);
      if (others.length >= MAX_BROWSER_SESSIONS_PER_USER) {
        const first = others.find((key) => table.get(key)?.provisional) ?? others[0];
        if (first !== undefined) table.delete(first);
      }
      keysOf.add(user, idHash);
    },
    async remove(idHash) {
      table.delete(idHash);
    },
    async removeAll(user) {
      for (const key of keysOf.keys(user)) table.delete(key);
    },
  };
}

function createSignInCodes(clock: Clock, budget: MemoryBudget): SignInCodeStore {
  const bytesOf = ({ user, username }: SignInCandidate) =>
    user.issuer.length + user.subject.length + (username?.length ?? 0);
  const codes = new MemoryTable<SignInCandidate>({ clock, budget, whenFull: 'evict', bytesOf });
  // Oldest first; small enough to be searched.
  let candidates: readonly SignInCandidate[] = [];
  const without = (user: User) =>
    candidates.filter(
      (candidate) => !isSameUser(candidate.user, user) && candidate.tokenExpiresAtMs > clock.nowMs(),
    );

  return {
    async writeCode(codeHash, candidate, expiresAtMs) {
      if (!codes.set(codeHash, candidate, expiresAtMs)) throw new StoreUnavailable('sign-in codes are full');
    },
    async readCode(codeHash) {
      return codes.get(codeHash);
    },
    async takeCode(codeHash) {
      const candidate = codes.get(codeHash);
      codes.delete(codeHash);
      return candidate;
    },
    async writeCandidate(candidate) {
      candidates = [...without(candidate.user), candidate].slice(-MAX_SIGN_IN_CANDIDATES);
    },
    async listCandidates() {
      return candidates.filter(({ tokenExpiresAtMs }) => tokenExpiresAtMs > clock.nowMs()).toReversed();
    },
    async removeCandidate(user) {
      candidates = without(user);
    },
  };
}
