import { isSamePin, MAX_LIVE_PINS_PER_USER, type Pin, PIN_KEPT_MS } from '../binding/pin.ts';
import { type PinStore, StoreUnavailable } from '../binding/ports.ts';
import { isSameUser } from '../binding/user.ts';
import type { RedisDeps } from './redis-few.ts';
import { redisKeys } from './redis-keys.ts';
import { RedisQuota, RedisSingle } from './redis-single.ts';

/** Enough for a pin that lapsed or was taken back while ours was on its way. */
const MAX_TRIES = 3;

export function createRedisPins(deps: RedisDeps): PinStore {
  const pins = new RedisSingle<Pin>(deps, 'pin');
  const live = new RedisQuota(deps, MAX_LIVE_PINS_PER_USER);

  return {
    async create(pin) {
      const { authorizationSessionKey, user } = pin;
      const key = redisKeys.pin(authorizationSessionKey);
      let counted = false;
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const found = await pins.read(key);
        if (found.value !== undefined) {
          // A place taken for a pin that another user made first is given back; this user's own pin needs it.
          if (counted && !isSameUser(found.value.user, user)) {
            await live.countOut(redisKeys.livePins(user), authorizationSessionKey);
          }
          return { kind: 'exists', pin: found.value };
        }
        counted = await live.countIn(redisKeys.livePins(user), authorizationSessionKey, pin.liveUntilMs);
        if (!counted) return { kind: 'too_many' };
        if (await pins.writeOver(key, found, pin, deps.clock.nowMs() + PIN_KEPT_MS)) {
          return { kind: 'created' };
        }
      }
      throw new StoreUnavailable('the pin changes faster than it can be read');
    },
    async read(authorizationSessionKey) {
      return (await pins.read(redisKeys.pin(authorizationSessionKey))).value;
    },
    async remove(pin) {
      const key = redisKeys.pin(pin.authorizationSessionKey);
      const found = await pins.read(key);
      if (found.value === undefined || !isSamePin(found.value, pin)) return;
      if (await pins.removeFound(key, found)) {
        await live.countOut(redisKeys.livePins(pin.user), pin.authorizationSessionKey);
      }
    },
  };
}
