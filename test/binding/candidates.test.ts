import { describe, expect, it, test } from 'vitest';
import type { BindingCode } from '../../src/binding/outcome.ts';
import type { UserToken } from '../../src/binding/user-token.ts';
import { type CallScript, THROTTLED } from './scripted-agentcore.ts';
import { ALICE, anAuthorizationSession, createTrial, MALLORY, type Trial } from './trial.ts';

const jwts = (userTokens: readonly (UserToken | undefined)[]) => userTokens.map((one) => one?.jwt.reveal());

async function post(trial: Trial, count: number): Promise<readonly UserToken[]> {
  const userTokens = Array.from({ length: count }, () => trial.token(ALICE));
  for (const userToken of userTokens) await trial.post(userToken);
  return userTokens;
}

describe('the user token that goes to AgentCore', () => {
  it('is the pin’s, whatever state or newer user tokens say [SB-13]', async () => {
    const trial = createTrial();
    const { authorizationSession, userToken } = await trial.flow(ALICE, { pinned: true });
    const { state } = await trial.flow(ALICE);
    await post(trial, 3);
    expect(await trial.visit({ user: ALICE, authorizationSession, state })).toBe('completed');
    expect(trial.agentcore.calls).toEqual(jwts([userToken]));
  });

  it('is the state’s where there is no pin [SB-13]', async () => {
    const trial = createTrial();
    const { authorizationSession, userToken, state } = await trial.flow(ALICE);
    await post(trial, 3);
    expect(await trial.visit({ user: ALICE, authorizationSession, state })).toBe('completed');
    expect(trial.agentcore.calls).toEqual(jwts([userToken]));
  });

  it.each([{ pinned: true }, { pinned: false }])(
    'is no other one where %j names the wrong one',
    async (named) => {
      const trial = createTrial();
      const rightful = await trial.flow(ALICE);
      const { state, userToken } = await trial.flow(ALICE);
      const { authorizationSession } = rightful;
      if (named.pinned) await trial.post(userToken, authorizationSession);
      const visit = { user: ALICE, authorizationSession, ...(named.pinned ? {} : { state }) };
      expect(await trial.visit(visit)).toBe('authorization_expired');
      expect(trial.agentcore.calls).toEqual(jwts([userToken]));
    },
  );

  it('is else each live one of the browser’s user, newest first', async () => {
    const trial = createTrial();
    await trial.post(trial.token(MALLORY));
    const [first, second, third] = await post(trial, 3);
    const authorizationSession = anAuthorizationSession();
    if (first !== undefined) trial.agentcore.open(authorizationSession, first);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    expect(trial.agentcore.calls).toEqual(jwts([third, second, first]));
  });

  it('is tried three times at most in one visit', async () => {
    const trial = createTrial();
    const [first, second, third, fourth] = await post(trial, 4);
    const authorizationSession = anAuthorizationSession();
    if (first !== undefined) trial.agentcore.open(authorizationSession, first);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('authorization_expired');
    expect(trial.agentcore.calls).toEqual(jwts([fourth, third, second]));
  });

  it('has not expired, to the millisecond, whatever the store hands out', async () => {
    const trial = createTrial({
      records: (records) => ({
        ...records,
        userTokens: { ...records.userTokens, list: async () => [fresh, lapsed], read: async () => lapsed },
      }),
    });
    const lapsed = trial.token(ALICE, 0);
    const fresh = trial.token(ALICE, 1);
    const authorizationSession = anAuthorizationSession();
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('authorization_expired');
    expect(trial.agentcore.calls).toEqual(jwts([fresh]));
    await trial.clock.advance(1);
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('token_expired');
    const { state } = await trial.flow(ALICE);
    expect(await trial.refusal({ user: ALICE, authorizationSession, state })).toBe('token_expired');
  });
});

