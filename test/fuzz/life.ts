import * as fc from 'fast-check';
import type { AuthorizationSession } from '../../src/binding/authorization-session.ts';
import type { Clock } from '../../src/binding/clock.ts';
import type { BindingRecords } from '../../src/binding/ports.ts';
import { isSameUser, type User } from '../../src/binding/user.ts';
import type { UserToken } from '../../src/binding/user-token.ts';
import { property, type Property } from './property.ts';
import { type Browser, createInstantClock, createTown, type Fate, type StoreFault } from './town.ts';

const MINUTE_MS = 60_000;
/** Refusals that tell a person "nothing was connected". */
const SAYS_NOT_CONNECTED = new Set(['authorization_expired', 'token_refused', 'agentcore_forbidden']);

/** What can happen in a town of three people, three browsers and two replicas. */
type Event =
  | { readonly kind: 'sign_in'; readonly browser: number; readonly person: number; readonly ttlMs: number }
  | { readonly kind: 'open'; readonly person: number; readonly isPinned: boolean }
  | { readonly kind: 'start'; readonly browser: number; readonly flow: number }
  | { readonly kind: 'pin'; readonly person: number; readonly flow: number }
  | {
      readonly kind: 'visit';
      readonly browsers: readonly number[];
      readonly flow: number;
      readonly state: 'none' | 'own' | 'of_another_flow' | 'forged';
      readonly error?: string | undefined;
      readonly storeFault?: StoreFault | undefined;
    }
  | { readonly kind: 'fates'; readonly fates: readonly Fate[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'sign_out'; readonly person: number };

const person = fc.nat(2);
const flow = fc.nat(5);
const FATES: readonly Fate[] = [
  'good',
  'throttled',
  'lost',
  'lost_after_binding',
  'unauthorized',
  'gone',
  'dies',
  'dies_after_binding',
];

const events = fc.array(
  fc.oneof<fc.WeightedArbitrary<Event>[]>(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('sign_in' as const),
        browser: fc.nat(2),
        person,
        ttlMs: fc.constantFrom(5 * MINUTE_MS, 60 * MINUTE_MS),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('open' as const), person, isPinned: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('start' as const), browser: fc.nat(2), flow }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pin' as const), person, flow }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('visit' as const),
        browsers: fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }),
        flow,
        state: fc.constantFrom(
          'none' as const,
          'none' as const,
          'own' as const,
          'of_another_flow' as const,
          'forged' as const,
        ),
        error: fc.option(fc.constantFrom('access_denied', 'server_error'), { freq: 8, nil: undefined }),
        storeFault: fc.option(
          fc.record({ at: fc.integer({ min: 1, max: 10 }), isCarriedOut: fc.boolean() }),
          {
            freq: 4,
            nil: undefined,
          },
        ),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('fates' as const),
        fates: fc.array(fc.constantFrom(...FATES), { minLength: 1, maxLength: 4 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        ms: fc.constantFrom(100, 5_000, 25_000, 6 * MINUTE_MS, 11 * MINUTE_MS),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('sign_out' as const), person }) },
  ),
  { minLength: 5, maxLength: 40 },
);

interface Flow {
  readonly session: AuthorizationSession;
  readonly token: UserToken;
  readonly state: string;
  readonly startHandle: string | undefined;
  /** Where the start link was opened last. */
  startedIn: string | undefined;
  pin: { readonly user: User; readonly token: UserToken; readonly liveUntilMs: number } | undefined;
}

function hold(isTrue: boolean, sentence: string): void {
  if (!isTrue) throw new Error(sentence);
}

