import { describe, expect, it, test } from 'vitest';
import { ALICE, createTrial } from './trial.ts';
import { settled } from './virtual-clock.ts';

const MINUTE_MS = 60_000;

describe('replicas whose clocks disagree', () => {
  test.each([-10_000, -1_000, 1_000, 10_000])(
    'by %i ms still make one call [SB-08] [SB-29]',
    async (aheadMs) => {
      const trial = createTrial();
      const { authorizationSession } = await trial.flow(ALICE);
      trial.agentcore.script({ slowMs: 9_900 });
      const first = trial.begin({ user: ALICE, authorizationSession });
      await settled();
      const replica = { clock: trial.clock.skewed(aheadMs) };
      const second = trial.begin({ user: ALICE, authorizationSession, replica });
      const outcomes = await trial.clock.finish(Promise.all([first, second]));
      expect(outcomes.map(({ code }) => code)).toEqual(['completed', 'completed']);
      expect(trial.agentcore.calls).toHaveLength(1);
    },
  );

  test.each([25_000, 60 * MINUTE_MS, -60 * MINUTE_MS])(
    'by %i ms may both call, and neither says that a bound session was refused [SB-29]',
    async (aheadMs) => {
      const trial = createTrial();
      const { authorizationSession } = await trial.flow(ALICE, { ttlMs: 120 * MINUTE_MS });
      trial.agentcore.script({ slowMs: 5_000 });
      const first = trial.begin({ user: ALICE, authorizationSession });
      await settled();
      const replica = { clock: trial.clock.skewed(aheadMs) };
      const second = trial.begin({ user: ALICE, authorizationSession, replica });
      const outcomes = await trial.clock.finish(Promise.all([first, second]));
      expect(outcomes.map(({ code }) => code).toSorted()).toEqual(['completed', 'outcome_unknown']);
      expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('completed');
    },
  );

  it('leave no claim behind that outlives its dead holder by more than 30 seconds [SB-29]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { ttlMs: 120 * MINUTE_MS });
    trial.agentcore.script('killed_before_binding');
    const replica = { clock: trial.clock.skewed(60 * MINUTE_MS) };
    void trial.begin({ user: ALICE, authorizationSession, replica });
    await trial.clock.advance(30_000);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });
});
