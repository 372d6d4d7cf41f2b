import { type CompletionStore, StoreUnavailable } from '../binding/ports.ts';
import type { User } from '../binding/user.ts';
import { COMPLETION_KEPT_MS } from './limits.ts';
import type { RedisDeps } from './redis-few.ts';
import { redisKeys } from './redis-keys.ts';
import { RedisSingle } from './redis-single.ts';

/** Whoever loses the race reads the winner the second time. */
const MAX_TRIES = 3;

export function createRedisCompletions(deps: RedisDeps): CompletionStore {
  const completions = new RedisSingle<User>(deps, 'completion');

  return {
    async read(session) {
      return (await completions.read(redisKeys.completion(session))).value;
    },
    async record(session, user) {
      const key = redisKeys.completion(session);
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const found = await completions.read(key);
        if (found.value !== undefined) return;
        if (await completions.writeOver(key, found, user, deps.clock.nowMs() + COMPLETION_KEPT_MS)) return;
      }
      throw new StoreUnavailable('the completion changes faster than it can be read');
    },
  };
}
