import { describe, expect, it } from 'vitest';
import { LOST, THROTTLED } from './scripted-agentcore.ts';
import { ALICE, anAuthorizationSession, createTrial, MALLORY } from './trial.ts';

/** An agent on IAM opened this flow for the user id. */
function trialOf(userId: string, options: { readonly requirePin?: boolean } = {}) {
  const trial = createTrial({ ...options, userIdentifier: 'id' });
  const authorizationSession = anAuthorizationSession();
  trial.agentcore.openForUserId(authorizationSession, userId);
  return { trial, authorizationSession };
}

describe('a flow that was opened with a user id', () => {
  it('is completed with the id in the identity of its browser, without any user token', async () => {
    const { trial, authorizationSession } = trialOf('alice');
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    expect(trial.agentcore.calls).toEqual(['alice']);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    expect(trial.agentcore.calls).toHaveLength(1);
  });

  it('is refused by AgentCore in the browser of anybody else, whose own id is sent [SB-01]', async () => {
    const { trial, authorizationSession } = trialOf('alice');
    expect(await trial.visit({ user: MALLORY, authorizationSession })).toBe('authorization_expired');
    expect(trial.agentcore.calls).toEqual(['mallory']);
    expect(trial.agentcore.isBound(authorizationSession)).toBe(false);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });

  it('belongs to nobody without an identity, whatever its link carries [SB-02]', async () => {
    const { trial, authorizationSession } = trialOf('alice');
    const { state } = await trial.flow(ALICE);
    expect(await trial.refusal({ user: undefined, authorizationSession, state })).toBe('not_signed_in');
  });

  it('sends the id of the browser’s user, and none of his user tokens', async () => {
    const { trial, authorizationSession } = trialOf('alice');
    await trial.post(trial.token(ALICE), authorizationSession);
    await trial.post(trial.token(ALICE));
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    expect(trial.agentcore.calls).toEqual(['alice']);
  });

  it('goes by its pin long after the user token that made it has expired', async () => {
    const { trial, authorizationSession } = trialOf('alice', { requirePin: true });
    await trial.post(trial.token(ALICE, 60_000), authorizationSession);
    await trial.clock.advance(120_000);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });

  it('is tried once a call: there is no other id to try', async () => {
    const { trial, authorizationSession } = trialOf('somebody-else');
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('authorization_expired');
    expect(trial.agentcore.calls).toEqual(['alice']);
  });

  it('is tried again where AgentCore did not answer, and doubt stays doubt [SB-23]', async () => {
    const { trial, authorizationSession } = trialOf('alice');
    trial.agentcore.script(THROTTLED, 'lost_after_binding');
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('outcome_unknown');
    expect(trial.agentcore.calls).toEqual(['alice', 'alice', 'alice']);
    trial.agentcore.script(LOST, LOST, LOST);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('agentcore_unavailable');
  });

  it('makes one call where two tabs come at once [SB-08]', async () => {
    const { trial, authorizationSession } = trialOf('alice');
    const visit = { user: ALICE, authorizationSession };
    trial.agentcore.script({ slowMs: 500 });
    const both = Promise.all([trial.begin(visit), trial.begin(visit)]);
    expect((await trial.clock.finish(both)).map(({ code }) => code)).toEqual(['completed', 'completed']);
    expect(trial.agentcore.calls).toEqual(['alice']);
  });
});

describe('what speaks against a flow is asked in either mode', () => {
  it('a pin of another user [SB-01]', async () => {
    const { trial, authorizationSession } = trialOf('alice');
    await trial.post(trial.token(MALLORY), authorizationSession);
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('user_mismatch');
  });

  it('a state of another user, or a forged one [SB-02]', async () => {
    const { trial, authorizationSession } = trialOf('alice');
    const { state } = await trial.flow(MALLORY);
    expect(await trial.refusal({ user: ALICE, authorizationSession, state })).toBe('user_mismatch');
    const forged = { user: ALICE, authorizationSession, state: `${state}x` };
    expect(await trial.refusal(forged)).toBe('state_invalid');
  });

  it('a completion by another user, a dead pin, and a missing one where one is required', async () => {
    const { trial, authorizationSession } = trialOf('alice', { requirePin: true });
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('pin_required');
    await trial.post(trial.token(ALICE), authorizationSession);
    await trial.clock.advance(10 * 60_000);
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('authorization_expired');
    await trial.records.completions.record(authorizationSession.key, MALLORY);
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('user_mismatch');
  });
});
