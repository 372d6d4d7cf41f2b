import { type Attempt } from '../../src/binding/attempt.ts';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { bindAuthorization, type BindDeps, type CallbackVisit } from '../../src/binding/bind.ts';
import type { Clock } from '../../src/binding/clock.ts';
import type { BindingCode, Outcome } from '../../src/binding/outcome.ts';
import { createPin } from '../../src/binding/pin.ts';
import type { BindingRecords, CompletionAnswer } from '../../src/binding/ports.ts';
import { Secret } from '../../src/binding/secret.ts';
import { type User, userKey } from '../../src/binding/user.ts';
import type { UserToken } from '../../src/binding/user-token.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';

/**
 * Runs the production rule (`bindAuthorization`, nothing re-modelled) on several replicas at once and decides itself
 * which of their next steps happens first: a step is one command of the store, one call of AgentCore or one pause.
 * What else may happen between two steps (a killed process, a stall, a store that forgets, a lost answer) is a choice
 * like any other, so that walking all choices is walking all interleavings.
 */
export interface Scenario {
  readonly visits: readonly { readonly user: 'alice' | 'bob'; readonly denial?: boolean }[];
  readonly pinned: boolean;
  /** How many of each may happen in one run. */
  readonly crashes?: number;
  readonly stalls?: number;
  readonly forgets?: number;
  readonly awsFaults?: number;
}

export interface Ending {
  readonly outcomes: readonly (BindingCode | 'crashed')[];
  /** For each visit: was the flow bound already when it said how it ended? */
  readonly wasBound: readonly boolean[];
  /** Two calls of AgentCore for one user and flow were under way at once. */
  readonly overlapped: boolean;
  readonly stalled: boolean;
  /** Who is connected, by AgentCore's own word. */
  readonly boundTo: User | undefined;
  readonly forgot: boolean;
  /** Calls that AgentCore took for a connection. */
  readonly accepted: number;
  /** What the first user's next visit says, alone, thirty seconds later. */
  readonly later: BindingCode;
  readonly trace: readonly string[];
}

const ALICE: User = { issuer: 'https://idp.example', subject: 'alice' };
const BOB: User = { issuer: 'https://idp.example', subject: 'bob' };

const START_MS = 1_800_000_000_000;
const STALL_MS = 25_000;
const CALL = 'call AgentCore';

/** A step that waits for its turn. Each alternative is one way it can go. */
interface PendingStep {
  readonly label: string;
  readonly alternatives: readonly { readonly name: string; readonly go: () => void | Promise<void> }[];
}

interface Visitor {
  readonly name: string;
  pending: PendingStep | undefined;
  readonly user: User;
  outcome: BindingCode | 'crashed' | undefined;
  wasBound: boolean;
  /** Everything it has seen: a visit is a function of that, so this is its state. */
  history: string;
  arrived: () => void;
}

/** A choice that can be made now. */
interface Option {
  readonly name: string;
  readonly take: () => Promise<void>;
}

/** One run from the start; `choose` is asked at every step and may end the run by answering undefined. */
export async function play(
  scenario: Scenario,
  choose: (options: readonly string[], state: () => string) => number | undefined,
): Promise<Ending | undefined> {
  const world = createWorld(scenario);
  await world.ready();
  for (;;) {
    const options = world.options();
    if (options.length === 0) return world.end();
    const index = choose(
      options.map(({ name }) => name),
      () => world.state(),
    );
    if (index === undefined) return undefined;
    await options[index]?.take();
  }
}

