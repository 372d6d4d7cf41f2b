import { type Attempt, isClaimed } from './attempt.ts';
import type { AuthorizationSession } from './authorization-session.ts';
import type { Clock } from './clock.ts';
import type { BindingCode } from './outcome.ts';
import type { AttemptStore, CompletionStore, PinStore } from './ports.ts';
import { isSameUser, type User } from './user.ts';

/** What an app is told of a flow it has pinned. */
export type AuthorizationStatus = 'pending' | 'completed' | 'denied' | 'refused' | 'unknown' | 'expired';

export interface StatusDeps {
  readonly pins: PinStore;
  readonly attempts: AttemptStore;
  readonly completions: CompletionStore;
  readonly clock: Clock;
}

/**
 * How this user's pinned flow stands; undefined for whatever is not his, after one lookup that is the same for a flow
 * of somebody else and for one that nobody knows (SB-30).
 */
export async function readAuthorizationStatus(
  { key }: AuthorizationSession,
  user: User,
  { pins, attempts, completions, clock }: StatusDeps,
): Promise<AuthorizationStatus | undefined> {
  const liveUntilMs = await pins.readLiveUntil(key, user);
  if (liveUntilMs === undefined) return undefined;
  const attempt = await attempts.read(key, user);
  const status = statusOf(attempt, clock.nowMs());
  if (status === 'completed') return status;
  // A visit writes the completion before it settles, and may die or lose its claim in between.
  if (attempt !== undefined) {
    const completedBy = await completions.read(key);
    if (completedBy !== undefined) return isSameUser(completedBy, user) ? 'completed' : 'refused';
  }
  return status ?? (liveUntilMs <= clock.nowMs() ? 'expired' : 'pending');
}

/** Undefined where no visit has said anything yet. */
function statusOf(attempt: Attempt | undefined, nowMs: number): AuthorizationStatus | undefined {
  if (attempt?.ended === 'completed') return 'completed';
  if (isClaimed(attempt, nowMs)) return 'pending';
  // A claim that has lapsed lost its holder, perhaps after its call: no refusal after it would be believed either.
  if (attempt?.mayHaveBound === true || attempt?.claim !== undefined) return 'unknown';
  return attempt?.ended === undefined ? undefined : ENDINGS[attempt.ended];
}

/** What a visit's ending is to the app; undefined where the page offers to try again, and the flow is still open. */
const ENDINGS: Readonly<Partial<Record<BindingCode, AuthorizationStatus>>> = {
  consent_denied: 'denied',
  token_refused: 'refused',
  authorization_expired: 'refused',
  agentcore_forbidden: 'refused',
  user_mismatch: 'refused',
  outcome_unknown: 'unknown',
};
