import { AUTHORIZATION_SESSION_TTL_MS, type AuthorizationSession } from './authorization-session.ts';
import type { FlowFacts } from './outcome.ts';
import type { Secret } from './secret.ts';
import { isSameUser, type User } from './user.ts';
import type { UserToken } from './user-token.ts';

/** A flow as its app announces it with a POST. */
export interface AnnouncedFlow {
  readonly authorizationSession: AuthorizationSession;
  /** AgentCore's authorize endpoint, checked: only the pinned user's browser is ever sent there (SB-32). */
  readonly authorizationUrl?: Secret;
  /** Where the finished flow sends the browser; its origin is an allowed one (SB-18). */
  readonly returnTo?: string;
  /** For pages, as the app gives it: "GitHub for the sales agent". */
  readonly label?: string;
}

/** "This authorization session was opened by this user with this user token", said before the callback. */
export interface Pin extends Omit<AnnouncedFlow, 'authorizationSession'> {
  /** Key of the authorization session (its SHA-256). */
  readonly authorizationSessionKey: string;
  readonly user: User;
  readonly tokenFingerprint: string;
  readonly tokenExpiresAtMs: number;
  /** Until then the flow can be bound; the record stays longer, as a veto. */
  readonly liveUntilMs: number;
  /** The lineage of the browser session that opened the start link last: only there the flow is bound. */
  readonly startedIn?: string;
}

/** A dead pin still vetoes, till 24 hours after its announcement: a lost veto would fail open. */
export const VETO_KEPT_MS = 24 * 60 * 60_000 - AUTHORIZATION_SESSION_TTL_MS;
export const MAX_LIVE_PINS_PER_USER = 32;

export function createPin(flow: AnnouncedFlow, userToken: UserToken, nowMs: number): Pin {
  const { authorizationSession, ...announced } = flow;
  return {
    ...announced,
    authorizationSessionKey: authorizationSession.key,
    user: userToken.user,
    tokenFingerprint: userToken.fingerprint,
    tokenExpiresAtMs: userToken.expiresAtMs,
    liveUntilMs: nowMs + AUTHORIZATION_SESSION_TTL_MS,
  };
}

/** What the pages of its own user may know; undefined where its app said nothing. */
export function flowFacts({ returnTo, label }: Pin): FlowFacts | undefined {
  if (returnTo === undefined && label === undefined) return undefined;
  return { ...(returnTo === undefined ? {} : { returnTo }), ...(label === undefined ? {} : { label }) };
}

/**
 * All that a dead pin is kept for. What its app said about it goes, or a few users who announce without end would fill
 * the store (SB-22).
 */
export function asVeto({ authorizationUrl: _url, returnTo: _returnTo, label: _label, ...veto }: Pin): Pin {
  return veto;
}

/** When the record of a pin lapses. */
export function pinKeptUntilMs({ liveUntilMs }: Pin): number {
  return liveUntilMs + VETO_KEPT_MS;
}

/** Of two pins of one flow: the very same. */
export function isSamePin(a: Pin, b: Pin): boolean {
  return (
    isSameUser(a.user, b.user) && a.tokenFingerprint === b.tokenFingerprint && a.liveUntilMs === b.liveUntilMs
  );
}
