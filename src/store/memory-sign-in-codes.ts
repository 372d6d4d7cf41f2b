import type { Clock } from '../binding/clock.ts';
import { StoreUnavailable } from '../binding/ports.ts';
import { isSameUser, type User } from '../binding/user.ts';
import {
  MAX_SIGN_IN_CANDIDATES,
  type SignInCandidate,
  type SignInCodeStore,
} from '../session/sign-in-code.ts';
import { type MemoryBudget, MemoryTable } from './memory-table.ts';

export function createMemorySignInCodes(clock: Clock, budget: MemoryBudget): SignInCodeStore {
  const bytesOf = ({ user, username }: SignInCandidate) =>
    user.issuer.length + user.subject.length + (username?.length ?? 0);
  const codes = new MemoryTable<SignInCandidate>({ clock, budget, whenFull: 'evict', bytesOf });
  // Oldest first; small enough to be searched.
  let candidates: readonly SignInCandidate[] = [];
  const without = (user: User) =>
    candidates.filter(
      (candidate) => !isSameUser(candidate.user, user) && candidate.tokenExpiresAtMs > clock.nowMs(),
    );

  return {
    async writeCode(codeHash, candidate, expiresAtMs) {
      if (!codes.set(codeHash, candidate, expiresAtMs)) throw new StoreUnavailable('sign-in codes are full');
    },
    async readCode(codeHash) {
      return codes.get(codeHash);
    },
    async takeCode(codeHash) {
      const candidate = codes.get(codeHash);
      codes.delete(codeHash);
      return candidate;
    },
    async writeCandidate(candidate) {
      candidates = [...without(candidate.user), candidate].slice(-MAX_SIGN_IN_CANDIDATES);
    },
    async listCandidates() {
      return candidates.filter(({ tokenExpiresAtMs }) => tokenExpiresAtMs > clock.nowMs()).toReversed();
    },
    async removeCandidate(user) {
      candidates = without(user);
    },
  };
}
