import { describe, expect, it } from 'vitest';
import { ALICE, anAuthorizationSession, createTrial, MALLORY } from './trial.ts';

describe('a binding', () => {
  it('is made for the user of the browser session, with the user token that opened the flow [SB-01]', async () => {
    const trial = createTrial();
    const { authorizationSession, userToken } = await trial.flow(ALICE);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    expect(trial.agentcore.calls).toEqual([userToken.jwt.reveal()]);
    expect(trial.agentcore.isBound(authorizationSession)).toBe(true);
  });

  it('is audited with its user and with AWS’s request id', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    await trial.visit({ user: ALICE, authorizationSession });
    expect(trial.decisions[0]?.outcome).toEqual({
      code: 'completed',
      user: ALICE,
      calls: [{ answer: 'completed', durationMs: 0, awsRequestId: 'aws-1' }],
    });
  });

  it('is made once: a second visit of the same user shows it and calls nobody [SB-08]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    await trial.visit({ user: ALICE, authorizationSession });
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('completed');
    expect(trial.decisions.at(-1)?.outcome.reason).toBe('already');
  });

  it('is shown for 24 hours to its own user alone, whatever has expired since [SB-08]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    await trial.visit({ user: ALICE, authorizationSession });
    await trial.clock.advance(24 * 60 * 60_000 - 1);
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('completed');
    expect(await trial.refusal({ user: MALLORY, authorizationSession })).toBe('user_mismatch');
  });
});

describe('AgentCore is not called', () => {
  it('for a browser that nobody is signed in to, whatever its link carries [SB-07] [SB-02]', async () => {
    const trial = createTrial();
    const { authorizationSession, state } = await trial.flow(ALICE, { pinned: true });
    expect(await trial.refusal({ user: undefined, authorizationSession })).toBe('not_signed_in');
    expect(await trial.refusal({ user: undefined, authorizationSession, state })).toBe('not_signed_in');
    const error = 'access_denied';
    expect(await trial.refusal({ user: undefined, authorizationSession, error })).toBe('not_signed_in');
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });

  it('for a browser that nobody is signed in to, of whose flow nothing is read either [SB-21]', async () => {
    const read: string[] = [];
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    const pins = { ...trial.records.pins, read: async (key: string) => void read.push(key) };
    expect(await trial.refusal({ user: undefined, authorizationSession, replica: { pins } })).toBe(
      'not_signed_in',
    );
    expect(read).toEqual([]);
  });

  it('for another user than the pin’s, although he has a user token of his own [SB-01]', async () => {
    const trial = createTrial();
    await trial.flow(ALICE);
    const { authorizationSession } = await trial.flow(MALLORY, { pinned: true });
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('user_mismatch');
    expect(trial.decisions.at(-1)?.outcome.reason).toBe('pin');
  });

  it('for another user than the state’s [SB-02]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    const { state } = await trial.flow(MALLORY);
    expect(await trial.refusal({ user: ALICE, authorizationSession, state })).toBe('user_mismatch');
    expect(trial.decisions.at(-1)?.outcome.reason).toBe('state');
  });

  it('where pin and state name different users, whichever of the two the browser is [SB-01] [SB-02]', async () => {
    const trial = createTrial();
    const pinned = await trial.flow(ALICE, { pinned: true });
    const other = await trial.flow(MALLORY);
    const visit = { authorizationSession: pinned.authorizationSession, state: other.state };
    expect(await trial.refusal({ ...visit, user: ALICE })).toBe('user_mismatch');
    expect(await trial.refusal({ ...visit, user: MALLORY })).toBe('user_mismatch');
  });

  it('for a user of another issuer with the same subject [SB-11]', async () => {
    const trial = createTrial();
    const { authorizationSession, state } = await trial.flow(ALICE, { pinned: true });
    const namesake = { ...ALICE, issuer: 'https://other.example' };
    await trial.post(trial.token(namesake));
    expect(await trial.refusal({ user: namesake, authorizationSession })).toBe('user_mismatch');
    const unpinned = { authorizationSession: anAuthorizationSession(), state };
    expect(await trial.refusal({ user: namesake, ...unpinned })).toBe('user_mismatch');
  });

  it('for an authorization session that another user has completed', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    await trial.visit({ user: ALICE, authorizationSession });
    await trial.post(trial.token(MALLORY));
    expect(await trial.refusal({ user: MALLORY, authorizationSession })).toBe('user_mismatch');
    expect(trial.decisions.at(-1)?.outcome.reason).toBe('completion');
  });

  it('for a state that was not made here', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    const state = 'sb1.AAAA';
    expect(await trial.refusal({ user: ALICE, authorizationSession, state })).toBe('state_invalid');
  });

  it('for a state whose user token has expired, to the millisecond', async () => {
    const trial = createTrial();
    const early = await trial.flow(ALICE, { ttlMs: 60_000 });
    const late = await trial.flow(ALICE, { ttlMs: 60_000 });
    await trial.post(trial.token(ALICE));
    await trial.clock.advance(59_999);
    expect(await trial.visit({ ...early, user: ALICE })).toBe('completed');
    await trial.clock.advance(1);
    expect(await trial.refusal({ ...late, user: ALICE })).toBe('token_expired');
  });

  it('for a user who has no live user token: token_expired if his own has lapsed, else token_missing', async () => {
    const trial = createTrial();
    const authorizationSession = anAuthorizationSession();
    const nowMs = trial.clock.nowMs();
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('token_missing');
    const lapsed = { user: ALICE, authorizationSession, tokenExpiresAtMs: nowMs };
    expect(await trial.refusal(lapsed)).toBe('token_expired');
  });

  it('after an error of the consent: consent_denied or consent_failed, with and without a session_id', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    const withId = { user: ALICE, authorizationSession };
    expect(await trial.refusal({ ...withId, error: 'access_denied' })).toBe('consent_denied');
    expect(await trial.refusal({ user: ALICE, error: 'access_denied' })).toBe('consent_denied');
    expect(await trial.refusal({ ...withId, error: 'server_error' })).toBe('consent_failed');
    expect(await trial.refusal({ user: ALICE, error: 'ACCESS_DENIED' })).toBe('consent_failed');
    expect(await trial.refusal({ user: ALICE })).toBe('consent_failed');
    expect(await trial.visit(withId)).toBe('completed');
  });

  it('where REQUIRE_PIN is set and there is no pin: a state is none [SB-32]', async () => {
    const trial = createTrial({ requirePin: true });
    const { authorizationSession, state } = await trial.flow(ALICE);
    expect(await trial.refusal({ user: ALICE, authorizationSession, state })).toBe('pin_required');
    const pinned = await trial.flow(ALICE, { pinned: true });
    expect(await trial.visit({ user: ALICE, authorizationSession: pinned.authorizationSession })).toBe(
      'completed',
    );
  });
});

