import { describe, expect, it, test } from 'vitest';
import type { BindingCode } from '../../src/binding/outcome.ts';
import type { BindingRecords } from '../../src/binding/ports.ts';
import { type CallScript, LOST, THROTTLED } from './scripted-agentcore.ts';
import { ALICE, anAuthorizationSession, createTrial, MALLORY } from './trial.ts';
import { settled } from './virtual-clock.ts';

const LEASE_MS = 20_000;

describe('concurrent visits of one user', () => {
  it('make one call; the others wait and show its outcome [SB-08] [SB-09]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script({ slowMs: 2_000 });
    const visits = Array.from({ length: 10 }, () => trial.begin({ user: ALICE, authorizationSession }));
    const outcomes = await trial.clock.finish(Promise.all(visits));
    expect(trial.agentcore.calls).toHaveLength(1);
    expect(outcomes.map(({ code }) => code)).toEqual(outcomes.map(() => 'completed'));
    expect(outcomes.filter(({ reason }) => reason === 'waited')).toHaveLength(9);
    expect(outcomes.filter(({ calls }) => calls.length > 0)).toHaveLength(1);
    expect(trial.decisions).toHaveLength(10);
    expect(trial.clock.monotonicMs()).toBeLessThanOrEqual(2_200);
  });

  it('make one call where all of them saw the claim free before any took it [SB-08]', async () => {
    // Both replicas read, then both write: only the store's atomic command decides.
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const trial = createTrial({
      records: (records) => ({
        ...records,
        attempts: {
          ...records.attempts,
          async compareAndSet(...command) {
            await gate;
            return records.attempts.compareAndSet(...command);
          },
        },
      }),
    });
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script({ slowMs: 1_000 });
    const visits = [1, 2, 3].map(() => trial.begin({ user: ALICE, authorizationSession }));
    await settled();
    open();
    const outcomes = await trial.clock.finish(Promise.all(visits));
    expect(outcomes.map(({ code }) => code)).toEqual(['completed', 'completed', 'completed']);
    expect(trial.agentcore.calls).toHaveLength(1);
  });

  test.each<[CallScript, BindingCode]>([
    [{ kind: 'wrong_artifact' }, 'authorization_expired'],
    [{ kind: 'token_refused' }, 'token_refused'],
    [{ kind: 'forbidden' }, 'agentcore_forbidden'],
  ])('share a refusal too: %j', async (script, code) => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    let decide: () => void = () => undefined;
    const decision = new Promise<void>((resolve) => (decide = resolve));
    trial.agentcore.script({ after: decision, script });
    const first = trial.begin({ user: ALICE, authorizationSession });
    const second = trial.begin({ user: ALICE, authorizationSession });
    await settled();
    decide();
    expect((await trial.clock.finish(first)).code).toBe(code);
    expect(await trial.clock.finish(second)).toEqual({ code, reason: 'waited', user: ALICE, calls: [] });
    expect(trial.agentcore.calls).toHaveLength(1);
  });

  it('wait ten seconds at most, then say in_progress', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script('killed_before_binding');
    void trial.begin({ user: ALICE, authorizationSession });
    await settled();
    const startMs = trial.clock.monotonicMs();
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('in_progress');
    expect(trial.clock.monotonicMs() - startMs).toBe(10_000);
  });
});

it('a visit whose claim was taken by a command that a client sent twice knows it for its own', async () => {
  // A store client that resends after a broken connection hears of the second command alone.
  let commands = 0;
  const trial = createTrial({
    records: (records) => ({
      ...records,
      attempts: {
        ...records.attempts,
        async compareAndSet(...command) {
          commands += 1;
          const written = await records.attempts.compareAndSet(...command);
          return commands === 1 ? 'conflict' : written;
        },
      },
    }),
  });
  const { authorizationSession } = await trial.flow(ALICE);
  trial.agentcore.script({ kind: 'wrong_artifact' });
  expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('authorization_expired');
  expect(trial.clock.monotonicMs()).toBe(0);
});

