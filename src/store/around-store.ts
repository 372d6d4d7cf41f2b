import type { Store } from './store.ts';

/** `record`: which records, one word of a closed set; `method`: of their port. */
export type AroundOperation = (
  record: string,
  method: string,
  run: () => Promise<unknown>,
) => Promise<unknown>;

/** The same store, each of whose operations runs inside `around`. */
export function aroundStore(store: Store, around: AroundOperation): Store {
  return {
    ...store,
    userTokens: wrap('user_token', store.userTokens),
    pins: wrap('pin', store.pins),
    attempts: wrap('attempt', store.attempts),
    completions: wrap('completion', store.completions),
    browserSessions: wrap('browser_session', store.browserSessions),
    signInCodes: wrap('sign_in_code', store.signInCodes),
  };

  function wrap<Records extends object>(record: string, records: Records): Records {
    return new Proxy(records, {
      get(target, property): unknown {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): Promise<unknown> =>
          around(record, String(property), async () => Reflect.apply(member, target, args));
      },
    });
  }
}
