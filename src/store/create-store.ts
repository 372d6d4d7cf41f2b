import { createMemoryStore } from './memory-store.ts';
import type { RedisStoreOptions } from './redis-store.ts';
import type { Store } from './store.ts';

/** What `STORE_URL` says. */
export type StoreChoice =
  { readonly kind: 'memory' } | ({ readonly kind: 'redis' } & RedisStoreOptions['address']);

export type CreateStoreDeps = Omit<RedisStoreOptions, 'address'>;

/** The store that the configuration names. Resolves whether or not its server answers. */
export async function createStore(choice: StoreChoice, deps: CreateStoreDeps): Promise<Store> {
  if (choice.kind === 'memory') return createMemoryStore(deps.clock);
  // The driver takes its time to load: who keeps records in memory need not wait for it.
  const { createRedisStore } = await import('./redis-store.ts');
  return createRedisStore({ ...deps, address: choice });
}
