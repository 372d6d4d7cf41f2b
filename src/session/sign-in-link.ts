import type { Clock, Randomness } from '../binding/clock.ts';
import { digest } from '../binding/digest.ts';
import { isSameUser } from '../binding/user.ts';
import { SIGN_IN_CODE_TTL_MS, type SignInCandidate, type SignInCodeStore } from './sign-in-code.ts';

export interface SignInLinkDeps {
  readonly signInCodes: SignInCodeStore;
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

const CODE_BYTES = 32;

/**
 * Makes this user one who may sign in by a click, and gives the link that names him. It lives ten minutes and
 * serves once; the store knows its hash alone (SB-04, SB-14).
 */
export async function createSignInLink(candidate: SignInCandidate, deps: SignInLinkDeps): Promise<string> {
  const { signInCodes, publicUrl, clock, randomness } = deps;
  const code = randomness.id(CODE_BYTES);
  await signInCodes.writeCandidate(candidate);
  await signInCodes.writeCode(digest(code), candidate, clock.nowMs() + SIGN_IN_CODE_TTL_MS);
  return `${publicUrl}/sign-in?code=${code}`;
}

/**
 * Whose link it is that carries this code, spending it or not. Nobody's, once that user is not known here any more:
 * his tokens have expired, or he has signed out and asked to be forgotten, and codes cannot be found by user.
 */
export async function findByCode(
  code: string,
  use: 'readCode' | 'takeCode',
  signInCodes: SignInCodeStore,
): Promise<SignInCandidate | undefined> {
  const named = await signInCodes[use](digest(code));
  if (named === undefined) return undefined;
  const known = await signInCodes.listCandidates();
  return known.find(({ user }) => isSameUser(user, named.user));
}
