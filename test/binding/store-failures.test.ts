import { describe, expect, it, test } from 'vitest';
import type { BindingCode } from '../../src/binding/outcome.ts';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import type { CallScript } from './scripted-agentcore.ts';
import { type FailingRecords, failingRecords, type Failure } from './failing-records.ts';
import { ALICE, createTrial, type Trial } from './trial.ts';

/** What a pinned visit asks of the store, in order; AgentCore is called before the seventh. */
const STEPS = [
  'pins.read',
  'completions.read',
  'userTokens.read',
  'attempts.read',
  'attempts.compareAndSet',
  'completions.read',
  'completions.record',
  'attempts.compareAndSet',
] as const;
const CLAIM = 4;
const FIRST_AFTER_CALL = 6;
const FAILURES: readonly Failure[] = ['not_done', 'done_unanswered', 'down_from_here'];
const LEASE_MS = 20_000;

const failures = (from: number, to: number) =>
  STEPS.flatMap((name, index) =>
    index >= from && index < to
      ? FAILURES.map((failure) => ({ name, number: index + 1, index, failure }))
      : [],
  );

interface FailingTrial extends Trial {
  readonly store: FailingRecords;
}

function createFailingTrial(): FailingTrial {
  let store: FailingRecords | undefined;
  const trial = createTrial({
    records(records) {
      store = failingRecords(records);
      return store.records;
    },
  });
  if (store === undefined) throw new Error('a trial has records');
  return { ...trial, store };
}

it('a visit takes the steps that these tests let fail', async () => {
  const trial = createFailingTrial();
  const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
  trial.store.heal();
  await trial.visit({ user: ALICE, authorizationSession });
  expect(trial.store.steps).toEqual(STEPS);
  expect(trial.lostRecords).toEqual([]);
});

describe('a store that fails before the call', () => {
  test.each(failures(0, FIRST_AFTER_CALL))(
    'at step $number ($name, $failure): AgentCore is not called, and its user can finish',
    async ({ index, failure }) => {
      const trial = createFailingTrial();
      const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
      const visit = { user: ALICE, authorizationSession };

      trial.store.arm(index, failure);
      await expect(trial.begin(visit)).rejects.toBeInstanceOf(StoreUnavailable);
      expect(trial.agentcore.calls).toEqual([]);
      expect(trial.lostRecords).toEqual([]);

      trial.store.heal();
      const isClaimHeld = failure === 'down_from_here' && index > CLAIM;
      if (isClaimHeld) {
        // The store could not be told; the lease ends it.
        expect(await trial.refusal(visit)).toBe('in_progress');
        await trial.clock.advance(LEASE_MS);
      }
      expect(await trial.visit(visit)).toBe('completed');
    },
  );

  test.each(failures(CLAIM, FIRST_AFTER_CALL).filter(({ failure }) => failure !== 'down_from_here'))(
    'at step $number ($name, $failure): a refusal afterwards is one, since nothing was called',
    async ({ index, failure }) => {
      const trial = createFailingTrial();
      const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
      trial.store.arm(index, failure);
      await expect(trial.begin({ user: ALICE, authorizationSession })).rejects.toThrow();
      trial.store.heal();
      trial.agentcore.script({ kind: 'wrong_artifact' });
      expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('authorization_expired');
    },
  );
});

describe('a store that fails after AgentCore’s confirmation', () => {
  test.each(failures(FIRST_AFTER_CALL, STEPS.length))(
    'at step $number ($name, $failure): the user is told that he is connected, and the loss is audited [SB-24]',
    async ({ index, failure }) => {
      const trial = createFailingTrial();
      const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
      trial.store.arm(index, failure);
      expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
      const [{ requestId } = { requestId: '' }] = trial.decisions;
      expect(trial.lostRecords).toEqual([{ requestId, authorizationSession, code: 'completed' }]);
    },
  );

  test.each(failures(FIRST_AFTER_CALL, STEPS.length).filter(({ failure }) => failure !== 'down_from_here'))(
    'at step $number ($name, $failure): a second visit still shows it, without another call [SB-08]',
    async ({ index, failure }) => {
      const trial = createFailingTrial();
      const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
      trial.store.arm(index, failure);
      await trial.visit({ user: ALICE, authorizationSession });
      trial.store.heal();
      expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('completed');
      // Nor can a forged denial take that away.
      await trial.refusal({ user: ALICE, authorizationSession, error: 'access_denied' });
      expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('completed');
    },
  );

  it('and stays down: once the lease is over nobody says refused [SB-23]', async () => {
    const trial = createFailingTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    trial.store.arm(FIRST_AFTER_CALL, 'down_from_here');
    await trial.visit({ user: ALICE, authorizationSession });
    trial.store.heal();
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('in_progress');
    await trial.clock.advance(LEASE_MS);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('outcome_unknown');
  });
});

describe('a store that fails after another answer of AgentCore', () => {
  // Unwritten, nobody knows that no other visit took the claim over: a refusal is in doubt.
  test.each<[BindingCode, BindingCode, CallScript]>([
    ['authorization_expired', 'outcome_unknown', { kind: 'wrong_artifact' }],
    ['token_refused', 'outcome_unknown', { kind: 'token_refused' }],
    ['agentcore_forbidden', 'outcome_unknown', { kind: 'forbidden' }],
  ])('does not hide the call from the audit: %s is told as %s', async (code, told, script) => {
    const trial = createFailingTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    trial.store.arm(FIRST_AFTER_CALL, 'down_from_here');
    trial.agentcore.script(script);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe(told);
    expect(trial.decisions[0]?.outcome.calls).toHaveLength(1);
    expect(trial.lostRecords).toMatchObject([{ code }]);
    trial.store.heal();
    await trial.clock.advance(LEASE_MS);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });
});

it('a bug in the store is no StoreUnavailable: it is thrown, not swallowed', async () => {
  const trial = createTrial({
    records: (records) => ({
      ...records,
      completions: {
        ...records.completions,
        record: async () => {
          throw new TypeError('a bug');
        },
      },
    }),
  });
  const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
  await expect(trial.begin({ user: ALICE, authorizationSession })).rejects.toBeInstanceOf(TypeError);
});
