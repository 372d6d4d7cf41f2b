import type { Clock } from '../binding/clock.ts';
import type { RedisConnection } from './redis-connection.ts';
import { WRITE_AMONG_FEW } from './redis-scripts.ts';
import type { RecordKind, SealedRecords } from './sealed-records.ts';

export interface RedisDeps {
  readonly connection: RedisConnection;
  readonly records: SealedRecords;
  readonly clock: Clock;
}

export interface FewOptions {
  readonly kind: RecordKind;
  /** The highest ranks are kept, this many. */
  readonly most: number;
}

/** Where a record stands among its few. */
export interface Place {
  readonly expiresAtMs: number;
  /** Until then it stays whatever its rank. */
  readonly keptUntilMs?: number;
  /** Without one it becomes the highest. */
  readonly rank?: number;
}

const NOBODY_WAITS = 0;

/**
 * A few records of one kind in one hash: quota, order, expiry and "forget them all" are single commands on one key,
 * exact on every replica. Expiry, keeping and rank stand in clear beside the sealed record; whoever changes them can
 * make a record vanish or move in the list, which the store's owner can do anyway, but not outlive its sealed expiry.
 */
export class RedisFew<Value> {
  readonly #deps: RedisDeps;
  readonly #options: FewOptions;

  constructor(deps: RedisDeps, options: FewOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Gives the fields that had to go for it. */
  async write(key: string, field: string, value: Value, place: Place): Promise<readonly string[]> {
    return (await this.#run('write', key, field, value, place)) ?? [];
  }

  /** False where the field is not there any more. */
  async replace(key: string, field: string, value: Value, place: Place): Promise<boolean> {
    return (await this.#run('replace', key, field, value, place)) !== undefined;
  }

  async read(key: string, field: string): Promise<Value | undefined> {
    const found = await this.#deps.connection.send((client) => client.hget(key, field));
    return found === null ? undefined : this.#open(key, field, found)?.value;
  }

  /** Highest rank first. */
  async list(key: string): Promise<readonly Value[]> {
    const all = await this.#deps.connection.send((client) => client.hgetall(key));
    return Object.entries(all)
      .map(([field, text]) => this.#open(key, field, text))
      .filter((found) => found !== undefined)
      .toSorted((a, b) => b.rank - a.rank)
      .map(({ value }) => value);
  }

  async remove(key: string, field: string): Promise<void> {
    await this.#deps.connection.send((client) => client.hdel(key, field));
  }

  async fields(key: string): Promise<readonly string[]> {
    return this.#deps.connection.send((client) => client.hkeys(key));
  }

  async removeAll(key: string): Promise<void> {
    await this.#deps.connection.send((client) => client.del(key));
  }

  async #run(
    mode: 'write' | 'replace',
    key: string,
    field: string,
    value: Value,
    { expiresAtMs, keptUntilMs = NOBODY_WAITS, rank }: Place,
  ): Promise<readonly string[] | undefined> {
    const { connection, records, clock } = this.#deps;
    const gone = await connection.run(
      WRITE_AMONG_FEW,
      key,
      clock.nowMs(),
      field,
      Math.floor(expiresAtMs),
      Math.floor(keptUntilMs),
      rank ?? '',
      this.#options.most,
      records.seal(recordKey(key, field), value, expiresAtMs),
      mode,
    );
    return Array.isArray(gone) ? gone.map(String) : undefined;
  }

  #open(key: string, field: string, text: string) {
    const { records, clock } = this.#deps;
    const [, expiresAtMs, rank, sealed] = /^(\d+) \d+ (\d+) (.*)$/s.exec(text) ?? [];
    // Opened first, so that a record in a form that is not ours is reported like any other.
    const value = records.open<Value>(this.#options.kind, recordKey(key, field), sealed ?? text);
    if (value === undefined || Number(expiresAtMs) <= clock.nowMs()) return undefined;
    return { value, rank: Number(rank) };
  }
}

/** A record opens in its own field of its own user's hash only (SB-15). */
function recordKey(key: string, field: string): string {
  return `${key} ${field}`;
}
