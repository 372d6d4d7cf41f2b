import { Secret } from '../../src/binding/secret.ts';
import type { RedisAddress } from '../../src/store/redis-connection.ts';
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis-store.ts';
import type { Store } from '../../src/store/store.ts';
import { systemClock, systemRandomness } from '../../src/system.ts';

export const SESSION_SECRET = new Secret('a-session-secret-of-the-test-0123456789');

export interface OpenRedisStoreOptions extends Partial<RedisStoreOptions> {
  readonly port: number;
  readonly nowMs?: () => number;
  readonly more?: Partial<RedisAddress>;
}

const CONNECT_BUDGET_MS = 10_000;

/** A store on a private server, without waiting for it. */
export function createTestStore({ port, nowMs, more, ...options }: OpenRedisStoreOptions): Store {
  return createRedisStore({
    address: {
      host: '127.0.0.1',
      port,
      tls: false,
      username: undefined,
      password: undefined,
      db: 0,
      cluster: false,
      ...more,
    },
    sessionSecrets: [SESSION_SECRET],
    clock: nowMs === undefined ? systemClock : { ...systemClock, nowMs },
    randomness: systemRandomness,
    onFault: () => undefined,
    onUnreadable: () => undefined,
    ...options,
  });
}

/** A store that has reached its private server. */
export async function openRedisStore(options: OpenRedisStoreOptions): Promise<Store> {
  const store = createTestStore(options);
  await untilWorking(store);
  return store;
}

export async function untilWorking(store: Store): Promise<void> {
  const deadline = AbortSignal.timeout(CONNECT_BUDGET_MS);
  while (!(await store.works())) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
