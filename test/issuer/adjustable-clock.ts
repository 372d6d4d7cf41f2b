import type { Clock } from '../../src/binding/clock.ts';

/** Wall time follows the machine's (tokens are made with it), each of the two clocks can be moved alone. */
export interface AdjustableClock extends Clock {
  advanceMonotonic(ms: number): void;
  stepWall(ms: number): void;
}

export function createAdjustableClock(): AdjustableClock {
  let monotonicMs = 1_000_000;
  let wallOffsetMs = 0;
  return {
    nowMs: () => Date.now() + wallOffsetMs,
    monotonicMs: () => monotonicMs,
    sleep: () => Promise.resolve(),
    // Sockets take real time, so their budgets are real too.
    deadline: (ms) => ({ signal: AbortSignal.timeout(ms), end: () => undefined }),
    advanceMonotonic(ms) {
      monotonicMs += ms;
    },
    stepWall(ms) {
      wallOffsetMs += ms;
    },
  };
}
