import type { Clock } from '../binding/clock.ts';
import { aroundStore } from './around-store.ts';
import type { Store } from './store.ts';

export interface StoreOperation {
  /** Which records. */
  readonly record: string;
  readonly succeeded: boolean;
  readonly durationMs: number;
}

/** The same store, telling how long each operation took. */
export function measureStore(
  store: Store,
  clock: Pick<Clock, 'monotonicMs'>,
  observe: (operation: StoreOperation) => void,
): Store {
  return aroundStore(store, async (record, _method, run) => {
    const startedMs = clock.monotonicMs();
    let succeeded = false;
    try {
      const result = await run();
      succeeded = true;
      return result;
    } finally {
      observe({ record, succeeded, durationMs: clock.monotonicMs() - startedMs });
    }
  });
}
