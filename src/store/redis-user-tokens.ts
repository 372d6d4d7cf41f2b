import type { UserTokenStore } from '../binding/ports.ts';
import { Secret } from '../binding/secret.ts';
import type { User } from '../binding/user.ts';
import type { UserToken } from '../binding/user-token.ts';
import { MAX_USER_TOKENS_PER_USER } from './limits.ts';
import { type RedisDeps, RedisFew } from './redis-few.ts';
import { redisKeys } from './redis-keys.ts';

interface SealedUserToken {
  readonly jwt: string;
  readonly fingerprint: string;
  readonly expiresAtMs: number;
  readonly username?: string;
}

export function createRedisUserTokens(deps: RedisDeps): UserTokenStore {
  const few = new RedisFew<SealedUserToken>(deps, { kind: 'user-token', most: MAX_USER_TOKENS_PER_USER });
  const toUserToken = (user: User, { jwt, ...rest }: SealedUserToken): UserToken => ({
    user,
    jwt: new Secret(jwt),
    ...rest,
  });

  return {
    async write({ user, jwt, ...rest }, pinnedUntilMs) {
      const { fingerprint, expiresAtMs } = rest;
      const sealed = { jwt: jwt.reveal(), ...rest };
      await few.write(redisKeys.userTokens(user), fingerprint, sealed, {
        expiresAtMs,
        ...(pinnedUntilMs === undefined ? {} : { keptUntilMs: pinnedUntilMs }),
      });
    },
    async read(user, fingerprint) {
      const found = await few.read(redisKeys.userTokens(user), fingerprint);
      return found && toUserToken(user, found);
    },
    async list(user) {
      const found = await few.list(redisKeys.userTokens(user));
      return found.map((one) => toUserToken(user, one));
    },
    async removeAll(user) {
      await few.removeAll(redisKeys.userTokens(user));
    },
  };
}
