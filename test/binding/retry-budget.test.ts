import { describe, expect, it } from 'vitest';
import { callAgentCore } from '../../src/binding/call-agentcore.ts';
import { createRetryBudget } from '../../src/binding/retry-budget.ts';
import { createTrial, ALICE, anAuthorizationSession, type Trial } from './trial.ts';
import { createVirtualClock } from './virtual-clock.ts';

const DEAD = { kind: 'unavailable', mayHaveBound: false, reason: 'server_error' } as const;

/** One visit each of so many people, one after the other, while AgentCore is dead; how often it was asked. */
async function visitsOfADeadAgentCore(trial: Trial, people: number): Promise<number> {
  let calls = 0;
  const completer = {
    async complete() {
      calls += 1;
      return DEAD;
    },
  };
  for (let index = 0; index < people; index += 1) {
    const user = { ...ALICE, subject: `person-${index}` };
    await trial.post(trial.token(user));
    const visit = { user, authorizationSession: anAuthorizationSession(), replica: { completer } };
    expect(await trial.visit(visit)).toBe('agentcore_unavailable');
  }
  return calls;
}

describe('the retries that all callbacks share', () => {
  it('keep a dead AgentCore from being asked three times by everybody [SB-23]', async () => {
    const trial = createTrial();
    const people = 300;
    const startedMs = trial.clock.monotonicMs();
    const calls = await visitsOfADeadAgentCore(trial, people);
    const seconds = (trial.clock.monotonicMs() - startedMs) / 1000;
    // Everybody's own call is made; beyond that the bucket, and what time adds to it.
    expect(calls).toBeGreaterThanOrEqual(people);
    expect(calls).toBeLessThanOrEqual(people + 50 + Math.ceil(seconds));
  });

  it('leave no first call out, however long the outage', async () => {
    const trial = createTrial();
    await visitsOfADeadAgentCore(trial, 100);
    const { authorizationSession } = await trial.flow(ALICE);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });

  it('grow again by what AgentCore answers, be it a refusal [SB-23]', async () => {
    const clock = createVirtualClock();
    const retries = createRetryBudget(clock);
    while (retries.take());
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    for (let visits = 0; visits < 5; visits += 1) {
      const deps = {
        clock,
        completer: trial.agentcore,
        retries,
        randomness: { id: () => '', fraction: () => 0 },
      };
      await callAgentCore(
        authorizationSession,
        [{ userToken: trial.token(ALICE).jwt }],
        new AbortController().signal,
        deps,
      );
    }
    expect([retries.take(), retries.take()]).toEqual([true, false]);
  });

  it('are not what the other tokens of a user cost: those are no retries', async () => {
    const trial = createTrial();
    await visitsOfADeadAgentCore(trial, 100);
    const { authorizationSession } = await trial.flow(ALICE);
    await trial.post(trial.token(ALICE));
    await trial.post(trial.token(ALICE));
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });
});

describe('the budget', () => {
  function createSpent() {
    const clock = createVirtualClock();
    const budget = createRetryBudget(clock);
    let taken = 0;
    while (budget.take()) taken += 1;
    return { clock, budget, taken };
  }

  it('is fifty at once, then none', () => {
    const { budget, taken } = createSpent();
    expect(taken).toBe(50);
    expect(budget.take()).toBe(false);
  });

  it('grows by one for five answers of AgentCore', () => {
    const { budget } = createSpent();
    for (let answers = 0; answers < 5; answers += 1) budget.answered();
    expect([budget.take(), budget.take()]).toEqual([true, false]);
  });

  it('grows by one a second, and never beyond its size', async () => {
    const { clock, budget } = createSpent();
    await clock.advance(999);
    expect(budget.take()).toBe(false);
    await clock.advance(1);
    expect([budget.take(), budget.take()]).toEqual([true, false]);
    await clock.advance(24 * 60 * 60_000);
    for (let answers = 0; answers < 1_000; answers += 1) budget.answered();
    let taken = 0;
    while (budget.take()) taken += 1;
    expect(taken).toBe(50);
  });
});

describe('a pause that AWS asks for', () => {
  /** What the calls come to, and after how long. */
  async function play(retryAfterMs: number | undefined) {
    const trial = createTrial();
    const { authorizationSession, userToken } = await trial.flow(ALICE);
    trial.agentcore.script({ ...DEAD, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    const { clock, agentcore: completer } = trial;
    const startedMs = clock.monotonicMs();
    const result = await clock.finish(
      callAgentCore(authorizationSession, [{ userToken: userToken.jwt }], clock.deadline(10_000).signal, {
        clock,
        completer,
        randomness: { id: () => '', fraction: () => 0.5 },
        retries: createRetryBudget(clock),
      }),
    );
    return { calls: result.calls.length, kind: result.answer.kind, ms: clock.monotonicMs() - startedMs };
  }

  it('is kept to where it is short [SB-23]', async () => {
    expect(await play(1_000)).toEqual({ calls: 2, kind: 'completed', ms: 1_000 });
  });

  it('does not shorten our own', async () => {
    expect(await play(undefined)).toEqual({ calls: 2, kind: 'completed', ms: 200 });
    expect(await play(0)).toEqual({ calls: 2, kind: 'completed', ms: 200 });
  });

  it('ends the callback where it is long: the person waits, not the request [SB-23]', async () => {
    expect(await play(2_000)).toMatchObject({ calls: 2, kind: 'completed' });
    expect(await play(3_000)).toEqual({ calls: 1, kind: 'unavailable', ms: 0 });
  });
});
