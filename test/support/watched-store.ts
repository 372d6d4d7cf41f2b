import type { Store } from '../../src/store/store.ts';

/** One call of a store's method. */
export interface StoreCall {
  readonly table: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Tells of each call before it is made; an error thrown here is how the store fails. */
export function watchStore(onCall: (call: StoreCall) => void): (store: Store) => Store {
  return (store) => ({
    ...store,
    userTokens: watch('userTokens', store.userTokens),
    pins: watch('pins', store.pins),
    attempts: watch('attempts', store.attempts),
    completions: watch('completions', store.completions),
    browserSessions: watch('browserSessions', store.browserSessions),
    signInCodes: watch('signInCodes', store.signInCodes),
  });

  function watch<Table extends object>(table: string, target: Table): Table {
    return new Proxy(target, {
      get(_target, property): unknown {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          onCall({ table, method: String(property), args });
          return Reflect.apply(member, target, args);
        };
      },
    });
  }
}

/** True for a call that can change what is stored. */
export function isWrite({ method }: StoreCall): boolean {
  return !/^(?:read|list)/.test(method);
}

/** `table.method` of the calls that can change what is stored. */
export function writesIn(calls: readonly StoreCall[]): readonly string[] {
  return calls.filter(isWrite).map(({ table, method }) => `${table}.${method}`);
}