describe('an answer of AgentCore', () => {
  test.each<[string, CallScript, BindingCode]>([
    ['ResourceNotFound or Validation', { kind: 'gone' }, 'authorization_expired'],
    ['Unauthorized', { kind: 'token_refused' }, 'token_refused'],
    ['AccessDenied for IAM', { kind: 'forbidden', permission: 'a:B' }, 'agentcore_forbidden'],
  ])('%s ends the visit without another call', async (_name, script, code) => {
    const trial = createTrial();
    await post(trial, 3);
    trial.agentcore.script(script);
    expect(await trial.visit({ user: ALICE, authorizationSession: anAuthorizationSession() })).toBe(code);
    expect(trial.agentcore.calls).toHaveLength(1);
    const { kind, ...more } = Object(script);
    expect(trial.decisions.at(-1)?.outcome.calls).toStrictEqual([{ answer: kind, durationMs: 0, ...more }]);
  });

  it('“try later” is tried again with the same user token, after a pause that grows', async () => {
    const trial = createTrial();
    const { authorizationSession, userToken } = await trial.flow(ALICE);
    trial.agentcore.script(THROTTLED, THROTTLED);
    const startMs = trial.clock.monotonicMs();
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    expect(trial.agentcore.calls).toEqual(jwts([userToken, userToken, userToken]));
    expect(trial.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(100 + 200);
    expect(trial.clock.monotonicMs() - startMs).toBeLessThanOrEqual(300 + 600);
  });

  it('“try later” a third time is agentcore_unavailable, and the next visit may call again [SB-23]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script(THROTTLED, THROTTLED, THROTTLED);
    const startMs = trial.clock.monotonicMs();
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('agentcore_unavailable');
    expect(trial.agentcore.calls).toHaveLength(3);
    // Nobody pauses for a fourth, which would be up to 1.2 s more.
    expect(trial.clock.monotonicMs() - startMs).toBeLessThanOrEqual(300 + 600);
    expect(trial.decisions.at(-1)?.outcome.calls).toEqual([
      { answer: 'unavailable', durationMs: 0, reason: 'throttled' },
      { answer: 'unavailable', durationMs: 0, reason: 'throttled' },
      { answer: 'unavailable', durationMs: 0, reason: 'throttled' },
    ]);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });

  it('counts against three calls in all, whatever it says', async () => {
    const trial = createTrial();
    const [first, second] = await post(trial, 2);
    const authorizationSession = anAuthorizationSession();
    if (first !== undefined) trial.agentcore.open(authorizationSession, first);
    trial.agentcore.script(THROTTLED);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    expect(trial.agentcore.calls).toEqual(jwts([second, second, first]));
  });
});

describe('the ten seconds of a callback', () => {
  it('end a call that hangs, and no further one is made [SB-23]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script('hangs');
    const startMs = trial.clock.monotonicMs();
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('agentcore_unavailable');
    expect(trial.clock.monotonicMs() - startMs).toBe(10_000);
    expect(trial.agentcore.calls).toHaveLength(1);
  });

  it('begin before the first look into the store: a slow one leaves less for AgentCore', async () => {
    const trial: Trial = createTrial({
      records: (records) => ({
        ...records,
        pins: {
          ...records.pins,
          async read(key) {
            await trial.clock.sleep(4_000);
            return records.pins.read(key);
          },
        },
      }),
    });
    const { authorizationSession } = await trial.flow(ALICE);
    trial.agentcore.script('hangs');
    const startMs = trial.clock.monotonicMs();
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('agentcore_unavailable');
    expect(trial.clock.monotonicMs() - startMs).toBe(10_000);
  });

  it('are over before AgentCore is called: no call, no claim, and another try', async () => {
    let slowMs = 11_000;
    const trial: Trial = createTrial({
      records: (records) => ({
        ...records,
        pins: {
          ...records.pins,
          async read(key) {
            await trial.clock.sleep(slowMs);
            return records.pins.read(key);
          },
        },
      }),
    });
    const { authorizationSession } = await trial.flow(ALICE);
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('agentcore_unavailable');
    expect(await trial.records.attempts.read(authorizationSession.key, ALICE)).toBeUndefined();
    slowMs = 0;
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });
});
