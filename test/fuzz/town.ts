import {
  type AuthorizationSession,
  parseAuthorizationSession,
} from '../../src/binding/authorization-session.ts';
import { bindAuthorization, type BindDeps } from '../../src/binding/bind.ts';
import type { Clock } from '../../src/binding/clock.ts';
import { keepUserToken } from '../../src/binding/keep-user-token.ts';
import type { Outcome } from '../../src/binding/outcome.ts';
import {
  type AuthorizationCompleter,
  type BindingRecords,
  type CompletionAnswer,
  StoreUnavailable,
} from '../../src/binding/ports.ts';
import { createRetryBudget } from '../../src/binding/retry-budget.ts';
import { Secret } from '../../src/binding/secret.ts';
import { startFlow } from '../../src/binding/start-flow.ts';
import type { User } from '../../src/binding/user.ts';
import { tokenFingerprint, type UserToken } from '../../src/binding/user-token.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { systemRandomness } from '../../src/system.ts';

const SECRET = new Secret('a-test-secret-that-is-long-enough-0123456789');
const AGENTCORE_KEEPS_MS = 10 * 60_000;

/** What AgentCore does with a call. `dies_…`: the process that called is killed then. */
export type Fate =
  | 'good'
  | 'throttled'
  | 'lost'
  | 'lost_after_binding'
  | 'unauthorized'
  | 'gone'
  | 'dies'
  | 'dies_after_binding';

/** Which command of the store fails in a visit, and whether it was carried out before. */
export interface StoreFault {
  readonly at: number;
  readonly isCarriedOut: boolean;
}

export interface Call {
  readonly session: string;
  readonly jwt: string;
}

/** Time that moves when somebody waits: sockets are real, seconds are not. */
export function createInstantClock(): Clock & { advance(ms: number): void } {
  let nowMs = Date.UTC(2026, 0, 1);
  const alarms = new Set<{ readonly atMs: number; readonly controller: AbortController }>();
  const advance = (ms: number) => {
    nowMs += ms;
    for (const alarm of alarms) {
      if (alarm.atMs > nowMs) continue;
      alarms.delete(alarm);
      alarm.controller.abort();
    }
  };
  return {
    nowMs: () => Math.floor(nowMs),
    monotonicMs: () => nowMs,
    advance,
    async sleep(ms, signal) {
      if (signal?.aborted) return;
      await new Promise((resolve) => setImmediate(resolve));
      advance(ms);
    },
    deadline(ms) {
      const alarm = { atMs: nowMs + ms, controller: new AbortController() };
      alarms.add(alarm);
      return { signal: alarm.controller.signal, end: () => void alarms.delete(alarm) };
    },
  };
}

/** AgentCore: each authorization session takes the very token that opened it, once, for ten minutes. */
class AgentCoreDouble implements AuthorizationCompleter {
  readonly #opened = new Map<string, { readonly jwt: string; readonly untilMs: number }>();
  readonly #bound = new Set<string>();
  readonly #clock: Clock;
  readonly calls: Call[] = [];
  fates: Fate[] = [];
  /** Two calls for one flow with one token were under way at once. */
  overlapped = false;
  readonly #underWay = new Set<string>();
  readonly #onDeath: () => Promise<never>;

  constructor(clock: Clock, onDeath: () => Promise<never>) {
    this.#clock = clock;
    this.#onDeath = onDeath;
  }

  open(session: AuthorizationSession, token: UserToken): void {
    const untilMs = this.#clock.nowMs() + AGENTCORE_KEEPS_MS;
    this.#opened.set(session.id, { jwt: token.jwt.reveal(), untilMs });
  }

  isBound({ id }: AuthorizationSession): boolean {
    return this.#bound.has(id);
  }

  isOpen({ id }: AuthorizationSession): boolean {
    return (this.#opened.get(id)?.untilMs ?? 0) > this.#clock.nowMs();
  }

  async complete(
    session: AuthorizationSession,
    identifier: Parameters<AuthorizationCompleter['complete']>[1],
  ): Promise<CompletionAnswer> {
    const jwt = 'userToken' in identifier ? identifier.userToken.reveal() : identifier.userId;
    this.calls.push({ session: session.id, jwt });
    const key = JSON.stringify([session.id, jwt]);
    this.overlapped ||= this.#underWay.has(key);
    this.#underWay.add(key);
    await new Promise((resolve) => setImmediate(resolve));
    this.#underWay.delete(key);
    return this.#play(session, jwt, this.fates.shift() ?? 'good');
  }

  #play(session: AuthorizationSession, jwt: string, fate: Fate): CompletionAnswer | Promise<never> {
    switch (fate) {
      case 'good':
        return this.#bind(session, jwt);
      case 'throttled':
        return { kind: 'unavailable', mayHaveBound: false, reason: 'throttled' };
      case 'lost':
        return { kind: 'unavailable', mayHaveBound: true, reason: 'timeout' };
      case 'lost_after_binding': {
        const answer = this.#bind(session, jwt);
        return answer.kind === 'completed'
          ? { kind: 'unavailable', mayHaveBound: true, reason: 'reset' }
          : answer;
      }
      case 'unauthorized':
        return { kind: 'token_refused' };
      case 'gone':
        return { kind: 'gone' };
      case 'dies':
        return this.#onDeath();
      case 'dies_after_binding':
        this.#bind(session, jwt);
        return this.#onDeath();
    }
  }

