import type { Clock } from '../binding/clock.ts';
import type { RecordSealer } from '../sealing/record-sealer.ts';

/** The kind of a record, as its key names it. */
export type RecordKind =
  | 'attempt'
  | 'browser-session'
  | 'completion'
  | 'own-pin'
  | 'pin'
  | 'sign-in-candidate'
  | 'sign-in-code'
  | 'user-token';

export interface SealedRecordsDeps {
  readonly sealer: RecordSealer;
  readonly clock: Clock;
  /** A record that was not sealed here for its key: somebody else writes to the store, or a secret is gone (SB-15). */
  readonly onUnreadable: (kind: RecordKind) => void;
}

/** Turns values into sealed text and back. The expiry is sealed with them: the store's own clock is never believed. */
export class SealedRecords {
  readonly #deps: SealedRecordsDeps;

  constructor(deps: SealedRecordsDeps) {
    this.#deps = deps;
  }

  seal(recordKey: string, value: unknown, expiresAtMs: number): string {
    return this.#deps.sealer.seal(recordKey, JSON.stringify([expiresAtMs, value]));
  }

  /** Undefined where there is none, it has expired, or it is unreadable, which is reported. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what it has sealed
  open<Value>(kind: RecordKind, recordKey: string, sealed: string | null): Value | undefined {
    if (sealed === null) return undefined;
    const text = this.#deps.sealer.open(recordKey, sealed);
    if (text === undefined) {
      this.#deps.onUnreadable(kind);
      return undefined;
    }
    // Sealed by us for this key, whose version names the shape: a parse error here is a bug, not an attack.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const [expiresAtMs, value] = JSON.parse(text) as [number, Value];
    return expiresAtMs > this.#deps.clock.nowMs() ? value : undefined;
  }
}
