import { userDigest } from '../binding/user.ts';
import {
  MAX_SIGN_IN_CANDIDATES,
  type SignInCandidate,
  type SignInCodeStore,
} from '../session/sign-in-code.ts';
import { type RedisDeps, RedisFew } from './redis-few.ts';
import { redisKeys } from './redis-keys.ts';
import { RedisSingle } from './redis-single.ts';

export function createRedisSignInCodes(deps: RedisDeps): SignInCodeStore {
  const codes = new RedisSingle<SignInCandidate>(deps, 'sign-in-code');
  const few = new RedisFew<SignInCandidate>(deps, {
    kind: 'sign-in-candidate',
    most: MAX_SIGN_IN_CANDIDATES,
  });
  const candidates = redisKeys.signInCandidates();

  return {
    async writeCode(codeHash, candidate, expiresAtMs) {
      await codes.write(redisKeys.signInCode(codeHash), candidate, expiresAtMs);
    },
    async readCode(codeHash) {
      return (await codes.read(redisKeys.signInCode(codeHash))).value;
    },
    async takeCode(codeHash) {
      return codes.take(redisKeys.signInCode(codeHash));
    },
    async writeCandidate(candidate) {
      const place = { expiresAtMs: candidate.tokenExpiresAtMs };
      await few.write(candidates, userDigest(candidate.user), candidate, place);
    },
    async listCandidates() {
      return few.list(candidates);
    },
    async removeCandidate(user) {
      await few.remove(candidates, userDigest(user));
    },
  };
}
