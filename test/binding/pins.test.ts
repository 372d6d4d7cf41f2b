import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import { type FailingRecords, failingRecords, type Failure } from './failing-records.ts';
import { ALICE, anAuthorizationSession, createTrial, MALLORY } from './trial.ts';

const TEN_MINUTES_MS = 10 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

describe('keeping a posted user token', () => {
  it('is not an answer before it is stored, and gives a state that names it', async () => {
    const trial = createTrial();
    const userToken = trial.token(ALICE);
    const kept = await trial.post(userToken);
    expect(kept).toEqual({ kind: 'kept', customState: expect.stringMatching(/^sb1\.[\w-]+$/) });
    expect(await trial.records.userTokens.list(ALICE)).toEqual([userToken]);
  });

  it('leaves the earlier user tokens of the flows they opened usable [SB-13]', async () => {
    const trial = createTrial();
    const first = await trial.flow(ALICE, { pinned: true });
    const second = await trial.flow(ALICE);
    for (let refresh = 0; refresh < 20; refresh += 1) await trial.post(trial.token(ALICE));
    expect(await trial.visit({ ...first, user: ALICE })).toBe('completed');
    expect(trial.agentcore.calls).toEqual([first.userToken.jwt.reveal()]);
    // Not pinned, and twenty newer ones since: gone, and it says so.
    expect(await trial.refusal({ ...second, user: ALICE })).toBe('token_missing');
  });
});

describe('a pin', () => {
  it('of the first user wins; another gets user_mismatch and nothing of his POST is kept [SB-34]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    const mallorys = trial.token(MALLORY);
    expect(await trial.post(mallorys, authorizationSession)).toEqual({
      kind: 'refused',
      code: 'user_mismatch',
    });
    expect(await trial.records.userTokens.list(MALLORY)).toEqual([]);
    expect(await trial.records.userTokens.read(MALLORY, mallorys.fingerprint)).toBeUndefined();
    expect((await trial.records.pins.read(authorizationSession.key))?.user).toEqual(ALICE);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });

  it('again by the same user changes nothing: the flow keeps the user token that opened it [SB-13]', async () => {
    const trial = createTrial();
    const { authorizationSession, userToken } = await trial.flow(ALICE, { pinned: true });
    const pin = await trial.records.pins.read(authorizationSession.key);
    await trial.clock.advance(60_000);
    const refreshed = trial.token(ALICE);
    expect((await trial.post(refreshed, authorizationSession)).kind).toBe('kept');
    expect(await trial.records.pins.read(authorizationSession.key)).toEqual(pin);
    expect(await trial.records.userTokens.read(ALICE, refreshed.fingerprint)).toEqual(refreshed);
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
    expect(trial.agentcore.calls).toEqual([userToken.jwt.reveal()]);
  });

  it('keeps the one user token that it names beyond the newest eight, however often it is posted [SB-22]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    for (let posts = 0; posts < 20; posts += 1) await trial.post(trial.token(ALICE), authorizationSession);
    expect(await trial.records.userTokens.list(ALICE)).toHaveLength(8 + 1);
  });

  it('does not stop an attacker’s own pin from refusing the victim [SB-01]', async () => {
    const trial = createTrial();
    await trial.flow(ALICE);
    const { authorizationSession } = await trial.flow(MALLORY, { pinned: true });
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('user_mismatch');
    expect(await trial.visit({ user: MALLORY, authorizationSession })).toBe('completed');
  });

  it('is live for ten minutes, to the millisecond', async () => {
    const trial = createTrial();
    const early = await trial.flow(ALICE, { pinned: true });
    const late = await trial.flow(ALICE, { pinned: true });
    await trial.clock.advance(TEN_MINUTES_MS - 1);
    expect(await trial.visit({ ...early, user: ALICE })).toBe('completed');
    await trial.clock.advance(1);
    expect(await trial.refusal({ ...late, user: ALICE })).toBe('authorization_expired');
  });

  it('vetoes for 24 hours, dead or alive: nobody else takes the flow over [SB-01] [SB-34]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    await trial.clock.advance(DAY_MS - 1);
    const mallorys = trial.token(MALLORY, DAY_MS);
    await trial.post(mallorys);
    expect((await trial.post(mallorys, authorizationSession)).kind).toBe('refused');
    expect(await trial.refusal({ user: MALLORY, authorizationSession })).toBe('user_mismatch');
    await trial.post(trial.token(ALICE));
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('authorization_expired');
    await trial.clock.advance(1);
    expect(await trial.records.pins.read(authorizationSession.key)).toBeUndefined();
  });

  it('does not come to life again by a second POST of its user, and keeps no user token any more', async () => {
    const pinnedUntil: (number | undefined)[] = [];
    const trial = createTrial({
      records: (records) => ({
        ...records,
        userTokens: {
          ...records.userTokens,
          async write(userToken, pinnedUntilMs) {
            pinnedUntil.push(pinnedUntilMs);
            await records.userTokens.write(userToken, pinnedUntilMs);
          },
        },
      }),
    });
    const { authorizationSession, userToken } = await trial.flow(ALICE, { pinned: true });
    await trial.clock.advance(TEN_MINUTES_MS);
    expect((await trial.post(userToken, authorizationSession)).kind).toBe('kept');
    expect(pinnedUntil).toEqual([trial.clock.nowMs(), undefined]);
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('authorization_expired');
  });

  it('can be had 32 times at once by one user, and no oftener; of the 33rd POST nothing is kept [SB-22]', async () => {
    const trial = createTrial();
    const userToken = trial.token(ALICE);
    for (let pins = 0; pins < 32; pins += 1) {
      expect((await trial.post(userToken, anAuthorizationSession())).kind).toBe('kept');
    }
    const refused = { kind: 'refused', code: 'rate_limited' };
    const another = trial.token(ALICE);
    const authorizationSession = anAuthorizationSession();
    expect(await trial.post(another, authorizationSession)).toEqual(refused);
    expect(await trial.records.pins.read(authorizationSession.key)).toBeUndefined();
    expect(await trial.records.userTokens.read(ALICE, another.fingerprint)).toBeUndefined();
    expect((await trial.post(trial.token(MALLORY), authorizationSession)).kind).toBe('kept');
    await trial.clock.advance(TEN_MINUTES_MS);
    expect((await trial.post(trial.token(ALICE), anAuthorizationSession())).kind).toBe('kept');
  });

  it('whose user token has expired gives token_expired, and no other user token is tried', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true, ttlMs: 60_000 });
    await trial.post(trial.token(ALICE));
    await trial.clock.advance(60_000);
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('token_expired');
  });

  it('whose user token was forgotten at sign-out gives token_missing, and no other one is tried', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    await trial.records.userTokens.removeAll(ALICE);
    await trial.post(trial.token(ALICE));
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('token_missing');
  });
});