  #bind({ id }: AuthorizationSession, jwt: string): CompletionAnswer {
    const opened = this.#opened.get(id);
    const isTheirs = opened?.jwt === jwt && opened.untilMs > this.#clock.nowMs();
    if (!isTheirs || this.#bound.has(id)) return { kind: 'wrong_artifact' };
    this.#bound.add(id);
    return { kind: 'completed', awsRequestId: 'request' };
  }
}

/** Who sits at a browser, and which one it is. */
export interface Browser {
  readonly user: User;
  readonly lineage: string;
}

/** One visit of the callback: who sits there, at which flow, on which replica. */
export interface Visit {
  readonly browser: Browser | undefined;
  readonly session: AuthorizationSession;
  readonly state: string | undefined;
  readonly error: string | undefined;
  readonly replica: number;
  readonly storeFault: StoreFault | undefined;
}

let serial = 0;

/** The rule as it is shipped, on several replicas over one store, before an AgentCore of ours. */
export function createTown(clock: Clock, replicas: readonly BindingRecords[]) {
  const sealer = createSealer([SECRET], 'custom-state', systemRandomness);
  const startHandleSealer = createSealer([SECRET], 'start-handle', systemRandomness);
  let audited = 0;
  // A killed process says nothing more; whoever waits for it is told so.
  let announceDeath: () => void = () => undefined;
  const agentcore = new AgentCoreDouble(clock, () => {
    announceDeath();
    return new Promise<never>(() => undefined);
  });

  const depsOf = (records: BindingRecords): BindDeps => ({
    ...records,
    completer: agentcore,
    customStateSealer: sealer,
    audit: {
      decided: () => {
        audited += 1;
      },
      recordLost: () => undefined,
      started: () => undefined,
    },
    clock,
    randomness: systemRandomness,
    retries: createRetryBudget(clock),
    requirePin: false,
    userIdentifier: 'token',
    budgetMs: 10_000,
  });
  const deps = replicas.map(depsOf);
  const at = (replica: number) => deps[replica % deps.length] ?? depsOf(EMPTY);

  return {
    agentcore,
    audited: () => audited,
    aUser: (name: string): User => ({
      issuer: 'https://issuer.example',
      subject: `${name}-${(serial += 1)}`,
    }),
    aToken(user: User, ttlMs: number): UserToken {
      const jwt = new Secret(`jwt-${(serial += 1)}`);
      return { user, jwt, fingerprint: tokenFingerprint(jwt), expiresAtMs: clock.nowMs() + ttlMs };
    },
    anAuthorizationSession(): AuthorizationSession {
      const id = `urn:ietf:params:oauth:request_uri:town-${(serial += 1)}-${systemRandomness.id(6)}`;
      const opened = parseAuthorizationSession(id);
      if (opened === undefined) throw new Error('not well-formed');
      return opened;
    },
    /** An app hands over a token, and where it names a session pins it, with a URL to start from. */
    post(token: UserToken, session: AuthorizationSession | undefined, replica: number) {
      const authorizationUrl = new Secret('https://agentcore.example/authorize');
      const flow = session && { authorizationSession: session, authorizationUrl };
      return keepUserToken(token, flow, { ...at(replica), startHandleSealer });
    },
    /** A browser opens a start link. */
    start: (handle: string, browser: Browser | undefined, replica: number) =>
      startFlow(
        { requestId: `request-${(serial += 1)}`, handle, browserSession: browser },
        { ...at(replica), startHandleSealer },
      ),
    signOut: (user: User, replica: number) => at(replica).userTokens.removeAll(user),
    /** How it ended; a killed process and a store that is down end no visit. */
    async visit(visit: Visit): Promise<Outcome | 'killed' | 'store_unavailable'> {
      const replica = at(visit.replica);
      const records =
        visit.storeFault === undefined ? replica : { ...replica, ...failing(replica, visit.storeFault) };
      const death = new Promise<'killed'>((resolve) => {
        announceDeath = () => resolve('killed');
      });
      const ending = bindAuthorization(
        {
          requestId: `request-${(serial += 1)}`,
          browserSession: visit.browser,
          authorizationSession: visit.session,
          consentError: visit.error,
          customState: visit.state,
        },
        records,
      ).catch((error: unknown) => {
        if (error instanceof StoreUnavailable) return 'store_unavailable' as const;
        throw error;
      });
      return Promise.race([ending, death]);
    },
  };
}

const EMPTY = {} as BindingRecords;

/** The same records, one command of which fails. */
function failing(records: BindingRecords, { at, isCarriedOut }: StoreFault): BindingRecords {
  let commands = 0;
  const wrap = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]) => {
          commands += 1;
          if (commands !== at) return Reflect.apply(method, target, args) as unknown;
          if (isCarriedOut) await Reflect.apply(method, target, args);
          throw new StoreUnavailable('down');
        };
      },
    });
  return {
    userTokens: wrap(records.userTokens),
    pins: wrap(records.pins),
    attempts: wrap(records.attempts),
    completions: wrap(records.completions),
  };
}
