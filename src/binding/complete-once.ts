import { type Attempt, claimAttempt, isClaimed, settleAttempt } from './attempt.ts';
import type { AuthorizationSession } from './authorization-session.ts';
import { callAgentCore, type CallResult } from './call-agentcore.ts';
import type { Clock, Randomness } from './clock.ts';
import type { BindingCode, Outcome } from './outcome.ts';
import {
  type AttemptStore,
  type AuthorizationCompleter,
  type BindingAudit,
  type CompletionStore,
  StoreUnavailable,
} from './ports.ts';
import { isSameUser, type User } from './user.ts';
import type { UserToken } from './user-token.ts';

export interface CompleteOnceDeps {
  readonly attempts: AttemptStore;
  readonly completions: CompletionStore;
  readonly completer: AuthorizationCompleter;
  readonly audit: BindingAudit;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** The whole callback, in milliseconds. */
  readonly budgetMs: number;
}

/** A visit that has passed every check: this user may bind this session with one of these tokens. */
export interface PermittedVisit {
  readonly requestId: string;
  readonly session: AuthorizationSession;
  readonly user: User;
  readonly candidates: readonly UserToken[];
}

const POLL_MS = 100;

/** Claims the session for this user, or waits for the visit that holds the claim (SB-08, SB-09). */
export async function completeOnce(visit: PermittedVisit, deps: CompleteOnceDeps): Promise<Outcome> {
  const { session, user } = visit;
  const signal = deps.clock.timeout(deps.budgetMs);
  const holder = deps.randomness.id(16);
  while (!signal.aborted) {
    const found = await deps.attempts.read(session.key, user);
    const claimed = claimAttempt(found, holder, deps.clock.nowMs());
    if (claimed === undefined) return waitForHolder(visit, signal, deps);
    const written = await deps.attempts.compareAndSet(session.key, user, found, claimed);
    if (written === 'written') return callAndSettle(visit, claimed, signal, deps);
    if (written === 'too_many') return { code: 'rate_limited', reason: 'attempts', user, calls: [] };
  }
  return { code: 'in_progress', user, calls: [] };
}

async function callAndSettle(
  visit: PermittedVisit,
  claimed: Attempt,
  signal: AbortSignal,
  deps: CompleteOnceDeps,
): Promise<Outcome> {
  const { session, user } = visit;
  const settle = (ended: BindingCode | undefined, mayHaveBound: boolean) =>
    deps.attempts.compareAndSet(session.key, user, claimed, settleAttempt(claimed, ended, mayHaveBound));

  let called = false;
  let result: CallResult;
  try {
    // The former holder writes its completion before it gives the claim back, so whoever claims next sees it.
    const completedBy = await deps.completions.read(session.key);
    if (completedBy !== undefined) {
      const code = isSameUser(completedBy, user) ? 'completed' : 'user_mismatch';
      await settle(code, false);
      return { code, reason: code === 'completed' ? 'already' : 'completion', user, calls: [] };
    }
    called = true;
    result = await callAgentCore(session, visit.candidates, signal, deps);
  } catch (error) {
    // The claim goes back at once where the store still answers; else its lease ends it.
    await settle(undefined, called).catch(() => undefined);
    throw error;
  }

  const code = conclude(result, claimed.mayHaveBound || result.mayHaveBound);
  try {
    if (code === 'completed') await deps.completions.record(session.key, user);
    await settle(code, result.mayHaveBound);
  } catch (error) {
    // AgentCore's word stands even if it cannot be written down: the user is connected (SB-24 the other way round).
    if (!(error instanceof StoreUnavailable) || code !== 'completed') throw error;
    deps.audit.recordLost({ requestId: visit.requestId, authorizationSession: session });
  }
  return { code, user, calls: result.calls };
}

/** One place turns AgentCore's last answer into an outcome; only its own confirmation says `completed` (SB-24). */
function conclude({ answer }: CallResult, mayHaveBound: boolean): BindingCode {
  if (answer.kind === 'completed') return 'completed';
  if (answer.kind === 'unavailable') return 'agentcore_unavailable';
  // A refusal after a lost call does not say what became of that call: a used session is refused like one that was
  // never valid, and "nothing was connected" would be a lie to somebody who is.
  // @NOTE live: whether a used session answers AccessDenied or ResourceNotFound is not documented.
  return mayHaveBound ? 'outcome_unknown' : REFUSALS[answer.kind];
}

const REFUSALS = {
  wrong_artifact: 'authorization_expired',
  gone: 'authorization_expired',
  token_refused: 'token_refused',
  forbidden: 'agentcore_forbidden',
} as const satisfies Record<string, BindingCode>;

/** Shows a visit the outcome of the one that was first, without a second call of AgentCore. */
async function waitForHolder(
  { session, user }: PermittedVisit,
  signal: AbortSignal,
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
