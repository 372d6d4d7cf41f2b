import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { ALICE, createTrial, MALLORY } from './trial.ts';

describe('a flow that was started in one browser of its user', () => {
  it('is not bound from another of hers, nor told there as denied by mistake [SB-32]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    const pin = await trial.records.pins.read(authorizationSession.key);
    if (pin === undefined) throw new Error('it is pinned');
    await trial.records.pins.start(pin, 'her-laptop');

    const visit = { user: ALICE, authorizationSession };
    expect(await trial.refusal({ ...visit, lineage: 'her-phone' })).toBe('browser_mismatch');
    expect(await trial.refusal({ ...visit, user: MALLORY, lineage: 'her-laptop' })).toBe('user_mismatch');
    expect(await trial.visit({ ...visit, lineage: 'her-laptop' })).toBe('completed');
    // Once it is done there is nothing left to veto: her phone may see it.
    expect(await trial.refusal({ ...visit, lineage: 'her-phone' })).toBe('completed');
  });

  it('is not noted as denied by a link that its user opens in another browser [SB-02] [SB-32]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    const pin = await trial.records.pins.read(authorizationSession.key);
    if (pin === undefined) throw new Error('it is pinned');
    await trial.records.pins.start(pin, 'her-laptop');

    const denied = { user: ALICE, authorizationSession, error: 'access_denied' };
    const attempt = () => trial.records.attempts.read(authorizationSession.key, ALICE);
    expect(await trial.refusal({ ...denied, lineage: 'her-phone' })).toBe('consent_denied');
    expect(await attempt()).toBeUndefined();
    expect(await trial.refusal({ ...denied, lineage: 'her-laptop' })).toBe('consent_denied');
    expect(await attempt()).toMatchObject({ ended: 'consent_denied' });
  });

  it('gives a start link to its first announcement, and none to an expired one', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    const flow = { authorizationSession, authorizationUrl: new Secret('https://agentcore.example/') };
    expect(await trial.post(trial.token(ALICE), flow)).toHaveProperty('startHandle');
    expect(await trial.post(trial.token(ALICE), authorizationSession)).toHaveProperty('startHandle');
    await trial.clock.advance(600_000);
    expect(await trial.post(trial.token(ALICE), flow)).not.toHaveProperty('startHandle');
  });
});