/** Plays the events on the shipped rule, and looks after each whether a promise of contract §2 was broken. */
async function live(
  story: readonly Event[],
  clock: Clock & { advance(ms: number): void },
  replicas: readonly BindingRecords[],
): Promise<void> {
  const town = createTown(clock, replicas);
  const people = ['alice', 'bob', 'mallory'].map((name) => town.aUser(name));
  const browsers: (Browser | undefined)[] = [undefined, undefined, undefined];
  const tokens = new Map<User, UserToken[]>();
  const flows: Flow[] = [];
  const ownerOf = new Map<string, User>();
  let turn = 0;

  const liveTokens = (user: User) =>
    (tokens.get(user) ?? []).filter(({ expiresAtMs }) => expiresAtMs > clock.nowMs());

  async function giveToken(user: User, ttlMs: number, session?: AuthorizationSession) {
    const token = town.aToken(user, ttlMs);
    ownerOf.set(token.jwt.reveal(), user);
    const kept = await town.post(token, session, (turn += 1));
    if (kept.kind === 'kept') tokens.set(user, [...(tokens.get(user) ?? []), token]);
    return { token, kept };
  }

  async function visit(event: Extract<Event, { kind: 'visit' }>): Promise<void> {
    const visited = flows[event.flow % Math.max(1, flows.length)];
    if (visited === undefined) return;
    const { session, pin } = visited;
    const named = event.state === 'own' ? visited : flows[(event.flow + 1) % flows.length];
    const state =
      event.state === 'none'
        ? undefined
        : event.state === 'forged'
          ? 'sb1.forged'
          : (named?.state ?? undefined);
    const wasBound = town.agentcore.isBound(session);
    const before = town.agentcore.calls.length;
    const audited = town.audited();
    const visitors = event.browsers.map((browser) => browsers[browser]);
    const users = visitors.map((browser) => browser?.user);
    const startedMs = clock.nowMs();

    const endings = await Promise.all(
      visitors.map((browser) =>
        town.visit({
          browser,
          session,
          state,
          error: event.error,
          replica: (turn += 1),
          storeFault: event.storeFault,
        }),
      ),
    );

    const calls = town.agentcore.calls.slice(before);
    // §2.1: only the browsers' own users' tokens, and at most three calls a visit.
    for (const { jwt, session: called } of calls) {
      const owner = ownerOf.get(jwt);
      hold(called === session.id, 'only the flow that was visited is completed');
      hold(
        users.some((user) => user !== undefined && owner === user),
        'a token of nobody who sits there was sent',
      );
      // §2.2: pins and states veto, and choose among this user's own tokens.
      hold(
        pin === undefined || (owner !== undefined && isSameUser(pin.user, owner)),
        'a pin of another user did not veto',
      );
      hold(
        pin === undefined || pin.token.jwt.reveal() === jwt,
        'a token was sent that the pin does not name',
      );
      hold(pin === undefined || pin.liveUntilMs > startedMs, 'a dead pin let a visit through');
      hold(event.state !== 'forged', 'a forged state did not veto');
      hold(state === undefined || named?.token.user === owner, 'a state of another user did not veto');
      hold(
        pin !== undefined || state === undefined || named?.token.jwt.reveal() === jwt,
        'a token was sent that the state does not name',
      );
      hold(event.error === undefined, 'a consent that failed was completed');
      hold(
        visited.startedIn === undefined || visitors.some((browser) => browser?.lineage === visited.startedIn),
        'a flow that was started elsewhere was completed here',
      );
    }
    hold(
      calls.length <= 3 * users.filter((user) => user !== undefined).length,
      'more than three calls a visit',
    );
    hold(!town.agentcore.overlapped, 'two calls for one user and flow at once');
    hold(
      town.audited() - audited === endings.filter((ending) => typeof ending === 'object').length,
      'one event a decision',
    );

    const isBound = town.agentcore.isBound(session);
    for (const [index, ending] of endings.entries()) {
      if (typeof ending !== 'object') continue;
      const user = users[index];
      const isOwner = user !== undefined && isSameUser(user, visited.token.user);
      if (user === undefined)
        hold(ending.code === 'not_signed_in' && ending.calls.length === 0, 'nobody sits there');
      if (user !== undefined && pin !== undefined && !isSameUser(pin.user, user)) {
        const isOther = event.error !== undefined || event.state !== 'none';
        hold(isOther || ending.code === 'user_mismatch', `${ending.code} was said about another user's flow`);
      }
      if (ending.code === 'completed')
        hold(isBound && isOwner, 'completed was said to somebody who is not connected');
      if (isOwner && wasBound && ending.reason !== 'pin') {
        hold(!SAYS_NOT_CONNECTED.has(ending.code), `${ending.code} was said to somebody who is connected`);
      }
    }
  }

  const happen: { readonly [Kind in Event['kind']]: (event: Extract<Event, { kind: Kind }>) => unknown } = {
    async sign_in({ browser, person: index, ttlMs }) {
      const user = people[index];
      if (user === undefined) return;
      await giveToken(user, ttlMs);
      // A refreshed token in the same browser carries its lineage over; somebody else begins a new one.
      const before = browsers[browser];
      const lineage = before?.user === user ? before.lineage : `lineage-${(turn += 1)}`;
      browsers[browser] = { user, lineage };
    },
    async open({ person: index, isPinned }) {
      const user = people[index];
      if (user === undefined || flows.length === 6) return;
      const opened = town.anAuthorizationSession();
      const { token, kept } = await giveToken(user, 60 * MINUTE_MS, isPinned ? opened : undefined);
      if (kept.kind !== 'kept') return;
      town.agentcore.open(opened, token);
      const pin = isPinned ? { user, token, liveUntilMs: clock.nowMs() + 10 * MINUTE_MS } : undefined;
      flows.push({
        session: opened,
        token,
        state: kept.customState,
        pin,
        startHandle: kept.startHandle,
        startedIn: undefined,
      });
    },
    async pin({ person: index, flow: at }) {
      const user = people[index];
      const pinned = flows[at % Math.max(1, flows.length)];
      if (user === undefined || pinned === undefined) return;
      const { token, kept } = await giveToken(user, 60 * MINUTE_MS, pinned.session);
      if (pinned.pin === undefined) {
        hold(kept.kind === 'kept', 'the first pin was refused');
        pinned.pin = { user, token, liveUntilMs: clock.nowMs() + 10 * MINUTE_MS };
      } else {
        hold((kept.kind === 'kept') === isSameUser(pinned.pin.user, user), 'the first pin wins');
      }
    },
    async start({ browser, flow: at }) {
      const started = flows[at % Math.max(1, flows.length)];
      if (started?.startHandle === undefined) return;
      const starter = browsers[browser];
      const isPinned = starter !== undefined && started.pin?.user === starter.user;
      const isLive = (started.pin?.liveUntilMs ?? 0) > clock.nowMs();
      const start = await town.start(started.startHandle, starter, (turn += 1));
      hold(start.kind === 'stopped' || (isPinned && isLive), 'the URL reached a browser that is not its own');
      if (start.kind === 'started') started.startedIn = starter?.lineage;
    },
    visit,
    fates({ fates }) {
      town.agentcore.fates = [...fates];
    },
    wait: ({ ms }) => clock.advance(ms),
    async sign_out({ person: index }) {
      const user = people[index];
      if (user === undefined) return;
      await town.signOut(user, (turn += 1));
      tokens.delete(user);
      browsers.forEach((one, browser) => one?.user === user && (browsers[browser] = undefined));
    },
  };
  for (const event of story) await happen[event.kind](event as never);

  // Whatever happened, half a minute later whoever pinned a flow of his own can finish it, or is told the truth.
  clock.advance(30_000);
  town.agentcore.fates = [];
  for (const { session, token, pin, startedIn } of flows) {
    if (pin?.token !== token || pin.liveUntilMs <= clock.nowMs() || !town.agentcore.isOpen(session)) continue;
    if (!liveTokens(token.user).includes(token)) continue;
    const wasBound = town.agentcore.isBound(session);
    const browser = { user: token.user, lineage: startedIn ?? 'any' };
    const calm = { state: undefined, error: undefined, storeFault: undefined };
    const ending = await town.visit({ ...calm, browser, session, replica: (turn += 1) });
    const code = typeof ending === 'object' ? ending.code : ending;
    hold(code === 'completed' || (wasBound && code === 'outcome_unknown'), `locked out: ${code}`);
  }
}

/** Several people, browsers, flows, replicas and faults. `openReplicas` gives a store of its own to each story. */
export function life(
  name: string,
  cost: number,
  openReplicas: (clock: Clock) => readonly BindingRecords[],
): Property {
  return property(name, cost, events, async (story) => {
    const clock = createInstantClock();
    await live(story, clock, openReplicas(clock));
  });
}
