import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { TICK_MS, watchEventLoop } from '../../src/event-loop-lag.ts';
import { systemClock } from '../../src/system.ts';
import { createVirtualClock } from '../binding/virtual-clock.ts';

/** A monitor whose ticks come as late as told. */
function createWatch() {
  const clock = createVirtualClock();
  const ticks = { mean: Number.NaN, count: 0, reset: () => measure(undefined) };
  const measure = (lagMs: number | undefined) => {
    ticks.mean = lagMs === undefined ? Number.NaN : (TICK_MS + lagMs) * 1e6;
    ticks.count = lagMs === undefined ? 0 : 10;
  };
  const isBehind = watchEventLoop(ticks, clock);
  return {
    isBehind,
    after: async (ms: number, lagMs: number | undefined) => {
      measure(lagMs);
      await clock.advance(ms);
      return isBehind();
    },
  };
}

describe('the event loop', () => {
  it('is behind when its ticks are more than 200 ms late on average, and only so long [SB-21]', async () => {
    const { after } = createWatch();
    expect(await after(250, 200)).toBe(false);
    expect(await after(250, 201)).toBe(true);
    expect(await after(250, 0)).toBe(false);
  });

  it('is judged a quarter of a second at a time', async () => {
    const { after, isBehind } = createWatch();
    expect(await after(249, 5_000)).toBe(false);
    expect(await after(1, 5_000)).toBe(true);
    expect(isBehind()).toBe(true);
    expect(await after(249, 0)).toBe(true);
    expect(await after(1, 0)).toBe(false);
  });

  it('is what it was as long as nothing was measured', async () => {
    const { after } = createWatch();
    expect(await after(250, 5_000)).toBe(true);
    expect(await after(1_000, undefined)).toBe(true);
    expect(await after(0, 0)).toBe(false);
  });

  it('is read from Node’s own monitor: blocked, it is behind [SB-21]', async () => {
    const ticks = monitorEventLoopDelay({ resolution: TICK_MS });
    ticks.enable();
    const isBehind = watchEventLoop(ticks, systemClock);
    const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
    await turn();
    for (let turns = 0; turns < 3; turns += 1) {
      const untilMs = performance.now() + 400;
      while (performance.now() < untilMs);
      await turn();
    }
    expect(isBehind()).toBe(true);
    ticks.disable();
  });
});
