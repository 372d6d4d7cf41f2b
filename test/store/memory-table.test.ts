import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryTable, type MemoryTableOptions } from '../../src/store/memory-table.ts';
import { systemClock } from '../../src/system.ts';
import { collectGarbage } from '../support/collect-garbage.ts';

interface Value {
  readonly id: number;
  readonly bytes: number;
}

const OVERHEAD_BYTES = 400;

function createTable(
  options: Partial<MemoryTableOptions<Value>> & Pick<MemoryTableOptions<Value>, 'budget'>,
) {
  let nowMs = 0;
  const removed: number[] = [];
  const table = new MemoryTable<Value>({
    clock: { ...systemClock, nowMs: () => nowMs },
    whenFull: 'evict',
    bytesOf: ({ bytes }) => bytes,
    onRemoved: (_key, { id }) => removed.push(id),
    ...options,
  });
  return { table, removed, now: () => nowMs, advance: (ms: number) => (nowMs += ms) };
}

describe('a memory table', () => {
  it.each(['evict', 'refuse'] as const)('behaves as a plain list of its rules says: %s', (whenFull) => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('set' as const),
        key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
        bytes: fc.constantFrom(0, 100, 700, 2000),
        lastsMs: fc.integer({ min: 1, max: 40 }),
      }),
      fc.record({ kind: fc.constant('delete' as const), key: fc.constantFrom('a', 'b', 'c', 'd') }),
      fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 15 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const budget = { maxEntries: 4, maxBytes: 2200 };
        const { table, removed, now, advance } = createTable({ budget, whenFull });
        let model: { key: string; id: number; bytes: number; expiresAtMs: number }[] = [];
        const gone: number[] = [];
        const drop = (entry: (typeof model)[number]) => {
          model = model.filter((other) => other !== entry);
          gone.push(entry.id);
        };
        for (const [id, one] of steps.entries()) {
          if (one.kind === 'advance') advance(one.ms);
          if (one.kind === 'delete') {
            for (const entry of model.filter(({ key }) => key === one.key)) drop(entry);
            table.delete(one.key);
          }
          if (one.kind === 'set') {
            // No two expire at once, so that what is evicted is never a matter of taste.
            const expiresAtMs = now() + one.lastsMs + id / 1000;
            const bytes = 1 + one.bytes + OVERHEAD_BYTES;
            for (const entry of model.filter((other) => other.expiresAtMs <= now())) drop(entry);
            const former = model.find(({ key }) => key === one.key);
            const others = model.filter((other) => other !== former);
            const total = () => model.reduce((sum, entry) => sum + entry.bytes, 0) - (former?.bytes ?? 0);
            const fits = () =>
              total() + bytes <= budget.maxBytes &&
              model.filter((other) => other !== former).length < budget.maxEntries;
            const written = bytes <= budget.maxBytes && (whenFull === 'evict' || fits());
            if (written) {
              for (const entry of others.toSorted((x, y) => x.expiresAtMs - y.expiresAtMs)) {
                if (!fits()) drop(entry);
              }
              if (former !== undefined) drop(former);
              model.push({ key: one.key, id, bytes, expiresAtMs });
            }
            expect(table.set(one.key, { id, bytes: one.bytes }, expiresAtMs)).toBe(written);
            expect(table.size).toBe(model.length);
            expect(table.bytes).toBe(model.reduce((sum, entry) => sum + entry.bytes, 0));
          }
          expect(removed.toSorted((x, y) => x - y)).toEqual(gone.toSorted((x, y) => x - y));
          for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
            const entry = model.find((other) => other.key === key && other.expiresAtMs > now());
            expect(table.get(key)?.id).toBe(entry?.id);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('lets nothing leave for one record that would never fit [SB-22]', () => {
    const { table, removed } = createTable({ budget: { maxEntries: 10, maxBytes: 2000 } });
    table.set('a', { id: 1, bytes: 10 }, 100);
    table.set('b', { id: 2, bytes: 10 }, 100);
    expect(table.set('c', { id: 3, bytes: 2000 }, 100)).toBe(false);
    expect(table.set('a', { id: 4, bytes: 2000 }, 100)).toBe(false);
    expect([table.get('a')?.id, table.get('b')?.id, removed]).toEqual([1, 2, []]);
  });

  it('stays within its budget in entries and bytes under a flood [SB-22]', () => {
    const { table, advance } = createTable({ budget: { maxEntries: 500, maxBytes: 300_000 } });
    let mostEntries = 0;
    let mostBytes = 0;
    for (let id = 0; id < 50_000; id += 1) {
      table.set(`key ${id}`, { id, bytes: (id * 37) % 3000 }, id + 1 + ((id * 7919) % 1000));
      if (id % 100 === 0) advance(50);
      mostEntries = Math.max(mostEntries, table.size);
      mostBytes = Math.max(mostBytes, table.bytes);
    }
    expect(mostEntries).toBeLessThanOrEqual(500);
    expect(mostBytes).toBeLessThanOrEqual(300_000);
  });

  it.each([
    ['one key replaced over and over', () => 'key', 1],
    ['many keys written, then deleted', (id: number) => `key ${id}`, 5000],
  ])(
    'holds on to no record that has left, though it stood in its queue: %s [SB-22]',
    async (_name, keyOf, keys) => {
      const { table } = createTable({ budget: { maxEntries: 10_000, maxBytes: 10_000_000 } });
      const write = (id: number) => {
        const value = { id, bytes: 1000 };
        table.set(keyOf(id), value, 1_000_000 - id);
        return new WeakRef(value);
      };
      const references = Array.from({ length: 5000 }, (_, id) => write(id));
      for (let id = 0; id < keys; id += 1) table.delete(keyOf(id));
      // A WeakRef holds what it names until the turn of the event loop that made it is over.
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
      const alive = references.filter((reference) => reference.deref() !== undefined).length;
      expect(alive).toBeLessThanOrEqual(65);
    },
  );
});
