import type { User } from '../binding/user.ts';

/** The record behind our cookie: who sits at this browser. */
export interface BrowserSession {
  readonly user: User;
  /** For pages only. */
  readonly username?: string;
  readonly createdAtMs: number;
  /** Names this browser until it has started a flow; from then on the lineage cookie does, which outlives this record. */
  readonly lineage: string;
  /**
   * `exp` of the user token that signed this browser in: tells "expired" from "never stored". Absent after a login,
   * which says who somebody is and stores no user token.
   */
  readonly tokenExpiresAtMs?: number;
  /** Made for a caller that is no browser; it lapses unless its cookie comes back. */
  readonly provisional: boolean;
}

export const MAX_BROWSER_SESSIONS_PER_USER = 8;
const PROVISIONAL_TTL_MS = 10 * 60_000;

/** When a browser session ends, whatever happens in it: its lifetime is absolute. */
export function expiresAtMs(browserSession: BrowserSession, ttlSeconds: number): number {
  const ttlMs = ttlSeconds * 1000;
  return (
    browserSession.createdAtMs + (browserSession.provisional ? Math.min(PROVISIONAL_TTL_MS, ttlMs) : ttlMs)
  );
}

/** Beyond every wall clock, and exact in a double when one is added. */
const AFTER_ALL_PROVISIONAL = 2 ** 50;

/**
 * The lowest goes first when a user has too many (SB-22): a browser that was seen outlasts one that may never have
 * been there, and among equals the newest stays.
 */
export function keepingRank({ provisional, createdAtMs }: BrowserSession): number {
  return provisional ? createdAtMs : createdAtMs + AFTER_ALL_PROVISIONAL;
}

/**
 * Browser sessions, by the hash of the cookie's id: whoever reads the store cannot make a cookie of it (SB-14).
 * Guarantees: an expired record is never handed out; at most eight a user: for a ninth the oldest provisional one
 * goes, else the oldest (SB-22). An id is never used twice. Every method may throw StoreUnavailable.
 */
export interface BrowserSessionStore {
  read(idHash: string): Promise<BrowserSession | undefined>;
  write(idHash: string, browserSession: BrowserSession, expiresAtMs: number): Promise<void>;
  /** Writes over a record that is still there; false when it has ended, so that a sign-out stands (SB-05). */
  replace(idHash: string, browserSession: BrowserSession, expiresAtMs: number): Promise<boolean>;
  remove(idHash: string): Promise<void>;
  /** Sign-out: ends every browser session of this user. */
  removeAll(user: User): Promise<void>;
}
