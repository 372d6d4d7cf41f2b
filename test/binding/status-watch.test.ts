import { expect, it } from 'vitest';
import { StatusWatch } from '../../src/binding/status-watch.ts';
import { ALICE, anAuthorizationSession, createTrial } from './trial.ts';
import { settled } from './virtual-clock.ts';

it('tells a thousand flows of an outcome within half a second, or at once where it happened here [SB-21]', async () => {
  const { clock, records } = createTrial();
  const watch = new StatusWatch({ ...records, clock });
  const sessions = Array.from({ length: 1000 }, anAuthorizationSession);
  const told = new Map<string, string>();
  for (const [index, session] of sessions.entries()) {
    const user = { ...ALICE, subject: `user-${index}` };
    const pin = {
      authorizationSessionKey: session.key,
      user,
      tokenFingerprint: 'x',
      tokenExpiresAtMs: clock.nowMs() + 3_600_000,
      liveUntilMs: clock.nowMs() + 600_000,
    };
    await records.pins.create(pin);
    void watch
      .wait(session, user, new AbortController().signal)
      .then((status) => told.set(session.key, status));
    await records.attempts.compareAndSet(session.key, user, undefined, {
      mayHaveBound: false,
      ended: index % 2 === 0 ? 'completed' : 'consent_denied',
    });
  }
  const [first] = sessions;
  if (first === undefined) throw new Error('there are a thousand');
  await settled();
  expect(told.size).toBe(0);
  watch.wake(first, { ...ALICE, subject: 'user-0' });
  await settled();
  expect([...told]).toEqual([[first.key, 'completed']]);
  await clock.advance(500);
  await settled();
  expect(told.size).toBe(1000);
  expect([...told.values()].filter((status) => status === 'denied')).toHaveLength(500);
});

it('tells nobody of another flow, and lets go of whoever gives up or when it closes', async () => {
  const { clock, records } = createTrial();
  const watch = new StatusWatch({ ...records, clock });
  const opened = anAuthorizationSession();
  const pin = { authorizationSessionKey: opened.key, user: ALICE, tokenFingerprint: 'x' };
  await records.pins.create({
    ...pin,
    tokenExpiresAtMs: clock.nowMs() + 1e9,
    liveUntilMs: clock.nowMs() + 600_000,
  });
  const [impatient, patient] = [new AbortController(), new AbortController()];
  const first = watch.wait(opened, ALICE, impatient.signal);
  const second = watch.wait(opened, ALICE, patient.signal);
  impatient.abort();
  expect(await first).toBe('pending');
  watch.close();
  expect(await second).toBe('pending');
  expect(await watch.wait(opened, ALICE, patient.signal)).toBe('pending');
});
