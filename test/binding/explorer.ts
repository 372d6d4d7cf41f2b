import type { AuthorizationSession } from '../../src/binding/authorization-session.ts';
import type { BindDeps } from '../../src/binding/bind.ts';
import type { BindingCode } from '../../src/binding/outcome.ts';
import { type CompletionAnswer, StoreUnavailable } from '../../src/binding/ports.ts';
import { isSameUser, type User } from '../../src/binding/user.ts';
import type { Trial } from './trial.ts';
import { endless, settled } from './virtual-clock.ts';

/** What becomes of the next step of a visit: its command, or its process, may be lost before or after it acts. */
export type Fate = 'goes_on' | 'fails' | 'fails_after_acting' | 'dies' | 'dies_after_acting';

interface Step {
  readonly visit: ExploredVisit;
  readonly act: () => Promise<unknown>;
  readonly answer: (result: unknown) => void;
  /** The command's caller gets no answer. */
  readonly fail: () => void;
}

export interface ExploredVisit {
  readonly user: User;
  isDead: boolean;
  /** Undefined while it runs or is dead. */
  ended?: BindingCode | 'threw';
}

const LOST: CompletionAnswer = { kind: 'unavailable', mayHaveBound: true, reason: 'timeout' };

/** Visits that stop before every command to store and AgentCore, until the test says whose turn it is. */
export class Explorer {
  readonly visits: ExploredVisit[] = [];
  /** Users to whom AgentCore's own confirmation came through. */
  readonly confirmed = new Set<User>();
  mostCallsOfOneUser = 0;
  #steps: Step[] = [];
  readonly #trial: Trial;
  readonly #callsOf = new Map<User, number>();

  constructor(trial: Trial) {
    this.#trial = trial;
  }

  get waiting(): number {
    return this.#steps.length;
  }

  get isOver(): boolean {
    return this.visits.every(({ isDead, ended }) => isDead || ended !== undefined);
  }

  /** `isSuspended`: its machine sleeps while the others' time passes, so its own budget never runs out. */
  begin(user: User, authorizationSession: AuthorizationSession, isSuspended: boolean): void {
    const visit: ExploredVisit = { user, isDead: false };
    this.visits.push(visit);
    const replica = this.#replica(visit, isSuspended);
    this.#trial.begin({ user, authorizationSession, replica }).then(
      ({ code }) => (visit.ended = code),
      (error: unknown) => {
        if (!(error instanceof StoreUnavailable)) throw error;
        visit.ended = 'threw';
      },
    );
  }

  async step(index: number, fate: Fate): Promise<void> {
    const [step] = this.#steps.splice(index, 1);
    if (step === undefined || step.visit.isDead) return;
    const { visit, act, answer, fail } = step;
    if (fate === 'goes_on') answer(await act());
    if (fate === 'fails_after_acting' || fate === 'dies_after_acting') await act();
    if (fate === 'fails' || fate === 'fails_after_acting') fail();
    if (fate === 'dies' || fate === 'dies_after_acting') visit.isDead = true;
    await settled();
    this.#steps = this.#steps.filter((other) => !other.visit.isDead);
  }

  /** Lets every visit that is still alive run to its end. */
  async finish(): Promise<void> {
    while (!this.isOver) {
      if (this.waiting > 0) await this.step(0, 'goes_on');
      else await this.#trial.clock.advance(100);
    }
  }

  #replica(visit: ExploredVisit, isSuspended: boolean): Partial<BindDeps> {
    const { records, agentcore, clock } = this.#trial;
    const store = <T>(act: () => Promise<T>): Promise<T> => this.#gate(visit, act, 'throw');
    // Whatever a visit reads or writes of a user, it is its own user's.
    const own = <T>(user: User, act: () => Promise<T>): Promise<T> => {
      if (!isSameUser(user, visit.user)) throw new TypeError('a visit touched a record of another user');
      return store(act);
    };
    return {
      pins: { ...records.pins, read: (key) => store(() => records.pins.read(key)) },
      userTokens: {
        ...records.userTokens,
        read: (user, fingerprint) => own(user, () => records.userTokens.read(user, fingerprint)),
        list: (user) => own(user, () => records.userTokens.list(user)),
      },
      attempts: {
        read: (key, user) => own(user, () => records.attempts.read(key, user)),
        compareAndSet: (key, user, ...change) =>
          own(user, () => records.attempts.compareAndSet(key, user, ...change)),
      },
      completions: {
        read: (key) => store(() => records.completions.read(key)),
        record: (key, user) => own(user, () => records.completions.record(key, user)),
      },
      completer: {
        complete: async (session, identifier, signal) => {
          this.#count(visit.user, 1);
          const call = this.#gate(visit, () => agentcore.complete(session, identifier, signal), LOST);
          // The adapter gives up with the signal; the call itself may still arrive at AgentCore.
          const gaveUp = new Promise<CompletionAnswer>((resolve) => {
            signal.addEventListener('abort', () => resolve(LOST));
          });
          const answer = await Promise.race([call, gaveUp]);
          this.#count(visit.user, -1);
          if (answer.kind === 'completed') this.confirmed.add(visit.user);
          return answer;
        },
      },
      ...(isSuspended && { clock: { ...clock, deadline: endless } }),
    };
  }

  #count(user: User, more: 1 | -1): void {
    const calls = (this.#callsOf.get(user) ?? 0) + more;
    this.#callsOf.set(user, calls);
    this.mostCallsOfOneUser = Math.max(this.mostCallsOfOneUser, calls);
  }

  #gate<T>(visit: ExploredVisit, act: () => Promise<T>, unanswered: T | 'throw'): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#steps.push({
        visit,
        act,
        answer: (result) => resolve(result as T),
        fail: () => (unanswered === 'throw' ? reject(new StoreUnavailable('scripted')) : resolve(unanswered)),
      });
    });
  }
}

/** Runs once for every sequence of choices there is; resolves to their number. */
export async function everySchedule(
  run: (choose: (options: number) => number) => Promise<void>,
): Promise<number> {
  let prefix: readonly number[] = [];
  for (let schedules = 1; ; schedules += 1) {
    const taken: { readonly choice: number; readonly options: number }[] = [];
    await run((options) => {
      const choice = prefix[taken.length] ?? 0;
      taken.push({ choice, options });
      return choice;
    });
    while ((taken.at(-1)?.options ?? 2) <= (taken.at(-1)?.choice ?? 0) + 1) taken.pop();
    const last = taken.pop();
    if (last === undefined) return schedules;
    prefix = [...taken.map(({ choice }) => choice), last.choice + 1];
  }
}
