import {
  asVeto,
  isSamePin,
  MAX_LIVE_PINS_PER_USER,
  VETO_KEPT_MS,
  type Pin,
  pinKeptUntilMs,
} from '../binding/pin.ts';
import { type PinStore, StoreUnavailable } from '../binding/ports.ts';
import { Secret } from '../binding/secret.ts';
import { isSameUser } from '../binding/user.ts';
import type { RedisDeps } from './redis-few.ts';
import { redisKeys } from './redis-keys.ts';
import { type FoundRecord, RedisQuota, RedisSingle } from './redis-single.ts';

/** Enough for a pin that lapsed, was taken back or was started elsewhere while ours was on its way. */
const MAX_TRIES = 3;

type SealedPin = Omit<Pin, 'authorizationUrl'> & { readonly authorizationUrl?: string };

/**
 * The pin itself is found by its authorization session alone: that is what makes it a veto. Beside it its user has a
 * record of his own, under a key that names both, so that a question about the flow of somebody else is the same
 * command with the same answer as one about no flow at all (SB-30).
 */
export function createRedisPins(deps: RedisDeps): PinStore {
  const pins = new RedisSingle<SealedPin>(deps, 'pin');
  const ownPins = new RedisSingle<number>(deps, 'own-pin');
  const live = new RedisQuota(deps, MAX_LIVE_PINS_PER_USER, VETO_KEPT_MS);

  return {
    async create(pin) {
      const { authorizationSessionKey, user } = pin;
      let counted = false;
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const { found, pin: existing } = await read(authorizationSessionKey);
        if (existing !== undefined) {
          const isOwn = isSameUser(existing.user, user);
          // A place taken for a pin that another user made first is given back; this user's own pin needs it.
          if (counted && !isOwn) {
            await live.countOut(redisKeys.livePins(user), authorizationSessionKey);
          }
          // A POST that was cut off between the two writes left a pin that its user cannot ask about.
          if (isOwn) await writeOwn(existing);
          return { kind: 'exists', pin: existing };
        }
        const lapsed = await live.countIn(redisKeys.livePins(user), authorizationSessionKey, pin.liveUntilMs);
        if (lapsed === undefined) return { kind: 'too_many' };
        counted = true;
        await Promise.all(lapsed.map((key) => keepVetoOnly(key)));
        if (await writeOver(found, pin)) {
          await writeOwn(pin);
          return { kind: 'created' };
        }
      }
      throw new StoreUnavailable('the pin changes faster than it can be read');
    },
    async read(authorizationSessionKey) {
      return (await read(authorizationSessionKey)).pin;
    },
    async readLiveUntil(authorizationSessionKey, user) {
      return (await ownPins.read(redisKeys.ownPin(authorizationSessionKey, user))).value;
    },
    async start(pin, lineage) {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const { found, pin: existing } = await read(pin.authorizationSessionKey);
        if (existing === undefined || !isSamePin(existing, pin)) return false;
        if (await writeOver(found, { ...existing, startedIn: lineage })) return true;
      }
      throw new StoreUnavailable('the pin changes faster than it can be read');
    },
    async remove(pin) {
      const { authorizationSessionKey, user } = pin;
      const { found, pin: existing } = await read(authorizationSessionKey);
      if (existing === undefined || !isSamePin(existing, pin)) return;
      if (await pins.removeFound(redisKeys.pin(authorizationSessionKey), found)) {
        await ownPins.remove(redisKeys.ownPin(authorizationSessionKey, user));
        await live.countOut(redisKeys.livePins(user), authorizationSessionKey);
      }
    },
  };

  async function read(authorizationSessionKey: string) {
    const found = await pins.read(redisKeys.pin(authorizationSessionKey));
    return { found, pin: found.value && opened(found.value) };
  }

  /**
   * Tried once: whoever writes to a dead pin meanwhile makes it a live one again, or takes it back. One that is missed, since
   * the store failed just then, stays whole until its 24 hours are over: at most 32 a user and outage (SB-22).
   */
  async function keepVetoOnly(authorizationSessionKey: string): Promise<void> {
    const { found, pin } = await read(authorizationSessionKey);
    if (pin !== undefined && pin.liveUntilMs <= deps.clock.nowMs()) await writeOver(found, asVeto(pin));
  }

  function writeOver(found: FoundRecord<SealedPin>, pin: Pin): Promise<boolean> {
    const key = redisKeys.pin(pin.authorizationSessionKey);
    return pins.writeOver(key, found, toSealed(pin), pinKeptUntilMs(pin));
  }

  async function writeOwn(pin: Pin): Promise<void> {
    const key = redisKeys.ownPin(pin.authorizationSessionKey, pin.user);
    await ownPins.write(key, pin.liveUntilMs, pinKeptUntilMs(pin));
  }
}

function toSealed({ authorizationUrl, ...pin }: Pin): SealedPin {
  return authorizationUrl === undefined ? pin : { ...pin, authorizationUrl: authorizationUrl.reveal() };
}

function opened({ authorizationUrl, ...pin }: SealedPin): Pin {
  return authorizationUrl === undefined ? pin : { ...pin, authorizationUrl: new Secret(authorizationUrl) };
}
