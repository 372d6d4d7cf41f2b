import { type Attempt, claimAttempt, isClaimed, settleAttempt } from './attempt.ts';
import type { AuthorizationSession } from './authorization-session.ts';
import { callAgentCore, type CallResult } from './call-agentcore.ts';
import type { Clock, Randomness } from './clock.ts';
import type { BindingCode, Outcome } from './outcome.ts';
import {
  type AttemptKind,
  type AttemptStore,
  type AuthorizationCompleter,
  type BindingAudit,
  type CompletionAnswer,
  type CompletionStore,
  StoreUnavailable,
  type UserIdentifier,
} from './ports.ts';
import type { RetryBudget } from './retry-budget.ts';
import { isSameUser, type User } from './user.ts';

export interface CompleteOnceDeps {
  readonly attempts: AttemptStore;
  readonly completions: CompletionStore;
  readonly completer: AuthorizationCompleter;
  readonly audit: BindingAudit;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly retries: RetryBudget;
}

/** A visit that has passed every check: this user may bind this session with one of these. */
export interface PermittedVisit {
  readonly requestId: string;
  readonly session: AuthorizationSession;
  readonly user: User;
  readonly candidates: readonly UserIdentifier[];
  readonly kind: AttemptKind;
  /** Aborts when the time of the callback is up. */
  readonly signal: AbortSignal;
}

/** A claim this visit took, and the way to give it back. */
interface HeldClaim {
  readonly claimed: Attempt;
  readonly settle: (
    ended: BindingCode | undefined,
    mayHaveBound: boolean,
  ) => ReturnType<AttemptStore['compareAndSet']>;
}

const POLL_MS = 100;

/** Claims the session for this user, or waits for the visit that holds the claim (SB-08, SB-09). */
export async function completeOnce(visit: PermittedVisit, deps: CompleteOnceDeps): Promise<Outcome> {
  const { session, user, signal } = visit;
  const { attempts, completions } = deps;
  const holder = deps.randomness.id(16);
  while (!signal.aborted) {
    const found = await attempts.read(session.key, user);
    // Only ever written after AgentCore's confirmation: it counts even where the completion itself was lost.
    if (found?.ended === 'completed') return { code: 'completed', reason: 'already', user, calls: [] };
    const claimed = claimAttempt(found, holder, deps.clock.nowMs());
    if (claimed === undefined) return waitForHolder(visit, deps);
    const settle: HeldClaim['settle'] = (ended, mayHaveBound) =>
      attempts.compareAndSet(session.key, user, claimed, settleAttempt(claimed, ended, mayHaveBound));
    try {
      const written = await attempts.compareAndSet(session.key, user, found, claimed, visit.kind);
      if (written === 'too_many') return { code: 'rate_limited', reason: 'attempts', user, calls: [] };
      if (written === 'conflict') continue;
      // A second look, now that no other visit of this user can call: whoever completed the session since the first
      // look wrote that down before giving his claim back.
      const completedBy = await completions.read(session.key);
      if (completedBy !== undefined) {
        const code = isSameUser(completedBy, user) ? 'completed' : 'user_mismatch';
        await settle(code, false);
        return { code, reason: code === 'completed' ? 'already' : 'completion', user, calls: [] };
      }
    } catch (error) {
      // Nothing was called. The claim, which a command without an answer may have taken too, goes back at once where
      // the store still answers; else its lease ends it.
      await settle(undefined, false).catch(() => undefined);
      throw error;
    }
    return callAndSettle(visit, { claimed, settle }, deps);
  }
  return { code: 'agentcore_unavailable', reason: 'no_time_left', user, calls: [] };
}

async function callAndSettle(
  visit: PermittedVisit,
  { claimed, settle }: HeldClaim,
  deps: CompleteOnceDeps,
): Promise<Outcome> {
  const { requestId, session, user } = visit;
  let result: CallResult;
  try {
    result = await callAgentCore(session, visit.candidates, visit.signal, deps);
  } catch (error) {
    await settle(undefined, true).catch(() => undefined);
    throw error;
  }

  const concluded = conclude(result.answer);
  const code = claimed.mayHaveBound || result.mayHaveBound ? doubt(concluded) : concluded;
  const failures: unknown[] = [];
  const fail = (error: unknown) => void failures.push(error);
  if (code === 'completed') await deps.completions.record(session.key, user).catch(fail);
  const written = await settle(code, result.mayHaveBound).catch(fail);
  const bug = failures.find((error) => !(error instanceof StoreUnavailable));
  if (bug !== undefined) throw bug;
  // AgentCore's word stands even if it cannot be written down: a user who is connected is told so (SB-24).
  if (failures.length > 0) deps.audit.recordLost({ requestId, authorizationSession: session, code });
  // Unless the claim is still there to be given back, this visit may have outslept its lease, and the one that took
  // over may have used the session up before it.
  return { code: written === 'written' ? code : doubt(code), user, calls: result.calls };
}

/** One place turns AgentCore's last answer into an outcome; only its own confirmation says `completed` (SB-24). */
function conclude(answer: CompletionAnswer): BindingCode {
  switch (answer.kind) {
    case 'completed':
      return 'completed';
    case 'wrong_artifact':
    case 'gone':
      return 'authorization_expired';
    case 'token_refused':
      return 'token_refused';
    case 'forbidden':
      return 'agentcore_forbidden';
    case 'unavailable':
      return 'agentcore_unavailable';
  }
}

/**
 * A refusal after a lost call does not say what became of that call: a used session is refused like one that was never
 * valid, and "nothing was connected" would be a lie to somebody who is.
 * @NOTE live: whether a used session answers AccessDenied or ResourceNotFound is not documented.
 */
function doubt(code: BindingCode): BindingCode {
  return code === 'completed' || code === 'agentcore_unavailable' ? code : 'outcome_unknown';
}

/** Shows a visit the outcome of the one that was first, without a second call of AgentCore. */
async function waitForHolder(
  { session, user, signal }: PermittedVisit,
  deps: CompleteOnceDeps,
): Promise<Outcome> {
  while (!signal.aborted) {
    const attempt = await deps.attempts.read(session.key, user);
    if (!isClaimed(attempt, deps.clock.nowMs())) {
      // A lapsed claim has no ending: its holder died. The page reloads itself, and that visit claims anew.
      if (attempt?.ended === undefined) break;
      return { code: attempt.ended, reason: 'waited', user, calls: [] };
    }
    await deps.clock.sleep(POLL_MS, signal);
  }
  return { code: 'in_progress', user, calls: [] };
}
