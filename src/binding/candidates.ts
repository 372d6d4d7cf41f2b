import type { Clock } from './clock.ts';
import type { CustomState } from './custom-state.ts';
import type { Pin } from './pin.ts';
import type { UserIdentifier, UserTokenStore } from './ports.ts';
import type { User } from './user.ts';
import type { UserToken } from './user-token.ts';

/** What is worth trying, in order, or why there is nothing. */
export type Candidates =
  | { readonly kind: 'found'; readonly identifiers: readonly UserIdentifier[] }
  | { readonly kind: 'none'; readonly code: 'token_expired' | 'token_missing' };

/**
 * Which token opened this flow (contract §2)? The pin's; else the one the state names; else any live one of the
 * browser's user, newest first. Every read is keyed by that user, so no other user's token can come out (SB-01).
 */
export async function findCandidates(
  user: User,
  pin: Pin | undefined,
  state: CustomState | undefined,
  signedInUntilMs: number | undefined,
  deps: { readonly userTokens: UserTokenStore; readonly clock: Clock },
): Promise<Candidates> {
  const nowMs = deps.clock.nowMs();
  const named = pin ?? state;
  if (named !== undefined) {
    if (named.tokenExpiresAtMs <= nowMs) return { kind: 'none', code: 'token_expired' };
    const userToken = await deps.userTokens.read(user, named.tokenFingerprint);
    return userToken === undefined ? { kind: 'none', code: 'token_missing' } : found([userToken], nowMs);
  }
  const userTokens = await deps.userTokens.list(user);
  if (userTokens.length > 0) return found(userTokens, nowMs);
  const hasExpired = signedInUntilMs !== undefined && signedInUntilMs <= nowMs;
  return { kind: 'none', code: hasExpired ? 'token_expired' : 'token_missing' };
}

// A store may hand out a token a moment before it lapses, or be late in dropping it: `exp` decides here, with no
// tolerance.
function found(userTokens: readonly UserToken[], nowMs: number): Candidates {
  const live = userTokens.filter((userToken) => userToken.expiresAtMs > nowMs);
  return live.length > 0
    ? { kind: 'found', identifiers: live.map(({ jwt }) => ({ userToken: jwt })) }
    : { kind: 'none', code: 'token_expired' };
}