describe('the order of checks', () => {
  it('browser session before completion: a link tells nobody how a flow ended', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    await trial.visit({ user: ALICE, authorizationSession });
    expect(await trial.refusal({ user: undefined, authorizationSession })).toBe('not_signed_in');
  });

  it('completion before consent error, before state, before pin', async () => {
    const trial = createTrial({ requirePin: true });
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    await trial.visit({ user: ALICE, authorizationSession });
    const visit = { user: ALICE, authorizationSession };
    expect(await trial.refusal({ ...visit, error: 'access_denied' })).toBe('completed');
    expect(await trial.refusal({ ...visit, state: 'sb1.forged' })).toBe('completed');
    const other = await trial.flow(MALLORY);
    expect(await trial.refusal({ ...visit, state: other.state })).toBe('completed');
    await trial.clock.advance(11 * 60_000);
    expect(await trial.refusal(visit)).toBe('completed');
  });

  it('consent error before state', async () => {
    const trial = createTrial();
    const visit = { user: ALICE, authorizationSession: anAuthorizationSession(), error: 'access_denied' };
    expect(await trial.refusal({ ...visit, state: 'sb1.forged' })).toBe('consent_denied');
  });

  it('state before pin', async () => {
    const trial = createTrial({ requirePin: true });
    const visit = { user: ALICE, state: 'sb1.forged' };
    const mallorys = await trial.flow(MALLORY, { pinned: true });
    expect(await trial.refusal({ ...visit, authorizationSession: anAuthorizationSession() })).toBe(
      'state_invalid',
    );
    const { authorizationSession } = mallorys;
    expect(await trial.refusal({ ...visit, authorizationSession })).toBe('state_invalid');
    const lapsed = await trial.flow(ALICE, { ttlMs: 1 });
    await trial.clock.advance(1);
    expect(await trial.refusal({ user: ALICE, authorizationSession, state: lapsed.state })).toBe(
      'token_expired',
    );
  });

  it('within a state, its user before its expiry', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    const { state } = await trial.flow(MALLORY, { ttlMs: 1 });
    await trial.clock.advance(1);
    expect(await trial.refusal({ user: ALICE, authorizationSession, state })).toBe('user_mismatch');
  });

  it('pin before user token', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(MALLORY, { pinned: true });
    // Alice has no user token at all.
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('user_mismatch');
    const own = await trial.flow(ALICE, { pinned: true, ttlMs: 60_000 });
    await trial.clock.advance(11 * 60_000);
    expect(await trial.refusal({ user: ALICE, authorizationSession: own.authorizationSession })).toBe(
      'authorization_expired',
    );
  });

  it('user token before claim', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { ttlMs: 1_000 });
    trial.agentcore.script('hangs');
    const first = trial.begin({ user: ALICE, authorizationSession });
    await trial.clock.advance(1_000);
    expect(trial.agentcore.inFlight).toBe(1);
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('token_missing');
    await trial.clock.finish(first);
  });
});
