import { describe, expect, it } from 'vitest';
import { brokenPromises, LIMITS, type Phase, summarise } from '../../scripts/load/promises.mjs';

interface Flood {
  readonly accepted?: number;
  readonly acceptedMs?: number;
  readonly failed?: number;
  readonly refusedMs?: number;
  readonly checkMs?: number;
  readonly resident?: number;
  readonly heapGrowth?: number;
  readonly kept?: number;
  readonly wholeAgainIn?: number;
}

function visits(count: number, ms: number) {
  return { answer: Array.from({ length: count }, () => ms), wait: Array.from({ length: count }, () => 0) };
}

/** One second at ten times a hundred visits, before which every visit took ten milliseconds. */
function judge(flood: Flood): readonly string[] {
  const calm: Phase = { kinds: { accepted: visits(50, 10) }, checks: [1], seconds: [] };
  const { accepted = 80, acceptedMs = 20, failed = 0, refusedMs = 5, checkMs = 5, wholeAgainIn = 2 } = flood;
  const during: Phase = {
    kinds: {
      accepted: visits(accepted, acceptedMs),
      'refused 503': visits(900, refusedMs),
      'failed 500': visits(failed, 5),
    },
    checks: [checkMs],
    seconds: [],
  };
  const after: Phase = {
    kinds: { accepted: visits(50, 10) },
    checks: [1],
    seconds: Array.from({ length: 6 }, (_, second) => ({
      accepted: 50,
      others: second + 1 < wholeAgainIn ? 1 : 0,
    })),
  };
  return brokenPromises(Object.keys(LIMITS), {
    before: summarise(calm, [100], 0),
    flood: summarise(during, [flood.resident ?? 100], flood.kept ?? 0),
    after: summarise(after, [100], 0),
    capacityPerSecond: 100,
    seconds: 1,
    heapGrowth: flood.heapGrowth ?? 1,
  });
}

describe('the promises of the load command', () => {
  it('hold where most are served or told at once', () => {
    expect(judge({})).toEqual([]);
  });

  it('do not count what has to be kept', () => {
    expect(judge({ resident: 200, kept: 30 })).toEqual([]);
  });

  it.each<[string, Flood]>([
    ['5.4 % of the visits failed', { failed: 56 }],
    ['only 5.0 % of the capacity was served', { accepted: 5 }],
    ['a refusal took 1500 ms', { refusedMs: 1_500 }],
    ['an accepted visit took 40.0 times', { acceptedMs: 400 }],
    ['health checks took longer than load balancers wait', { checkMs: 5_001 }],
    ['memory was 2.0 times', { resident: 200 }],
    ['the heap afterwards was 1.5 times', { heapGrowth: 1.5 }],
    ['the first second in which everybody was served again was number 6', { wholeAgainIn: 6 }],
  ])('are broken: %s', (sentence, flood) => {
    const broken = judge(flood);
    expect(broken).toHaveLength(1);
    expect(broken[0]).toContain(sentence);
  });
});
