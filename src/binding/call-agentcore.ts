import type { AuthorizationSession } from './authorization-session.ts';
import type { Clock, Randomness } from './clock.ts';
import type { CallRecord } from './outcome.ts';
import type { AuthorizationCompleter, CompletionAnswer, UserIdentifier } from './ports.ts';

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

/**
 * Tries the candidates in order. "Wrong artifact" moves on to the next of the same user; "unavailable" is
 * tried again after a jittered pause; every other answer ends it. Retries are ours because the SDK's hide that an
 * earlier try may have bound the session.
 */
export async function callAgentCore(
  session: AuthorizationSession,
  candidates: readonly UserIdentifier[],
  signal: AbortSignal,
  deps: {
    readonly completer: AuthorizationCompleter;
    readonly clock: Clock;
    readonly randomness: Randomness;
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
    if (answer.kind === 'wrong_artifact') {
      next += 1;
    } else if (answer.kind === 'unavailable') {
      mayHaveBound ||= answer.mayHaveBound;
      const pauseMs = BACKOFF_MS * 2 ** (calls.length - 1) * (0.5 + deps.randomness.fraction());
      if (calls.length < MAX_CALLS) await deps.clock.sleep(pauseMs, signal);
    } else {
      break;
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
