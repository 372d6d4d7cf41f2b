import type { Clock } from './clock.ts';
import { sealCustomState } from './custom-state.ts';
import { type AnnouncedFlow, createPin, type Pin } from './pin.ts';
import type { PinStore, Sealer, UserTokenStore } from './ports.ts';
import { sealStartHandle } from './start-link.ts';
import { isSameUser } from './user.ts';
import type { UserToken } from './user-token.ts';

export type KeptUserToken =
  /** `startHandle`: only for a flow whose pin, live, has an authorization URL. */
  | { readonly kind: 'kept'; readonly customState: string; readonly startHandle?: string }
  | { readonly kind: 'refused'; readonly code: 'user_mismatch' | 'rate_limited' };

export interface KeepUserTokenDeps {
  readonly userTokens: UserTokenStore;
  readonly pins: PinStore;
  readonly customStateSealer: Sealer;
  readonly startHandleSealer: Sealer;
  readonly clock: Clock;
}

/**
 * Keeps a verified user token and, where a flow is announced, pins it to the token's user. The pin comes first because it alone can be refused: of a refused request nothing is kept.
 */
export async function keepUserToken(
  userToken: UserToken,
  flow: AnnouncedFlow | undefined,
  deps: KeepUserTokenDeps,
): Promise<KeptUserToken> {
  const { userTokens, pins, customStateSealer, startHandleSealer, clock } = deps;
  const kept = { kind: 'kept', customState: sealCustomState(userToken, customStateSealer) } as const;
  if (flow === undefined) {
    await userTokens.write(userToken);
    return kept;
  }

  const startOf = ({ authorizationUrl, authorizationSessionKey, liveUntilMs }: Pin) =>
    authorizationUrl === undefined || liveUntilMs <= clock.nowMs()
      ? {}
      : { startHandle: sealStartHandle(authorizationSessionKey, startHandleSealer) };
  const pin = createPin(flow, userToken, clock.nowMs());
  const creation = await pins.create(pin);
  if (creation.kind === 'too_many') return { kind: 'refused', code: 'rate_limited' };
  if (creation.kind === 'exists') {
    // Whoever pins somebody else's flow must not learn more than that it is not his (SB-34).
    if (!isSameUser(creation.pin.user, userToken.user)) return { kind: 'refused', code: 'user_mismatch' };
    // A POST that was cut off between its two writes left a pin without its user token: this one mends it (SB-13).
    const { tokenFingerprint, liveUntilMs } = creation.pin;
    const isNamed = tokenFingerprint === userToken.fingerprint && liveUntilMs > clock.nowMs();
    await userTokens.write(userToken, isNamed ? liveUntilMs : undefined);
    return { ...kept, ...startOf(creation.pin) };
  }
  try {
    await userTokens.write(userToken, pin.liveUntilMs);
  } catch (error) {
    await pins.remove(pin);
    throw error;
  }
  return { ...kept, ...startOf(pin) };
}
