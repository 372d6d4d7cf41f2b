import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserIndex } from '../../src/store/user-index.ts';
import { collectGarbage } from '../support/collect-garbage.ts';

const users = [
  { issuer: 'https://a', subject: 'x' },
  { issuer: 'https://b', subject: 'x' },
  { issuer: 'https://a', subject: 'y' },
] as const;

describe('a user index', () => {
  it('keeps the keys of each user apart, the one added last at the end', () => {
    const step = fc.record({
      user: fc.constantFrom(...users),
      key: fc.constantFrom('1', '2', '3', '4', '5'),
      adds: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const index = new UserIndex();
        const model = new Map<unknown, readonly string[]>(users.map((user) => [user, []]));
        for (const { user, key, adds } of steps) {
          const others = (model.get(user) ?? []).filter((other) => other !== key);
          model.set(user, adds ? [...others, key] : others);
          if (adds) index.add(user, key);
          else index.remove(user, key);
          for (const one of users) {
            const keys = model.get(one) ?? [];
            expect(index.keys(one)).toEqual(keys);
            expect(index.count(one)).toBe(keys.length);
            expect(index.oldestBeyond(one, 2)).toEqual(keys.slice(0, Math.max(0, keys.length - 2)));
          }
        }
      }),
    );
  });

  it('forgets a user with his last key: an index of everybody who ever came would grow for ever [SB-22]', () => {
    const index = new UserIndex();
    collectGarbage();
    const heapBefore = process.memoryUsage().heapUsed;
    for (let count = 0; count < 50_000; count += 1) {
      const user = { issuer: 'https://a', subject: `user ${count}` };
      index.add(user, 'key');
      index.remove(user, 'key');
    }
    collectGarbage();
    // 50,000 empty sets and their names are about 16 MiB.
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(4 * 1024 * 1024);
  });
});
