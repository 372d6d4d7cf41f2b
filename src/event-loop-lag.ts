import type { Clock } from './binding/clock.ts';

/** What `monitorEventLoopDelay` of `node:perf_hooks` measures, in nanoseconds between two of its ticks. */
export interface TickIntervals {
  readonly mean: number;
  readonly count: number;
  reset(): void;
}

/** How often the monitor ticks; a process that is not behind is as far apart as that. */
export const TICK_MS = 20;
/** So long may a tick be late on average. A request is several turns of the event loop, each of them as late. */
const MAX_LAG_MS = 200;
/** Long enough for an average, short enough to let people in again as soon as it is over. */
const WINDOW_MS = 250;

/**
 * Says whether this process has more to do than it can. Places cannot tell: they are taken by requests that were read,
 * and in a flood the time is lost before that (SB-21).
 */
export function watchEventLoop(ticks: TickIntervals, clock: Pick<Clock, 'monotonicMs'>): () => boolean {
  let isBehind = false;
  let since = clock.monotonicMs();
  return () => {
    // Without a tick nothing was measured: the loop has not turned since.
    if (clock.monotonicMs() - since < WINDOW_MS || ticks.count === 0) return isBehind;
    isBehind = ticks.mean / 1e6 - TICK_MS > MAX_LAG_MS;
    ticks.reset();
    since = clock.monotonicMs();
    return isBehind;
  };
}
