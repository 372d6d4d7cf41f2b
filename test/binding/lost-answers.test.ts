import { describe, expect, it, test } from 'vitest';
import type { AttemptStore, BindingRecords } from '../../src/binding/ports.ts';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import { type CallScript, LOST, THROTTLED } from './scripted-agentcore.ts';
import { ALICE, anAuthorizationSession, createTrial, MALLORY } from './trial.ts';
import { endless, settled } from './virtual-clock.ts';

const WRONG: CallScript = { kind: 'wrong_artifact' };
const LEASE_MS = 20_000;

/** A store whose first look at a completion under the claim behaves as told. */
function claimedLook(look: () => Promise<undefined>): (records: BindingRecords) => BindingRecords {
  let reads = 0;
  return (records) => ({
    ...records,
    completions: {
      ...records.completions,
      async read(key) {
        reads += 1;
        return reads === 2 ? look() : records.completions.read(key);
      },
    },
  });
}

describe('after a lost answer, a refusal is outcome_unknown', () => {
  it('in the same visit: the retry finds the session used up by the call that was lost [SB-23]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script('lost_after_binding');
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('outcome_unknown');
    expect(trial.agentcore.isBound(authorizationSession)).toBe(true);
    expect(trial.decisions.at(-1)?.outcome.calls).toEqual([
      { answer: 'unavailable', durationMs: 0, reason: 'reset' },
      { answer: 'wrong_artifact', durationMs: 0 },
    ]);
  });

  test.each<CallScript>([WRONG, { kind: 'gone' }, { kind: 'token_refused' }, { kind: 'forbidden' }])(
    'in a later visit, and in every one after it: %j',
    async (refusal) => {
      const trial = createTrial();
      const { authorizationSession } = await trial.flow(ALICE);
      trial.agentcore.script(LOST, LOST, LOST);
      expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('agentcore_unavailable');
      for (let visits = 0; visits < 3; visits += 1) {
        trial.agentcore.script(refusal);
        expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('outcome_unknown');
        await trial.clock.advance(15 * 60_000);
      }
      // Neither is it the end: AgentCore’s own confirmation still counts.
      expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    },
  );

  it('whatever clear answer came between the two', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script('lost_after_binding', THROTTLED, WRONG);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('outcome_unknown');
  });

  it('whichever of several user tokens the lost call carried', async () => {
    const trial = createTrial();
    for (let posts = 0; posts < 3; posts += 1) await trial.post(trial.token(ALICE));
    trial.agentcore.script(LOST, WRONG, WRONG);
    const visit = { user: ALICE, authorizationSession: anAuthorizationSession() };
    expect(await trial.visit(visit)).toBe('outcome_unknown');
    const [first, second, third] = trial.agentcore.calls;
    expect(first).toBe(second);
    expect(third).not.toBe(second);
  });

  it('for a process killed after AgentCore bound it: never as refused, never as success [SB-23]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script('killed_after_binding');
    void trial.begin({ user: ALICE, authorizationSession });
    await trial.clock.advance(LEASE_MS);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('outcome_unknown');
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('outcome_unknown');
  });

  it('for a process killed between claim and call, since nobody knows that it did not call', async () => {
    const trial = createTrial({ records: claimedLook(() => new Promise(() => undefined)) });
    const { authorizationSession } = await trial.flow(ALICE);
    void trial.begin({ user: ALICE, authorizationSession });
    await trial.clock.advance(LEASE_MS);
    expect(trial.agentcore.calls).toEqual([]);
    trial.agentcore.script(WRONG);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('outcome_unknown');
  });

  it('for a bug in the middle of a call', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script('throws', WRONG);
    await expect(trial.begin({ user: ALICE, authorizationSession })).rejects.toBeInstanceOf(TypeError);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('outcome_unknown');
  });
});

describe('without a lost answer, a refusal is a refusal', () => {
  it('where every “try later” was AWS’s own word', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script(THROTTLED, THROTTLED, WRONG);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('authorization_expired');
  });

  it('where the claim was given back before the call', async () => {
    const fail = async (): Promise<undefined> => {
      throw new StoreUnavailable('scripted');
    };
    const trial = createTrial({ records: claimedLook(fail) });
    const { authorizationSession } = await trial.flow(ALICE);
    await expect(trial.begin({ user: ALICE, authorizationSession })).rejects.toBeInstanceOf(StoreUnavailable);
    trial.agentcore.script(WRONG);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('authorization_expired');
  });

  it('for another user, whose calls were never lost [SB-09]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    await trial.post(trial.token(MALLORY));
    trial.agentcore.script(LOST, LOST, LOST);
    await trial.visit({ user: ALICE, authorizationSession });
    expect(await trial.visit({ user: MALLORY, authorizationSession })).toBe('authorization_expired');
  });

  it('for another authorization session of the same user', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script(LOST, LOST, LOST);
    await trial.visit({ user: ALICE, authorizationSession });
    const other = { user: ALICE, authorizationSession: anAuthorizationSession() };
    expect(await trial.visit(other)).toBe('authorization_expired');
  });
});

describe('a process that slept through its own lease', () => {
  // The call of the sleeper is refused because the visit that took the claim over has bound the session.
  test.each<[string, readonly CallScript[], string]>([
    ['and another visit completed', [], 'completed'],
    ['and the answer of the other visit was lost', ['lost_after_binding'], 'outcome_unknown'],
  ])('says outcome_unknown, never refused: %s [SB-08]', async (_name, others, settledAs) => {
    let wake: () => void = () => undefined;
    const sleep = new Promise<undefined>((resolve) => (wake = () => resolve(undefined)));
    const trial = createTrial({ records: claimedLook(() => sleep) });
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    // Its machine was suspended: no time passed for its own budget.
    const replica = { clock: { ...trial.clock, deadline: endless } };
    const sleeper = trial.begin({ user: ALICE, authorizationSession, replica });
    await trial.clock.advance(LEASE_MS);
    trial.agentcore.script(...others);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe(settledAs);
    wake();
    expect((await trial.clock.finish(sleeper)).code).toBe('outcome_unknown');
    await settled();
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe(settledAs);
  });

  it('says outcome_unknown too where the store does not tell whether it was overtaken', async () => {
    let wake: () => void = () => undefined;
    const sleep = new Promise<undefined>((resolve) => (wake = () => resolve(undefined)));
    const trial = createTrial({ records: claimedLook(() => sleep) });
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    let isStoreDown = false;
    const attempts: AttemptStore = {
      ...trial.records.attempts,
      compareAndSet: async (...command) => {
        if (isStoreDown) throw new StoreUnavailable('scripted');
        return trial.records.attempts.compareAndSet(...command);
      },
    };
    const replica = { attempts, clock: { ...trial.clock, deadline: endless } };
    const sleeper = trial.begin({ user: ALICE, authorizationSession, replica });
    await trial.clock.advance(LEASE_MS);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    isStoreDown = true;
    wake();
    expect((await trial.clock.finish(sleeper)).code).toBe('outcome_unknown');
  });
});
