import { expect, it } from 'vitest';
import type { Attempt } from '../../src/binding/attempt.ts';
import { readAuthorizationStatus } from '../../src/binding/authorization-status.ts';
import { ALICE, createTrial, MALLORY } from './trial.ts';

const CASES: readonly (readonly [string, string, (nowMs: number) => Attempt | undefined])[] = [
  ['pending', 'nobody has come back', () => undefined],
  [
    'pending',
    'a visit is at it',
    (at) => ({ claim: { holder: 'x', leaseUntilMs: at + 9_000 }, mayHaveBound: false }),
  ],
  [
    'pending',
    'a visit is at it again, after a lost answer',
    (at) => ({ claim: { holder: 'x', leaseUntilMs: at + 9_000 }, mayHaveBound: true }),
  ],
  [
    'unknown',
    'a visit died at it',
    (at) => ({ claim: { holder: 'x', leaseUntilMs: at }, mayHaveBound: false }),
  ],
  ['unknown', 'an answer was lost', () => ({ mayHaveBound: true, ended: 'agentcore_unavailable' })],
  ['unknown', 'a refusal is not believed', () => ({ mayHaveBound: true, ended: 'outcome_unknown' })],
  [
    'pending',
    'AgentCore was down and can be tried again',
    () => ({ mayHaveBound: false, ended: 'agentcore_unavailable' }),
  ],
  ['completed', 'it is done', () => ({ mayHaveBound: false, ended: 'completed' })],
  ['completed', 'it is done after a lost answer', () => ({ mayHaveBound: true, ended: 'completed' })],
  ['denied', 'consent was declined', () => ({ mayHaveBound: false, ended: 'consent_denied' })],
  ['refused', 'AgentCore refused the token', () => ({ mayHaveBound: false, ended: 'token_refused' })],
  ['refused', 'AgentCore refused the flow', () => ({ mayHaveBound: false, ended: 'authorization_expired' })],
  ['refused', 'a permission is missing', () => ({ mayHaveBound: false, ended: 'agentcore_forbidden' })],
];

it.each(CASES)('an app is told %s while %s', async (status, _when, attemptAt) => {
  const trial = createTrial();
  const { clock, records } = trial;
  const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
  const attempt = attemptAt(clock.nowMs());
  if (attempt !== undefined) {
    await records.attempts.compareAndSet(authorizationSession.key, ALICE, undefined, attempt, 'pinned');
  }
  expect(await readAuthorizationStatus(authorizationSession, ALICE, { ...records, clock })).toBe(status);
  expect(await readAuthorizationStatus(authorizationSession, MALLORY, { ...records, clock })).toBeUndefined();
});

it.each([
  [ALICE, 'completed'],
  [MALLORY, 'refused'],
])('a completion counts where the visit that made it died: %j', async (user, status) => {
  const trial = createTrial();
  const { clock, records } = trial;
  const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
  const { key } = authorizationSession;
  const claim = { holder: 'x', leaseUntilMs: clock.nowMs() };
  await records.attempts.compareAndSet(key, ALICE, undefined, { claim, mayHaveBound: false }, 'pinned');
  await records.completions.record(key, user);
  expect(await readAuthorizationStatus(authorizationSession, ALICE, { ...records, clock })).toBe(status);
});

it('a flow to which nobody has come back is expired from the moment its pin is dead', async () => {
  const trial = createTrial();
  const { clock, records } = trial;
  const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
  const liveUntilMs = (await records.pins.readLiveUntil(authorizationSession.key, ALICE)) ?? 0;
  const status = () => readAuthorizationStatus(authorizationSession, ALICE, { ...records, clock });
  await clock.advance(liveUntilMs - clock.nowMs() - 1);
  expect(await status()).toBe('pending');
  await clock.advance(1);
  expect(await status()).toBe('expired');
});

it('what others have completed says nothing of a flow to which its own user has not come back [SB-30]', async () => {
  const trial = createTrial();
  const { clock, records } = trial;
  const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
  await records.completions.record(authorizationSession.key, MALLORY);
  expect(await readAuthorizationStatus(authorizationSession, ALICE, { ...records, clock })).toBe('pending');
});

it('what has ended well needs no other record', async () => {
  const trial = createTrial();
  const { clock, records } = trial;
  const { authorizationSession } = await trial.flow(ALICE, { pinned: true });
  const { key } = authorizationSession;
  const ended = { mayHaveBound: false, ended: 'completed' } as const;
  await records.attempts.compareAndSet(key, ALICE, undefined, ended, 'pinned');
  await records.completions.record(key, MALLORY);
  expect(await readAuthorizationStatus(authorizationSession, ALICE, { ...records, clock })).toBe('completed');
});
