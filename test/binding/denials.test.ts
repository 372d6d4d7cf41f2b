import { describe, expect, it } from 'vitest';
import { ALICE, createTrial, MALLORY } from './trial.ts';
import { settled } from './virtual-clock.ts';

const DENIED = { error: 'access_denied' };

describe('a denial', () => {
  it('is noted for the pinned user, and a later success overwrites it', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    expect(await trial.refusal({ user: ALICE, authorizationSession, ...DENIED })).toBe('consent_denied');
    const attempt = () => trial.records.attempts.read(authorizationSession.key, ALICE);
    expect(await attempt()).toEqual({ mayHaveBound: false, ended: 'consent_denied' });
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    expect(await attempt()).toEqual({ mayHaveBound: false, ended: 'completed' });
  });

  it('in a stranger’s browser changes nothing of the pinned user’s, and nothing of his [SB-09]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    expect(await trial.refusal({ user: MALLORY, authorizationSession, ...DENIED })).toBe('consent_denied');
    expect(await trial.records.attempts.read(authorizationSession.key, ALICE)).toBeUndefined();
    expect(await trial.records.attempts.read(authorizationSession.key, MALLORY)).toBeUndefined();
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });

  it('without a pin is noted for nobody', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    await trial.refusal({ user: ALICE, authorizationSession, ...DENIED });
    expect(await trial.records.attempts.read(authorizationSession.key, ALICE)).toBeUndefined();
  });

  it('is the only error that is noted', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    await trial.refusal({ user: ALICE, authorizationSession, error: 'server_error' });
    expect(await trial.records.attempts.read(authorizationSession.key, ALICE)).toBeUndefined();
  });

  it('forged into a link does not end a binding under way, nor let another call start [SB-02]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    trial.agentcore.script({ slowMs: 3_000 });
    const binding = trial.begin({ user: ALICE, authorizationSession });
    await settled();
    expect(await trial.refusal({ user: ALICE, authorizationSession, ...DENIED })).toBe('consent_denied');
    const other = trial.begin({ user: ALICE, authorizationSession });
    const outcomes = await trial.clock.finish(Promise.all([binding, other]));
    expect(outcomes.map(({ code }) => code)).toEqual(['completed', 'completed']);
    expect(trial.agentcore.calls).toHaveLength(1);
  });

  it('does not hide that a lost call may have bound the session [SB-23]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    trial.agentcore.script('killed_after_binding');
    void trial.begin({ user: ALICE, authorizationSession });
    await trial.clock.advance(20_000);
    await trial.refusal({ user: ALICE, authorizationSession, ...DENIED });
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('outcome_unknown');
    await trial.refusal({ user: ALICE, authorizationSession, ...DENIED });
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('outcome_unknown');
  });

  it('is told to the person even where its note is one too many', async () => {
    const trial = createTrial({
      records: (records) => ({
        ...records,
        attempts: { ...records.attempts, compareAndSet: async () => 'too_many' },
      }),
    });
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    expect(await trial.refusal({ user: ALICE, authorizationSession, ...DENIED })).toBe('consent_denied');
  });
});
