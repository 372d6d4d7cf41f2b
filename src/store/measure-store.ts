import type { Clock } from '../binding/clock.ts';
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
  return {
    ...store,
    userTokens: measure('user_token', store.userTokens),
    pins: measure('pin', store.pins),
    attempts: measure('attempt', store.attempts),
    completions: measure('completion', store.completions),
    browserSessions: measure('browser_session', store.browserSessions),
    signInCodes: measure('sign_in_code', store.signInCodes),
  };

  function measure<Records extends object>(record: string, records: Records): Records {
    return new Proxy(records, {
      get(target, property): unknown {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          const startedMs = clock.monotonicMs();
          let succeeded = false;
          try {
            const result: unknown = await Reflect.apply(member, target, args);
            succeeded = true;
            return result;
          } finally {
            observe({ record, succeeded, durationMs: clock.monotonicMs() - startedMs });
          }
        };
      },
    });
  }
}