function createWorld(scenario: Scenario) {
  let nowMs = START_MS;
  const alarms = new Set<{ readonly atMs: number; readonly controller: AbortController }>();
  const advance = (ms: number) => {
    nowMs += ms;
    for (const alarm of alarms) if (alarm.atMs <= nowMs) alarm.controller.abort();
  };
  const left = {
    crashes: scenario.crashes ?? 0,
    stalls: scenario.stalls ?? 0,
    forgets: scenario.forgets ?? 0,
    awsFaults: scenario.awsFaults ?? 0,
  };
  const trace: string[] = [];
  const session = parseAuthorizationSession('urn:ietf:params:oauth:request_uri:explored');
  if (session === undefined) throw new Error('the id is well-formed');
  const tokens = new Map([ALICE, BOB].map((user) => [userKey(user), tokenOf(user)]));
  const aliceToken = tokens.get(userKey(ALICE));
  if (aliceToken === undefined) throw new Error('alice has a token');

  const baseClock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async () => undefined,
    deadline(ms: number) {
      const alarm = { atMs: nowMs + ms, controller: new AbortController() };
      alarms.add(alarm);
      return { signal: alarm.controller.signal, end: () => void alarms.delete(alarm) };
    },
  } satisfies Clock;

  let store = createMemoryStore(baseClock);
  let forgot = false;
  let boundTo: User | undefined;
  let accepted = 0;
  let overlapped = false;
  // What the explorer must see of the records, in the order of their making.
  const attemptsNow = new Map<string, string>();
  let completedBy: string | undefined;

  /** AgentCore: the session takes the very token that opened it, once. */
  function bind(jwt: string): CompletionAnswer {
    if (boundTo !== undefined || jwt !== aliceToken?.jwt.reveal()) return { kind: 'wrong_artifact' };
    boundTo = ALICE;
    accepted += 1;
    return { kind: 'completed', awsRequestId: 'request' };
  }

  const visitors: Visitor[] = [];

  function startVisit(user: User, denial: boolean): Visitor {
    const visitor: Visitor = {
      name: `${user.subject}${visitors.length + 1}`,
      pending: undefined,
      user,
      outcome: undefined,
      wasBound: false,
      history: '',
      arrived: () => undefined,
    };
    visitors.push(visitor);

    /** Waits for the explorer, then does what it chose. A crashed visit waits for ever. */
    function step<T>(label: string, ways: readonly (readonly [string, () => T | Promise<T>])[]): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        visitor.pending = {
          label,
          alternatives: ways.map(([name, way]) => ({
            name,
            async go() {
              visitor.pending = undefined;
              try {
                const result = await way();
                visitor.history += `|${label}:${name}=${JSON.stringify(result)}`;
                resolve(result);
              } catch (error) {
                visitor.history += `|${label}:${name}!`;
                reject(error);
              }
            },
          })),
        };
        const calling = visitors.filter(
          (other) => other.user === user && other.pending?.label === CALL && other.outcome === undefined,
        );
        overlapped ||= calling.length > 1;
        visitor.arrived();
      });
    }

    let ids = 0;
    const clock: Clock = {
      ...baseClock,
      sleep: (ms) => step('pause', [['', () => advance(ms)]]),
    };
    const records: BindingRecords = {
      userTokens: {
        ...store.userTokens,
        async read(owner) {
          return tokens.get(userKey(owner));
        },
        async list(owner) {
          const userToken = tokens.get(userKey(owner));
          return userToken === undefined ? [] : [userToken];
        },
      },
      pins: {
        ...store.pins,
        async read(key) {
          return scenario.pinned && aliceToken !== undefined && key === session?.key
            ? createPin({ authorizationSession: session }, aliceToken, START_MS)
            : undefined;
        },
      },
      attempts: {
        read: (key, owner) => step('read attempt', [['', () => store.attempts.read(key, owner)]]),
        compareAndSet: (key, owner, expected, next, kind) =>
          step(`write attempt ${describeAttempt(next)}`, [
            [
              '',
              async () => {
                const written = await store.attempts.compareAndSet(key, owner, expected, next, kind);
                if (written === 'written') attemptsNow.set(userKey(owner), describeAttempt(next));
                return written;
              },
            ],
          ]),
      },
      completions: {
        read: (key) => step('read completion', [['', () => store.completions.read(key)]]),
        record: (key, owner) =>
          step('write completion', [
            [
              '',
              async () => {
                await store.completions.record(key, owner);
                completedBy ??= owner.subject;
              },
            ],
          ]),
      },
    };
    const deps: BindDeps = {
      ...records,
      customStateSealer: { seal: (text) => text, open: () => undefined },
      requirePin: false,
      userIdentifier: 'token',
      budgetMs: 250,
      clock,
      retries: { take: () => true, answered: () => undefined },
      randomness: { id: () => `${visitor.name}-${(ids += 1)}`, fraction: () => 0.5 },
      audit: { decided: () => undefined, started: () => undefined, recordLost: () => undefined },
      completer: {
        complete: (_session, identifier, signal) =>
          callAgentCore(step, 'userToken' in identifier ? identifier.userToken.reveal() : '', signal),
      },
    };
    const visit: CallbackVisit = {
      requestId: visitor.name,
      browserSession: { user, tokenExpiresAtMs: START_MS + 3_600_000, lineage: visitor.name },
      authorizationSession: session,
      consentError: denial ? 'access_denied' : undefined,
      customState: undefined,
    };
    void bindAuthorization(visit, deps).then((outcome: Outcome) => {
      // A killed process says nothing.
      if (visitor.outcome !== undefined) return;
      visitor.outcome = outcome.code;
      visitor.wasBound = boundTo !== undefined;
      visitor.arrived();
    });
    return visitor;
  }

  /** The good answer, and while faults are left each way it can go wrong. */
  function callAgentCore(
    step: <T>(label: string, ways: readonly (readonly [string, () => T | Promise<T>])[]) => Promise<T>,
    jwt: string,
    signal: AbortSignal,
  ): Promise<CompletionAnswer> {
    const lost: CompletionAnswer = { kind: 'unavailable', mayHaveBound: true, reason: 'reset' };
    const faulty = (answer: CompletionAnswer, before?: () => void) => () => {
      left.awsFaults -= 1;
      before?.();
      return answer;
    };
    // A completer answers within its signal: after a stall there is no good answer any more, only a lost one.
    const late = (answer: () => CompletionAnswer) => () => (signal.aborted ? lost : answer());
    return step<CompletionAnswer>(CALL, [
      ['', late(() => bind(jwt))],
      ['throttled', faulty({ kind: 'unavailable', mayHaveBound: false, reason: 'throttled' })],
      ['lost before it arrived', faulty(lost)],
      ['bound, answer lost', faulty(lost, () => void bind(jwt))],
      ['token refused', faulty({ kind: 'token_refused' })],
      ['forbidden', faulty({ kind: 'forbidden' })],
      ['gone', faulty({ kind: 'gone' })],
    ]);
  }

  function arrival(visitor: Visitor): Promise<void> {
    if (visitor.pending !== undefined || visitor.outcome !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      visitor.arrived = resolve;
    });
  }

  for (const { user, denial } of scenario.visits) startVisit(user === 'alice' ? ALICE : BOB, denial ?? false);

  async function take(visitor: Visitor, name: string, go: () => void | Promise<void>): Promise<void> {
    trace.push(name);
    const moved = new Promise<void>((resolve) => {
      visitor.arrived = resolve;
    });
    await go();
    if (visitor.pending === undefined && visitor.outcome === undefined) await moved;
  }

  function options(): readonly Option[] {
    const found: Option[] = [];
    const running = visitors.filter(({ outcome }) => outcome === undefined);
    for (const visitor of running) {
      for (const { name, go } of visitor.pending?.alternatives ?? []) {
        if (visitor.pending?.label === CALL && name !== '' && left.awsFaults === 0) continue;
        const label = `${visitor.name}: ${visitor.pending?.label ?? ''} ${name}`.trim();
        found.push({ name: label, take: () => take(visitor, label, go) });
      }
    }
    if (running.length === 0) return found;
    if (left.crashes > 0) {
      for (const visitor of running) {
        found.push({
          name: `${visitor.name} is killed`,
          async take() {
            left.crashes -= 1;
            trace.push(`${visitor.name} is killed`);
            visitor.outcome = 'crashed';
            visitor.pending = undefined;
          },
        });
      }
    }
    if (left.stalls > 0) {
      found.push({
        name: 'everything stalls',
        async take() {
          left.stalls -= 1;
          trace.push('everything stalls');
          advance(STALL_MS);
        },
      });
    }
    if (left.forgets > 0) {
      found.push({
        name: 'the store forgets',
        async take() {
          left.forgets -= 1;
          trace.push('the store forgets');
          forgot = true;
          attemptsNow.clear();
          completedBy = undefined;
          store = createMemoryStore(baseClock);
        },
      });
    }
    return found;
  }

  return {
    options,
    state: () =>
      JSON.stringify([
        nowMs,
        left,
        boundTo?.subject,
        forgot,
        completedBy,
        [...attemptsNow].map((entry) => entry.join(' ')).toSorted((a, b) => a.localeCompare(b)),
        visitors.map(({ history, outcome }) => [history, outcome]),
      ]),
    async end(): Promise<Ending> {
      const outcomes = visitors.map(({ outcome }) => outcome ?? 'crashed');
      const first = scenario.visits[0]?.user === 'bob' ? BOB : ALICE;
      left.awsFaults = 0;
      advance(30_000);
      const visitor = startVisit(first, false);
      await arrival(visitor);
      while (visitor.outcome === undefined) {
        const [alternative] = visitor.pending?.alternatives ?? [];
        if (alternative === undefined) throw new Error('a lone visit is stuck');
        await take(visitor, `${visitor.name}: ${visitor.pending?.label ?? ''}`, alternative.go);
      }
      const later = visitor.outcome;
      if (later === 'crashed') throw new Error('a lone visit cannot be killed');
      return {
        outcomes,
        wasBound: visitors.map(({ wasBound }) => wasBound),
        overlapped,
        stalled: left.stalls < (scenario.stalls ?? 0),
        boundTo,
        forgot,
        accepted,
        later,
        trace,
      };
    },
    ready: () => Promise.all(visitors.map(arrival)),
  };
}

function tokenOf(user: User): UserToken {
  return {
    user,
    jwt: new Secret(`jwt-of-${user.subject}`),
    fingerprint: `fingerprint-of-${user.subject}`,
    expiresAtMs: START_MS + 3_600_000,
  };
}

function describeAttempt({ claim, mayHaveBound, ended }: Attempt): string {
  const holder = claim === undefined ? 'free' : `held by ${claim.holder} until ${claim.leaseUntilMs}`;
  return `(${holder}, ${mayHaveBound ? 'may have bound' : 'not bound'}, ${ended ?? 'no ending'})`;
}
