import type { Clock } from '../binding/clock.ts';
import type { IpAddress } from '../env/ip-network.ts';

const WINDOW_MS = 60_000;
/** A few mebibytes. Whoever commands more addresses than this is not stopped by counting them (SB-22). */
const MAX_ADDRESSES = 20_000;

interface Window {
  readonly endsAtMs: number;
  refusals: number;
}

/**
 * Counts refused requests by address and minute. An IPv6 address counts as its /64, all of which one customer of a
 * network has to himself. Bounded: when there is no room, the older half is forgotten.
 */
export class RefusalCounter {
  readonly #limit: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #maxAddresses: number;
  // Two halves, since a map that loses its oldest entry with each new one is slow to find the next oldest.
  #newer = new Map<string, Window>();
  #older = new Map<string, Window>();

  constructor(limit: number, clock: Pick<Clock, 'monotonicMs'>, maxAddresses = MAX_ADDRESSES) {
    this.#limit = limit;
    this.#clock = clock;
    this.#maxAddresses = maxAddresses;
  }

  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  isOver(address: IpAddress): boolean {
    const window = this.#live(keyOf(address));
    return window !== undefined && window.refusals >= this.#limit;
  }

  count(address: IpAddress): void {
    const key = keyOf(address);
    const window = this.#live(key);
    if (window !== undefined) {
      window.refusals += 1;
      return;
    }
    if (this.#newer.size >= this.#maxAddresses / 2) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, { endsAtMs: this.#clock.monotonicMs() + WINDOW_MS, refusals: 1 });
  }

  #live(key: string): Window | undefined {
    const window = this.#newer.get(key) ?? this.#older.get(key);
    return window !== undefined && window.endsAtMs > this.#clock.monotonicMs() ? window : undefined;
  }
}

function keyOf({ family, bits }: IpAddress): string {
  return family === 4 ? `4 ${bits}` : `6 ${bits >> 64n}`;
}
