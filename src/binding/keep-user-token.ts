import type { AuthorizationSession } from './authorization-session.ts';
import type { Clock } from './clock.ts';
import { sealCustomState } from './custom-state.ts';
import { createPin } from './pin.ts';
import type { PinStore, Sealer, UserTokenStore } from './ports.ts';
import { isSameUser } from './user.ts';
import type { UserToken } from './user-token.ts';

export type KeptUserToken =
  | { readonly kind: 'kept'; readonly customState: string }
  | { readonly kind: 'refused'; readonly code: 'user_mismatch' | 'rate_limited' };

export interface KeepUserTokenDeps {
  readonly userTokens: UserTokenStore;
  readonly pins: PinStore;
  readonly customStateSealer: Sealer;
  readonly clock: Clock;
}

/**
 * Keeps a verified user token and, where an authorization session is named, pins that session to the token's
 * user. The pin comes first because it alone can be refused: of a refused request nothing is kept.
 */
export async function keepUserToken(
  userToken: UserToken,
  authorizationSession: AuthorizationSession | undefined,
  deps: KeepUserTokenDeps,
): Promise<KeptUserToken> {
  const { userTokens, pins, customStateSealer, clock } = deps;
  const kept = { kind: 'kept', customState: sealCustomState(userToken, customStateSealer) } as const;
  if (authorizationSession === undefined) {
    await userTokens.write(userToken);
    return kept;
  }

  const pin = createPin(authorizationSession, userToken, clock.nowMs());
  const creation = await pins.create(pin);
  if (creation.kind === 'too_many') return { kind: 'refused', code: 'rate_limited' };
  if (creation.kind === 'exists') {
    // Whoever pins somebody else's flow must not learn more than that it is not his (SB-34).
    if (!isSameUser(creation.pin.user, userToken.user)) return { kind: 'refused', code: 'user_mismatch' };
    // A POST that was cut off between its two writes left a pin without its user token: this one mends it (SB-13).
    const { tokenFingerprint, liveUntilMs } = creation.pin;
    const isNamed = tokenFingerprint === userToken.fingerprint && liveUntilMs > clock.nowMs();
    await userTokens.write(userToken, isNamed ? liveUntilMs : undefined);
    return kept;
  }
  try {
    await userTokens.write(userToken, pin.liveUntilMs);
  } catch (error) {
    await pins.remove(pin);
    throw error;
  }
  return kept;
}
