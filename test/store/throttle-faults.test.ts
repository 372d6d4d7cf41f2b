import { describe, expect, it } from 'vitest';
import { type StoreFault, throttleFaults } from '../../src/store/throttle-faults.ts';
import { createAdjustableClock } from '../issuer/adjustable-clock.ts';

function createThrottle() {
  const told: StoreFault[] = [];
  const clock = createAdjustableClock();
  return { told, clock, report: throttleFaults(clock, (fault) => told.push(fault)) };
}

describe('the faults of a store', () => {
  it('are told at once, then counted and told every ten seconds', () => {
    const { told, clock, report } = createThrottle();
    for (let count = 0; count < 100; count += 1) report('timeout');
    expect(told).toEqual([{ reason: 'timeout', count: 1 }]);
    clock.advanceMonotonic(9_999);
    report('timeout');
    expect(told).toHaveLength(1);
    clock.advanceMonotonic(1);
    report('timeout');
    expect(told).toEqual([
      { reason: 'timeout', count: 1 },
      { reason: 'timeout', count: 101 },
    ]);
  });

  it('are told for each reason by itself: one does not hide another', () => {
    const { told, report } = createThrottle();
    for (const reason of ['not_connected', 'WRONGPASS', 'not_connected', 'WRONGPASS']) report(reason);
    expect(told).toEqual([
      { reason: 'not_connected', count: 1 },
      { reason: 'WRONGPASS', count: 1 },
    ]);
  });
});
