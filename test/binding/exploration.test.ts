import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { everySchedule, Explorer, type Fate } from './explorer.ts';
import { ALICE, createTrial, MALLORY } from './trial.ts';
import { settled } from './virtual-clock.ts';

/** What an honest page may say to the user whose flow it is: never that she was refused. */
const HONEST = ['completed', 'outcome_unknown', 'agentcore_unavailable', 'in_progress', 'threw', undefined];

const SCRAPES: readonly Fate[] = ['fails', 'fails_after_acting', 'dies', 'dies_after_acting'];
const length = { minLength: 30, maxLength: 80 };
const pick = fc.nat(3);

/** Whose turn it is. */
const calm = fc.array(
  fc.record({ pick, fate: fc.constant<Fate>('goes_on'), pauseMs: fc.constant(0) }),
  length,
);

/** The same, with lost commands, killed processes and passing time. */
const stormy = fc.array(
  fc.record({
    pick,
    fate: fc.oneof(
      { weight: 20, arbitrary: fc.constant<Fate>('goes_on') },
      { weight: 2, arbitrary: fc.constantFrom(...SCRAPES) },
    ),
    pauseMs: fc.oneof(
      { weight: 12, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.constantFrom(100, 3_000, 11_000, 20_000) },
    ),
  }),
  length,
);

describe('two users with two visits each, in any order, cut off anywhere', () => {
  // Some hundred runs of thousands of steps each: give a busy machine its time.
  it(
    'AgentCore is completed once at most, and only for its user; nobody is told what is not so [SB-08] [SB-09] [SB-23] [SB-24]',
    { timeout: 60_000 },
    async () => {
      const seen: unknown[] = [];
      await fc.assert(
        fc.asyncProperty(
          fc.boolean(),
          fc.shuffledSubarray([ALICE, ALICE, MALLORY, MALLORY], { minLength: 4 }),
          fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
          fc.oneof({ weight: 1, arbitrary: calm }, { weight: 4, arbitrary: stormy }),
          async (pinned, users, suspended, plan) => {
            const trial = createTrial();
            const { authorizationSession } = await trial.flow(ALICE, { pinned });
            await trial.post(trial.token(MALLORY));
            const explorer = new Explorer(trial);
            users.forEach((user, index) =>
              explorer.begin(user, authorizationSession, suspended[index] ?? false),
            );
            await settled();
            let isUndisturbed = true;
            for (const { pick: turn, fate, pauseMs } of plan) {
              isUndisturbed &&= fate === 'goes_on' && pauseMs === 0;
              await trial.clock.advance(pauseMs);
              if (explorer.waiting > 0) await explorer.step(turn % explorer.waiting, fate);
            }
            await explorer.finish();

            for (const { user, ended } of explorer.visits) {
              seen.push(ended);
              if (ended === 'completed') expect(explorer.confirmed).toContain(user);
              if (user === ALICE) expect(HONEST).toContain(ended);
              else expect(ended).not.toBe('completed');
              if (user === ALICE && isUndisturbed) expect(ended).toBe('completed');
            }
            if (isUndisturbed) expect(explorer.mostCallsOfOneUser).toBe(1);
            expect(trial.decisions).toHaveLength(
              explorer.visits.filter(({ ended }) => ended !== undefined && ended !== 'threw').length,
            );

            // Whatever happened, thirty seconds later her flow is finished, or was before.
            await trial.clock.advance(30_000);
            const wasBound = trial.agentcore.isBound(authorizationSession);
            const last = await trial.visit({ user: ALICE, authorizationSession });
            expect(wasBound ? ['completed', 'outcome_unknown'] : ['completed']).toContain(last);
            if (last === 'completed' && wasBound) expect(explorer.confirmed).toContain(ALICE);
            expect(trial.agentcore.isBound(authorizationSession)).toBe(true);
          },
        ),
        { numRuns: 400 },
      );
      // Else this test would say nothing.
      expect(seen).toContain('outcome_unknown');
      expect(seen).toContain('threw');
      expect(seen).toContain('in_progress');
    },
  );
});

describe('two visits of one user', () => {
  it('make one call and both show it, in every order of their steps [SB-08]', async () => {
    const schedules = await everySchedule(async (choose) => {
      const trial = createTrial();
      const { authorizationSession } = await trial.flow(ALICE);
      const explorer = new Explorer(trial);
      explorer.begin(ALICE, authorizationSession, false);
      explorer.begin(ALICE, authorizationSession, false);
      await settled();
      // The first steps only read; two visits differ from the claim on.
      for (let reads = 0; reads < 6; reads += 1) await explorer.step(0, 'goes_on');
      while (!explorer.isOver) {
        if (explorer.waiting > 0) await explorer.step(choose(explorer.waiting), 'goes_on');
        else await trial.clock.advance(100);
      }
      expect(explorer.visits.map(({ ended }) => ended)).toEqual(['completed', 'completed']);
      expect(trial.agentcore.calls).toHaveLength(1);
    });
    expect(schedules).toBeGreaterThan(50);
  });
});

test.each(SCRAPES)(
  'a visit that %s at any one step is followed by one that is honest [SB-23]',
  async (fate) => {
    for (let index = 0; ; index += 1) {
      const trial = createTrial();
      const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
      const explorer = new Explorer(trial);
      explorer.begin(ALICE, authorizationSession, false);
      await settled();
      for (let before = 0; before < index && !explorer.isOver; before += 1) await explorer.step(0, 'goes_on');
      if (explorer.isOver) {
        expect(index).toBe(9);
        return;
      }
      await explorer.step(0, fate);
      await explorer.finish();
      await trial.clock.advance(30_000);
      const wasBound = trial.agentcore.isBound(authorizationSession);
      const isTold = explorer.visits[0]?.ended === 'completed';
      const last = await trial.visit({ user: ALICE, authorizationSession });
      const isKnown = !wasBound || isTold || (await trial.records.completions.read(authorizationSession.key));
      expect(last, `step ${index}`).toBe(isKnown ? 'completed' : 'outcome_unknown');
    }
  },
);
