import { ATTEMPT_KEPT_MS, type Attempt, isSameAttempt } from '../binding/attempt.ts';
import type { AttemptStore } from '../binding/ports.ts';
import { MAX_ATTEMPTS_PER_USER } from './limits.ts';
import type { RedisDeps } from './redis-few.ts';
import { redisKeys } from './redis-keys.ts';
import { RedisQuota, RedisSingle } from './redis-single.ts';

export function createRedisAttempts(deps: RedisDeps): AttemptStore {
  const attempts = new RedisSingle<Attempt>(deps, 'attempt');
  const begun = new RedisQuota(deps, MAX_ATTEMPTS_PER_USER);

  return {
    async read(session, user) {
      return (await attempts.read(redisKeys.attempt(session, user))).value;
    },
    // Compared here by value, then there by the very text that was read: whoever writes in between makes the command
    // a conflict (SB-08).
    async compareAndSet(session, user, expected, next, kind = 'unpinned') {
      const key = redisKeys.attempt(session, user);
      const found = await attempts.read(key);
      if (!isSameAttempt(found.value, expected)) return 'conflict';
      const untilMs = deps.clock.nowMs() + ATTEMPT_KEPT_MS;
      const isCounted = found.value === undefined && kind === 'unpinned';
      if (isCounted && !(await begun.countIn(redisKeys.attempts(user), session, untilMs))) {
        return 'too_many';
      }
      return (await attempts.writeOver(key, found, next, untilMs)) ? 'written' : 'conflict';
    },
  };
}
