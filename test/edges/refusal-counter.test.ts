import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IpAddress, parseIpAddress } from '../../src/env/ip-network.ts';
import { RefusalCounter } from '../../src/routes/refusal-counter.ts';

const MINUTE_MS = 60_000;

function ip(text: string): IpAddress {
  const address = parseIpAddress(text);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return address;
}

function counting(limit: number, maxAddresses?: number) {
  let nowMs = 1_000;
  const counter = new RefusalCounter(limit, { monotonicMs: () => nowMs }, maxAddresses);
  return {
    counter,
    refuse: (text: string, times = 1) => {
      for (let index = 0; index < times; index += 1) counter.count(ip(text));
    },
    isOver: (text: string) => counter.isOver(ip(text)),
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('refusals of an address', () => {
  it('are over the limit from the limit-th one on, for the rest of a minute [SB-21]', () => {
    const { refuse, isOver, advance } = counting(3);
    refuse('192.0.2.1', 2);
    expect(isOver('192.0.2.1')).toBe(false);
    refuse('192.0.2.1');
    expect(isOver('192.0.2.1')).toBe(true);
    advance(MINUTE_MS - 1);
    expect(isOver('192.0.2.1')).toBe(true);
    advance(1);
    expect(isOver('192.0.2.1')).toBe(false);
    refuse('192.0.2.1', 2);
    expect(isOver('192.0.2.1')).toBe(false);
  });

  it('do not reach into the next minute by going on [SB-35]', () => {
    const { refuse, isOver, advance } = counting(3);
    refuse('192.0.2.1', 3);
    advance(MINUTE_MS - 1);
    refuse('192.0.2.1', 100);
    advance(1);
    expect(isOver('192.0.2.1')).toBe(false);
  });

  it('are those of one IPv4 address alone [SB-35]', () => {
    const { refuse, isOver } = counting(3);
    refuse('192.0.2.1', 3);
    expect(isOver('::ffff:192.0.2.1')).toBe(true);
    expect(isOver('192.0.2.2')).toBe(false);
    expect(isOver('::192.0.2.1')).toBe(false);
  });

  it('are those of a whole /64 of IPv6, since one customer may use all of it [SB-21]', () => {
    const { refuse, isOver } = counting(3);
    for (const last of ['1', 'ffff', 'a:b:c']) refuse(`2001:db8:0:7::${last}`);
    expect(isOver('2001:db8:0:7:1234:5678:9abc:def0')).toBe(true);
    expect(isOver('2001:db8:0:8::1')).toBe(false);
    expect(isOver('2001:db8:0:6::1')).toBe(false);
  });
});

describe('the memory of refusals', () => {
  it('is bounded, and forgets the older half first [SB-22]', () => {
    const { counter, refuse, isOver } = counting(1, 4);
    for (const last of [1, 2, 3, 4]) refuse(`192.0.2.${last}`);
    expect([1, 2, 3, 4].map((last) => isOver(`192.0.2.${last}`))).toEqual([true, true, true, true]);
    refuse('192.0.2.5');
    expect(counter.size).toBe(3);
    expect([1, 2, 3, 4, 5].map((last) => isOver(`192.0.2.${last}`))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  it('is bounded by default, against somebody with a /32 of IPv6 [SB-22]', () => {
    const { counter } = counting(1);
    for (let index = 0n; index < 100_000n; index += 1n) counter.count({ family: 6, bits: index << 64n });
    expect(counter.size).toBeLessThanOrEqual(20_000);
  });

  it('says what a plain list of refusals says', () => {
    const step = fc.record({
      last: fc.integer({ min: 0, max: 3 }),
      afterMs: fc.integer({ min: 0, max: 40_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { refuse, isOver, advance } = counting(2);
        const began = new Map<number, { atMs: number; count: number }>();
        let nowMs = 0;
        for (const { last, afterMs } of steps) {
          advance(afterMs);
          nowMs += afterMs;
          const window = began.get(last);
          const isLive = window !== undefined && nowMs - window.atMs < MINUTE_MS;
          expect(isOver(`192.0.2.${last}`)).toBe(isLive && window.count >= 2);
          if (isLive) window.count += 1;
          else began.set(last, { atMs: nowMs, count: 1 });
          refuse(`192.0.2.${last}`);
        }
      }),
    );
  });
});
