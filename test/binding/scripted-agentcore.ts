import type { AuthorizationCompleter, CompletionAnswer } from '../../src/binding/ports.ts';
import type { UserToken } from '../../src/binding/user-token.ts';
import type { AuthorizationSession } from '../../src/binding/authorization-session.ts';
import type { Clock } from '../../src/binding/clock.ts';

/** How one call goes wrong: an answer of the adapter's, or what happens on the way. */
export type CallScript =
  | Exclude<CompletionAnswer, { kind: 'completed' }>
  /** Bound, and the answer is lost. */
  | 'lost_after_binding'
  /** No answer, ever: the adapter gives up with the signal. */
  | 'hangs'
  /** As it should, after that many milliseconds. */
  | { readonly slowMs: number }
  /** Whatever `script` says, once the test lets it. */
  | { readonly after: Promise<void>; readonly script: CallScript }
  /** The process that made the call is killed before AgentCore acts, or after. */
  | 'killed_before_binding'
  | 'killed_after_binding'
  /** A bug in the adapter. */
  | 'throws';

export interface ScriptedAgentCore extends AuthorizationCompleter {
  /** AgentCore opens an authorization session for the user token that the agent was invoked with. */
  open(authorizationSession: AuthorizationSession, userToken: UserToken): void;
  /** The same for an agent that passes a user id on. */
  openForUserId(authorizationSession: AuthorizationSession, userId: string): void;
  /** What the next calls come to; after these, AgentCore is its honest self again. */
  script(...scripts: readonly CallScript[]): void;
  /** The user token, or user id, of each call, in order. */
  readonly calls: readonly string[];
  /** Calls at this moment. */
  readonly inFlight: number;
  /** The most calls that ever ran at the same time. */
  readonly mostInFlight: number;
  isBound(authorizationSession: AuthorizationSession): boolean;
}

/** How the AWS adapter words the loss of an answer. */
export const LOST: CallScript = { kind: 'unavailable', mayHaveBound: true, reason: 'timeout' };
export const THROTTLED: CallScript = { kind: 'unavailable', mayHaveBound: false, reason: 'throttled' };

/** AgentCore behind its adapter: one use per authorization session, and only for the original user token. */
export function createScriptedAgentCore(clock: Clock): ScriptedAgentCore {
  const openedWith = new Map<string, string>();
  const bound = new Set<string>();
  const calls: string[] = [];
  const scripts: CallScript[] = [];
  let inFlight = 0;
  let mostInFlight = 0;

  const act = ({ id }: AuthorizationSession, jwt: string): CompletionAnswer => {
    if (openedWith.get(id) !== jwt || bound.has(id)) return { kind: 'wrong_artifact' };
    bound.add(id);
    return { kind: 'completed', awsRequestId: `aws-${calls.length}` };
  };
  const never = new Promise<never>(() => undefined);

  const play = async (
    session: AuthorizationSession,
    jwt: string,
    signal: AbortSignal,
  ): Promise<CompletionAnswer> => {
    let script = scripts.shift();
    if (typeof script === 'object' && 'after' in script) {
      await script.after;
      script = script.script;
    }
    if (script === undefined) return act(session, jwt);
    if (script === 'throws') throw new TypeError('a bug in the adapter');
    if (script === 'killed_before_binding') return never;
    if (script === 'killed_after_binding') return act(session, jwt) && never;
    if (script === 'lost_after_binding') {
      const answer = act(session, jwt);
      return answer.kind === 'completed'
        ? { kind: 'unavailable', mayHaveBound: true, reason: 'reset' }
        : answer;
    }
    if (script === 'hangs') {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { kind: 'unavailable', mayHaveBound: true, reason: 'timeout' };
    }
    if ('after' in script) throw new TypeError('one delay is enough');
    if ('slowMs' in script) {
      await clock.sleep(script.slowMs);
      return act(session, jwt);
    }
    return script;
  };

  return {
    calls,
    get inFlight() {
      return inFlight;
    },
    get mostInFlight() {
      return mostInFlight;
    },
    isBound: ({ id }) => bound.has(id),
    open: ({ id }, { jwt }) => void openedWith.set(id, jwt.reveal()),
    openForUserId: ({ id }, userId) => void openedWith.set(id, userId),
    script: (...next) => void scripts.push(...next),
    async complete(session, identifier, signal) {
      const artifact = 'userToken' in identifier ? identifier.userToken.reveal() : identifier.userId;
      calls.push(artifact);
      inFlight += 1;
      mostInFlight = Math.max(mostInFlight, inFlight);
      try {
        return await play(session, artifact, signal);
      } finally {
        inFlight -= 1;
      }
    },
  };
}
