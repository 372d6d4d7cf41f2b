import type { Clock } from '../binding/clock.ts';

const PAUSE_MS = 10_000;

/** What is told of the faults of a store. */
export interface StoreFault {
  /** One stable word, of the fault that made this report. */
  readonly reason: string;
  /** Those since the last report, this one included. */
  readonly count: number;
}

/** Tells of the first fault at once, then at most every ten seconds: a dead server fails each command of everybody. */
export function throttleFaults(clock: Clock, tell: (fault: StoreFault) => void): (reason: string) => void {
  let count = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return (reason) => {
    count += 1;
    const nowMs = clock.monotonicMs();
    if (nowMs - toldAtMs < PAUSE_MS) return;
    tell({ reason, count });
    toldAtMs = nowMs;
    count = 0;
  };
}
