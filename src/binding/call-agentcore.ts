import type { AuthorizationSession } from './authorization-session.ts';
import type { Clock, Randomness } from './clock.ts';
import type { CallRecord } from './outcome.ts';
import type { AuthorizationCompleter, CompletionAnswer, UserIdentifier } from './ports.ts';
import type { RetryBudget } from './retry-budget.ts';

/** How the calls of one callback ended. */
export interface CallResult {
  readonly answer: CompletionAnswer;
  /** One of the calls got no answer and may have taken effect. */
  readonly mayHaveBound: boolean;
  readonly calls: readonly CallRecord[];
}

/** Over all tokens and retries of one callback, so that no visit can hammer AgentCore (contract §2, §10). */
const MAX_CALLS = 3;
const BACKOFF_MS = 200;
/** Whom AWS asks to stay away for longer is told so by the page; his callback does not wait for it. */
const MAX_PAUSE_MS = 2_000;

/**
 * Tries the candidates in order. "Wrong artifact" moves on to the next of the same user; "unavailable" is
 * tried again after a jittered pause, no shorter than AWS asked for, while the budget that all callbacks share lasts;
 * every other answer ends it. Retries are ours because the SDK's hide that an earlier try may have bound the session.
 */
export async function callAgentCore(
  session: AuthorizationSession,
  candidates: readonly UserIdentifier[],
  signal: AbortSignal,
  deps: {
    readonly completer: AuthorizationCompleter;
    readonly clock: Clock;
    readonly randomness: Randomness;
    readonly retries: RetryBudget;
  },
): Promise<CallResult> {
  const calls: CallRecord[] = [];
  let mayHaveBound = false;
  let answer: CompletionAnswer = { kind: 'unavailable', mayHaveBound: false, reason: 'no_time_left' };

  let next = 0;
  while (calls.length < MAX_CALLS && !signal.aborted) {
    const candidate = candidates[next];
    if (candidate === undefined) break;
    const startedMs = deps.clock.monotonicMs();
    answer = await deps.completer.complete(session, candidate, signal);
    calls.push(toRecord(answer, Math.round(deps.clock.monotonicMs() - startedMs)));
    if (answer.kind !== 'unavailable') {
      deps.retries.answered();
      if (answer.kind !== 'wrong_artifact') break;
      next += 1;
    } else {
      mayHaveBound ||= answer.mayHaveBound;
      const jitteredMs = BACKOFF_MS * 2 ** (calls.length - 1) * (0.5 + deps.randomness.fraction());
      const pauseMs = Math.max(jitteredMs, answer.retryAfterMs ?? 0);
      if (calls.length === MAX_CALLS || pauseMs > MAX_PAUSE_MS || !deps.retries.take()) break;
      await deps.clock.sleep(pauseMs, signal);
    }
  }
  return { answer, mayHaveBound, calls };
}

function toRecord(answer: CompletionAnswer, durationMs: number): CallRecord {
  return {
    answer: answer.kind,
    durationMs,
    ...('reason' in answer ? { reason: answer.reason } : {}),
    ...('permission' in answer && answer.permission !== undefined ? { permission: answer.permission } : {}),
    ...('awsRequestId' in answer ? { awsRequestId: answer.awsRequestId } : {}),
  };
}
