import { AUTHORIZATION_SESSION_TTL_MS, type AuthorizationSession } from './authorization-session.ts';
import { isSameUser, type User } from './user.ts';
import type { UserToken } from './user-token.ts';

/** "This authorization session was opened by this user with this user token", said before the callback. */
export interface Pin {
  /** Key of the authorization session (its SHA-256). */
  readonly authorizationSessionKey: string;
  readonly user: User;
  readonly tokenFingerprint: string;
  readonly tokenExpiresAtMs: number;
  /** Until then the flow can be bound; the record stays longer, as a veto. */
  readonly liveUntilMs: number;
}

/** A dead pin still vetoes: a lost veto would fail open. */
export const PIN_KEPT_MS = 24 * 60 * 60_000;
export const MAX_LIVE_PINS_PER_USER = 32;

export function createPin(session: AuthorizationSession, userToken: UserToken, nowMs: number): Pin {
  return {
    authorizationSessionKey: session.key,
    user: userToken.user,
    tokenFingerprint: userToken.fingerprint,
    tokenExpiresAtMs: userToken.expiresAtMs,
    liveUntilMs: nowMs + AUTHORIZATION_SESSION_TTL_MS,
  };
}

/** The very pin, not only one of the same flow. */
export function isSamePin(a: Pin, b: Pin): boolean {
  return (
    a.authorizationSessionKey === b.authorizationSessionKey &&
    isSameUser(a.user, b.user) &&
    a.tokenFingerprint === b.tokenFingerprint &&
    a.liveUntilMs === b.liveUntilMs
  );
}