describe('a store that fails in the middle of a POST', () => {
  const createFailingTrial = () => {
    const holder: { store?: FailingRecords } = {};
    const trial = createTrial({ records: (records) => (holder.store = failingRecords(records)).records });
    if (holder.store === undefined) throw new Error('a trial has records');
    return { trial, store: holder.store };
  };

  it.each([0, 1])('before command %i acts keeps neither user token nor pin', async (index) => {
    const { trial, store } = createFailingTrial();
    const userToken = trial.token(ALICE);
    const authorizationSession = anAuthorizationSession();
    store.arm(index, 'not_done');
    await expect(trial.post(userToken, authorizationSession)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await trial.records.pins.read(authorizationSession.key)).toBeUndefined();
    expect(await trial.records.userTokens.list(ALICE)).toEqual([]);
  });

  it.each<[number, Failure]>([
    [0, 'not_done'],
    [0, 'done_unanswered'],
    [1, 'not_done'],
    [1, 'done_unanswered'],
    [1, 'down_from_here'],
  ])(
    'at command %i (%s): the next POST keeps the user token that its pin names [SB-13]',
    async (index, how) => {
      const { trial, store } = createFailingTrial();
      const userToken = trial.token(ALICE);
      const authorizationSession = anAuthorizationSession();
      trial.agentcore.open(authorizationSession, userToken);
      store.arm(index, how);
      await expect(trial.post(userToken, authorizationSession)).rejects.toBeInstanceOf(StoreUnavailable);

      store.heal();
      expect((await trial.post(userToken, authorizationSession)).kind).toBe('kept');
      for (let refresh = 0; refresh < 8; refresh += 1) await trial.post(trial.token(ALICE));
      expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
      expect(trial.agentcore.calls).toEqual([userToken.jwt.reveal()]);
    },
  );

  it('and was cut off for another user leaves him nothing to take over [SB-34]', async () => {
    const { trial, store } = createFailingTrial();
    const authorizationSession = anAuthorizationSession();
    store.arm(1, 'down_from_here');
    await expect(trial.post(trial.token(ALICE), authorizationSession)).rejects.toThrow();
    store.heal();
    expect((await trial.post(trial.token(MALLORY), authorizationSession)).kind).toBe('refused');
    expect(await trial.refusal({ user: ALICE, authorizationSession })).toBe('token_missing');
  });
});

describe('the quota of attempts', () => {
  it('stops a user whose browser is sent through made-up flows, and none that his apps have pinned [SB-22]', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
    let code: string = '';
    for (let flows = 0; code !== 'rate_limited' && flows < 1_000; flows += 1) {
      code = await trial.visit({ user: ALICE, authorizationSession: anAuthorizationSession() });
    }
    expect(code).toBe('rate_limited');
    expect(await trial.visit({ user: ALICE, authorizationSession })).toBe('completed');
  });
});
