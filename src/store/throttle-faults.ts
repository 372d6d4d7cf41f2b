import type { Clock } from '../binding/clock.ts';

const PAUSE_MS = 10_000;

/** What is told of the faults of a store. */
export interface StoreFault {
  /** One word of a small set. */
  readonly reason: string;
  /** Those for this reason since the last report of it, this one included. */
  readonly count: number;
}

/**
 * Tells of the first fault for each reason at once, then at most every ten seconds: a dead server fails each command
 * of everybody.
 */
export function throttleFaults(clock: Clock, tell: (fault: StoreFault) => void): (reason: string) => void {
  const reasons = new Map<string, { toldAtMs: number; count: number }>();
  return (reason) => {
    const nowMs = clock.monotonicMs();
    const known = reasons.get(reason) ?? { toldAtMs: Number.NEGATIVE_INFINITY, count: 0 };
    reasons.set(reason, known);
    known.count += 1;
    if (nowMs - known.toldAtMs < PAUSE_MS) return;
    tell({ reason, count: known.count });
    known.toldAtMs = nowMs;
    known.count = 0;
  };
}
