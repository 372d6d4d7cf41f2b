import type { RedisDeps } from './redis-few.ts';
import { COMPARE_AND_DELETE, COMPARE_AND_SET, COUNT_IN } from './redis-scripts.ts';
import type { RecordKind } from './sealed-records.ts';

/** A record as it was read: `sealed` is what a compare-and-set compares. */
export interface FoundRecord<Value> {
  readonly value: Value | undefined;
  /** The very text in the store; null for nothing. An expired or unreadable one is there, and may be written over. */
  readonly sealed: string | null;
}

/**
 * Records that stand alone under a key each. GCM's nonce makes every envelope unlike all others, so comparing the
 * exact text that was read is a comparison of versions: atomic, and it shows the server nothing.
 */
export class RedisSingle<Value> {
  readonly #deps: RedisDeps;
  readonly #kind: RecordKind;

  constructor(deps: RedisDeps, kind: RecordKind) {
    this.#deps = deps;
    this.#kind = kind;
  }

  async read(key: string): Promise<FoundRecord<Value>> {
    const sealed = await this.#deps.connection.send((client) => client.get(key));
    return { sealed, value: this.#deps.records.open<Value>(this.#kind, key, sealed) };
  }

  /** Atomic. False when another text than the one that was found stands there now. */
  async writeOver(
    key: string,
    { sealed }: FoundRecord<Value>,
    next: Value,
    expiresAtMs: number,
  ): Promise<boolean> {
    const { connection, records, clock } = this.#deps;
    const envelope = records.seal(key, next, expiresAtMs);
    const ttlMs = ttl(expiresAtMs, clock.nowMs());
    return (await connection.run(COMPARE_AND_SET, key, sealed ?? '', envelope, ttlMs)) === 1;
  }

  /** Atomic. False when another text than the one that was found stands there now. */
  async removeFound(key: string, { sealed }: FoundRecord<Value>): Promise<boolean> {
    return (await this.#deps.connection.run(COMPARE_AND_DELETE, key, sealed ?? '')) === 1;
  }

  async write(key: string, value: Value, expiresAtMs: number): Promise<void> {
    const { connection, records, clock } = this.#deps;
    const envelope = records.seal(key, value, expiresAtMs);
    await connection.send((client) => client.set(key, envelope, 'PX', ttl(expiresAtMs, clock.nowMs())));
  }

  /** Atomic: of many takers one gets it. */
  async take(key: string): Promise<Value | undefined> {
    const sealed = await this.#deps.connection.send((client) => client.getdel(key));
    return this.#deps.records.open<Value>(this.#kind, key, sealed);
  }

  async remove(key: string): Promise<void> {
    await this.#deps.connection.send((client) => client.del(key));
  }
}

/** Counts a user's records of one kind in a sorted set, since they themselves lie under keys of their own. */
export class RedisQuota {
  readonly #deps: RedisDeps;
  readonly #most: number;
  readonly #lapsedKeptMs: number;

  /** `lapsedKeptMs`: for how long after the last one's end the user's next record is still told which have ended. */
  constructor(deps: RedisDeps, most: number, lapsedKeptMs = 0) {
    this.#deps = deps;
    this.#most = most;
    this.#lapsedKeptMs = lapsedKeptMs;
  }

  /**
   * Atomic. Undefined when there is no place, else the members that have ended since the last call. Comes before the
   * write of what it counts, so that the limit is exact.
   */
  async countIn(key: string, member: string, untilMs: number): Promise<readonly string[] | undefined> {
    const { connection, clock } = this.#deps;
    const until = Math.ceil(untilMs);
    const args = [clock.nowMs(), member, until, this.#most, this.#lapsedKeptMs] as const;
    // The script gives a list of strings or nothing.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return ((await connection.run(COUNT_IN, key, ...args)) ?? undefined) as readonly string[] | undefined;
  }

  async countOut(key: string, member: string): Promise<void> {
    await this.#deps.connection.send((client) => client.zrem(key, member));
  }
}

/** Relative, from our clock: the server's may differ. */
function ttl(expiresAtMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil(expiresAtMs - nowMs));
}