describe('a claim whose holder died', () => {
  it('lapses after 20 seconds, to the millisecond; then its user can finish [SB-09]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    trial.agentcore.script('killed_before_binding');
    void trial.begin({ user: ALICE, authorizationSession });
    await trial.clock.advance(LEASE_MS - 1);
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('in_progress');
    // That visit saw the lease end, and did not wait longer for nobody.
    expect(trial.clock.monotonicMs()).toBeLessThan(LEASE_MS + 200);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });

  it('is free exactly when the lease is over', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    trial.agentcore.script('killed_before_binding');
    void trial.begin({ user: ALICE, authorizationSession });
    await trial.clock.advance(LEASE_MS);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });
});

describe('another user', () => {
  it('holds no claim of the rightful user’s, however slow his own visit is [SB-09]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    await trial.post(trial.token(MALLORY));
    trial.agentcore.script('hangs');
    const mallorys = trial.begin({ user: MALLORY, authorizationSession });
    await settled();
    expect(trial.agentcore.inFlight).toBe(1);
    const startMs = trial.clock.monotonicMs();
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    expect(trial.clock.monotonicMs()).toBe(startMs);
    await trial.clock.finish(mallorys);
  });

  it('who visits in a loop neither blocks nor changes anything of hers [SB-09]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    await trial.post(trial.token(MALLORY));
    for (let visits = 0; visits < 50; visits += 1) {
      expect(await trial.visit({ user: MALLORY, authorizationSession })).toBe('authorization_expired');
    }
    expect(await trial.records.attempts.read(authorizationSession.key, ALICE)).toBeUndefined();
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });

  it.each([
    ['he himself, in another tab', ALICE, 'completed', 'already'],
    ['another user', MALLORY, 'user_mismatch', 'completion'],
  ] as const)(
    'who completes the session after its first look is seen under the claim, be it %s: AgentCore is not called',
    async (_who, completedBy, code, reason) => {
      const trial = createTrial({
        records: (records) => ({
          ...records,
          userTokens: {
            ...records.userTokens,
            async list(user) {
              await records.completions.record(authorizationSession.key, completedBy);
              return records.userTokens.list(user);
            },
          },
        }),
      });
      const { authorizationSession } = await trial.flow(ALICE);
      expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe(code);
      expect(trial.decisions.at(-1)?.outcome).toMatchObject({ code, reason });
      const attempt = await trial.records.attempts.read(authorizationSession.key, ALICE);
      expect(attempt).toEqual({ mayHaveBound: false, ended: code });
    },
  );
});

describe('every outcome gives the claim back', () => {
  test.each<[BindingCode, readonly CallScript[]]>([
    ['agentcore_unavailable', [THROTTLED, THROTTLED, THROTTLED]],
    ['agentcore_unavailable', [LOST, LOST, LOST]],
    ['agentcore_forbidden', [{ kind: 'forbidden' }]],
    ['outcome_unknown', [LOST, { kind: 'wrong_artifact' }]],
    ['authorization_expired', [{ kind: 'gone' }]],
    ['token_refused', [{ kind: 'token_refused' }]],
  ])('%s after %j: the next visit calls at once and can succeed', async (code, scripts) => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    trial.agentcore.script(...scripts);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe(code);
    const startMs = trial.clock.monotonicMs();
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    expect(trial.clock.monotonicMs()).toBe(startMs);
  });

  it('and so does a bug', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    trial.agentcore.script('throws');
    await expect(trial.begin({ user: ALICE, authorizationSession })).rejects.toBeInstanceOf(TypeError);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });
});

it('says rate_limited where a user has too many attempts, and calls nobody [SB-22]', async () => {
  const full = (records: BindingRecords): BindingRecords => ({
    ...records,
    attempts: { ...records.attempts, compareAndSet: async () => 'too_many' },
  });
  const trial = createTrial({ records: full });
  await trial.post(trial.token(ALICE));
  const visit = { user: ALICE, authorizationSession: anAuthorizationSession() };
  expect(await trial.refusal(visit)).toBe('rate_limited');
  expect(trial.decisions.at(-1)?.outcome.reason).toBe('attempts');
});
