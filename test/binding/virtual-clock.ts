import type { Clock } from '../../src/binding/clock.ts';

/** Time that moves only when a test moves it: ten seconds of waiting take none. */
export interface VirtualClock extends Clock {
  /** Moves both clocks, and runs what falls due on the way. */
  advance(ms: number): Promise<void>;
  /** Moves time from timer to timer until the promise settles; throws when nothing is left to wait for. */
  finish<T>(promise: Promise<T>): Promise<T>;
  /** The same time as another machine reads it, whose wall clock is that far ahead. */
  skewed(aheadMs: number): Clock;
}

const START_MS = Date.UTC(2026, 0, 1);

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

export function createVirtualClock(): VirtualClock {
  let elapsedMs = 0;
  let timers: readonly Timer[] = [];

  const schedule = (ms: number, run: () => void): Timer => {
    const timer = { dueMs: elapsedMs + ms, run };
    timers = [...timers, timer].toSorted((a, b) => a.dueMs - b.dueMs);
    return timer;
  };
  const cancel = (timer: Timer) => {
    timers = timers.filter((other) => other !== timer);
  };
  const runNext = async (untilMs: number): Promise<boolean> => {
    const [next] = timers;
    if (next === undefined || next.dueMs > untilMs) return false;
    elapsedMs = next.dueMs;
    cancel(next);
    next.run();
    await settled();
    return true;
  };

  const clock: VirtualClock = {
    nowMs: () => START_MS + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const done = () => {
          cancel(timer);
          signal?.removeEventListener('abort', done);
          resolve();
        };
        const timer = schedule(ms, done);
        signal?.addEventListener('abort', done);
      }),
    deadline(ms) {
      const controller = new AbortController();
      const timer = schedule(ms, () => controller.abort());
      return { signal: controller.signal, end: () => cancel(timer) };
    },
    async advance(ms) {
      const untilMs = elapsedMs + ms;
      await settled();
      while (await runNext(untilMs));
      elapsedMs = untilMs;
      await settled();
    },
    async finish(promise) {
      const state = { isDone: false };
      const done = () => {
        state.isDone = true;
      };
      promise.then(done, done);
      await settled();
      while (!state.isDone) {
        if (!(await runNext(Number.POSITIVE_INFINITY))) throw new Error('nothing is left to wait for');
      }
      return promise;
    },
    skewed: (aheadMs) => ({ ...clock, nowMs: () => clock.nowMs() + aheadMs }),
  };
  return clock;
}

/** Resolves when every promise that can go on has gone on: no port behind these tests waits for a socket. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A process that is suspended does not see its time go by. */
export const endless = () => ({ signal: new AbortController().signal, end: () => undefined });
