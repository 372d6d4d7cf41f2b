import type { Clock } from '../binding/clock.ts';
import { ExpiryQueue } from './expiry-queue.ts';

/** How much one kind of record may take (SB-22). */
export interface MemoryBudget {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

export interface MemoryTableOptions<Value> {
  readonly clock: Clock;
  readonly budget: MemoryBudget;
  /** `evict`: the soonest to expire leaves. `refuse`: nothing leaves, since a lost veto would fail open. */
  readonly whenFull: 'evict' | 'refuse';
  readonly bytesOf: (value: Value) => number;
  /** Told of each record that leaves or is replaced, whatever the reason: keeps indexes true. */
  readonly onRemoved?: (key: string, value: Value) => void;
}

interface Entry<Value> {
  readonly key: string;
  readonly value: Value;
  readonly bytes: number;
  readonly expiresAtMs: number;
}

/** What a record costs besides its own text: map and heap slots, the entry, an index. Rounded up. */
const OVERHEAD_BYTES = 400;

/** A map whose records expire, bounded in entries and bytes. Lookups are O(1), expiry O(log n). */
export class MemoryTable<Value> {
  readonly #options: MemoryTableOptions<Value>;
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #queue = new ExpiryQueue<Entry<Value>>();
  #bytes = 0;

  constructor(options: MemoryTableOptions<Value>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtMs <= this.#options.clock.nowMs()) return undefined;
    return entry.value;
  }

  /** False when there is no room and nothing may leave; the former record of that key then stays. */
  set(key: string, value: Value, expiresAtMs: number): boolean {
    this.dropExpired();
    const bytes = key.length + this.#options.bytesOf(value) + OVERHEAD_BYTES;
    // One record that never fits must not empty the table first.
    if (bytes > this.#options.budget.maxBytes) return false;
    const former = this.#entries.get(key);
    if (former !== undefined) this.#detach(former);
    while (!this.#fits(bytes)) {
      const soonest = this.#options.whenFull === 'evict' ? this.#nextToExpire() : undefined;
      if (soonest === undefined) {
        if (former !== undefined) this.#attach(former);
        return false;
      }
      this.#remove(soonest);
    }
    if (former !== undefined) this.#options.onRemoved?.(former.key, former.value);
    this.#attach({ key, value, bytes, expiresAtMs });
    return true;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#remove(entry);
  }

  #fits(bytes: number): boolean {
    const { maxBytes, maxEntries } = this.#options.budget;
    return this.#bytes + bytes <= maxBytes && this.#entries.size < maxEntries;
  }

  /** Runs before each write; call it where counts must not include the expired. */
  dropExpired(): void {
    const nowMs = this.#options.clock.nowMs();
    for (;;) {
      const soonest = this.#nextToExpire();
      if (soonest === undefined || soonest.expiresAtMs > nowMs) return;
      this.#remove(soonest);
    }
  }

  /** The queue also holds entries that were deleted or replaced since: those are passed over here. */
  #nextToExpire(): Entry<Value> | undefined {
    for (;;) {
      const soonest = this.#queue.peek();
      if (soonest === undefined || this.#entries.get(soonest.key) === soonest) return soonest;
      this.#queue.pop();
    }
  }

  #attach(entry: Entry<Value>): void {
    this.#entries.set(entry.key, entry);
    this.#bytes += entry.bytes;
    this.#queue.push(entry);
    this.#compact();
  }

  #detach(entry: Entry<Value>): void {
    this.#entries.delete(entry.key);
    this.#bytes -= entry.bytes;
    this.#compact();
  }

  /** Entries that were replaced or deleted stay queued until they are soonest: never more than the live ones. */
  #compact(): void {
    if (this.#queue.length > 2 * this.#entries.size + 64) this.#queue.rebuild(this.#entries.values());
  }

  #remove(entry: Entry<Value>): void {
    this.#detach(entry);
    this.#options.onRemoved?.(entry.key, entry.value);
  }
}
