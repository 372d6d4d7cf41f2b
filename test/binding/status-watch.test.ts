import { expect, it } from 'vitest';
import { StoreUnavailable } from '../../src/binding/ports.ts';
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

/** A pending flow of Alice's, watched; and how often the store was asked for it. */
async function watchedFlow() {
  const { clock, records } = createTrial();
  let isDown = false;
  let asked = 0;
  const pins = {
    ...records.pins,
    readLiveUntil: async (...args: Parameters<typeof records.pins.readLiveUntil>) => {
      asked += 1;
      if (isDown) throw new StoreUnavailable('scripted');
      return records.pins.readLiveUntil(...args);
    },
  };
  const watch = new StatusWatch({ ...records, pins, clock });
  const opened = anAuthorizationSession();
  await records.pins.create({
    authorizationSessionKey: opened.key,
    user: ALICE,
    tokenFingerprint: 'x',
    tokenExpiresAtMs: clock.nowMs() + 1e9,
    liveUntilMs: clock.nowMs() + 600_000,
  });
  const wait = (signal = new AbortController().signal) => watch.wait(opened, ALICE, signal);
  return { clock, records, opened, watch, wait, asked: () => asked, fail: () => (isDown = true) };
}

it('lets go of whoever gives up, has given up, or when it closes', async () => {
  const { watch, wait } = await watchedFlow();
  const [impatient, patient] = [new AbortController(), new AbortController()];
  const first = wait(impatient.signal);
  const second = wait(patient.signal);
  impatient.abort();
  expect(await first).toBe('pending');
  expect(await wait(impatient.signal)).toBe('pending');
  watch.close();
  expect(await second).toBe('pending');
  expect(await wait(patient.signal)).toBe('pending');
});

it('tells nothing while a flow is pending, and asks the store once for all who wait, for nobody never [SB-21]', async () => {
  const { clock, records, opened, wait, asked } = await watchedFlow();
  const told: string[] = [];
  const patience = new AbortController();
  for (let count = 0; count < 5; count += 1) void wait().then((status) => told.push(status));
  void wait(patience.signal);
  for (let count = 1; count <= 3; count += 1) {
    await clock.advance(500);
    expect([asked(), told]).toEqual([count, []]);
  }
  await records.attempts.compareAndSet(opened.key, ALICE, undefined, {
    mayHaveBound: false,
    ended: 'consent_denied',
  });
  await clock.advance(500);
  expect([asked(), told]).toEqual([4, Array.from({ length: 5 }, () => 'denied')]);

  const impatient = new AbortController();
  const last = wait(impatient.signal);
  impatient.abort();
  await last;
  await clock.advance(2_000);
  expect(asked()).toBe(4);
});

it('passes a store’s failure on as it is, to everybody who waits', async () => {
  const { clock, wait, fail } = await watchedFlow();
  const errors = [wait(), wait()].map((one) => one.catch((error: unknown) => error));
  fail();
  await clock.advance(500);
  for (const error of await Promise.all(errors)) expect(error).toBeInstanceOf(StoreUnavailable);
});
