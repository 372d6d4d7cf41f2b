import { describe, expect, it } from 'vitest';
import { brokenBy, type Measurement } from '../../scripts/soak/verdicts.mjs';

const MEBIBYTE = 1024 * 1024;
const ROUNDS = 30;

/** A service that is measured once a round, a hundred requests and ten flows apart; its heap wobbles by a mebibyte. */
function measured(change: (round: number) => Partial<Measurement>): readonly Measurement[] {
  return Array.from({ length: ROUNDS }, (_, round) => ({
    requests: 100 * round,
    flows: 10 * round,
    heapUsed: 40 * MEBIBYTE + (round % 2) * MEBIBYTE,
    rss: 150 * MEBIBYTE + (round % 3) * 5 * MEBIBYTE,
    files: 60 + (round % 4),
    handles: 20,
    longestStallMs: 100,
    ...change(round),
  }));
}

describe('what a soak makes of its measurements', () => {
  it('is nothing where all of them wobble, whatever the warm-up took', () => {
    expect(
      brokenBy(
        'memory',
        measured(() => ({})),
        0,
      ),
    ).toEqual([]);
    const warmUp = (round: number) => ({ heapUsed: Math.min(round, 8) * 20 * MEBIBYTE });
    expect(brokenBy('memory', measured(warmUp), 0)).toEqual([]);
    const once = (round: number) => (round === 20 ? { heapUsed: 400 * MEBIBYTE } : {});
    expect(brokenBy('memory', measured(once), 0)).toEqual([]);
  });

  it('is a leak where the heap grows with the requests, by a few kilobytes each', () => {
    const leak = (round: number) => ({ heapUsed: (40 + round / 2) * MEBIBYTE });
    expect(brokenBy('memory', measured(leak), 0)).toEqual([
      'memory: the heap grew by 9.5 MiB, 2.0 MiB are explained',
    ]);
    // Unless they are the records that it has to keep.
    expect(brokenBy('memory', measured(leak), 50 * 1024)).toEqual([]);
  });

  it.each<[string, (round: number) => Partial<Measurement>]>([
    ['resident memory', (round) => ({ rss: (150 + 3 * round) * MEBIBYTE })],
    ['the number of open files', (round) => ({ files: 60 + round })],
    ['the number of handles and timers', (round) => ({ handles: 20 + round })],
    ['stood still', (round) => (round === 3 ? { longestStallMs: 6_000 } : {})],
  ])('is a broken promise about %s', (what, change) => {
    const broken = brokenBy('memory', measured(change), 0);
    expect(broken).toHaveLength(1);
    expect(broken[0]).toContain(what);
  });
});
