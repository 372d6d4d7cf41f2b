import type { Randomness } from '../binding/clock.ts';
import type { Secret } from '../binding/secret.ts';
import { createEnvelopes } from './sealer.ts';

/** Seals the records of a store that others may read or write (SB-14, SB-15). */
export interface RecordSealer {
  seal(recordKey: string, text: string): string;
  /** Undefined for whatever was not sealed here for this very key: forged, changed, cut off, moved from another key. */
  open(recordKey: string, sealed: string): string | undefined;
}

/** As {@link createSealer}, with the record's own key as associated data: a record opens only where it was written. */
export function createRecordSealer(
  secrets: readonly [Secret, ...Secret[]],
  randomness: Randomness,
): RecordSealer {
  return createEnvelopes(secrets, 'record', randomness);
}
