import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpiryQueue } from '../../src/store/expiry-queue.ts';

const times = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 100 });

function drain(queue: ExpiryQueue<{ readonly expiresAtMs: number }>): readonly number[] {
  const popped: number[] = [];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) popped.push(next.expiresAtMs);
  return popped;
}

describe('an expiry queue', () => {
  it('gives the soonest first, in whatever order they came', () => {
    fc.assert(
      fc.property(times, (pushed) => {
        const queue = new ExpiryQueue<{ readonly expiresAtMs: number }>();
        for (const expiresAtMs of pushed) queue.push({ expiresAtMs });
        expect(queue.length).toBe(pushed.length);
        expect(queue.peek()?.expiresAtMs).toBe(pushed.length === 0 ? undefined : Math.min(...pushed));
        expect(drain(queue)).toEqual(pushed.toSorted((a, b) => a - b));
        expect(queue.length).toBe(0);
      }),
    );
  });

  it('stays in order when pushes and pops alternate, and after it was rebuilt', () => {
    fc.assert(
      fc.property(times, times, fc.nat(20), (first, second, pops) => {
        const queue = new ExpiryQueue<{ readonly expiresAtMs: number }>();
        queue.push({ expiresAtMs: -1 });
        queue.rebuild(first.map((expiresAtMs) => ({ expiresAtMs })));
        for (let count = 0; count < pops; count += 1) queue.pop();
        for (const expiresAtMs of second) queue.push({ expiresAtMs });
        const left = first.toSorted((a, b) => a - b).slice(pops);
        expect(drain(queue)).toEqual([...left, ...second].toSorted((a, b) => a - b));
      }),
    );
  });
});
