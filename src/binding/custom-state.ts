import type { Sealer } from './ports.ts';
import { userDigest } from './user.ts';
import type { UserToken } from './user-token.ts';

/**
 * The `customState` an agent may hand to GetResourceOauth2Token. It names a user and a token by their digests;
 * it can veto a binding and choose among its user's own tokens, never select a user (SB-02).
 */
export interface CustomState {
  readonly userDigest: string;
  readonly tokenFingerprint: string;
  readonly tokenExpiresAtMs: number;
}

/** Values without it belong to the app. */
export const CUSTOM_STATE_PREFIX = 'sb1.';

export function sealCustomState(userToken: UserToken, sealer: Sealer): string {
  const fields = [userDigest(userToken.user), userToken.fingerprint, userToken.expiresAtMs];
  return CUSTOM_STATE_PREFIX + sealer.seal(JSON.stringify(fields));
}

/** Undefined when it was not sealed here. */
export function openCustomState(text: string, sealer: Sealer): CustomState | undefined {
  const plain = sealer.open(text.slice(CUSTOM_STATE_PREFIX.length));
  if (plain === undefined) return undefined;
  // Sealed by us, so its shape is ours: a parse error here is a bug, not an attack.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const [user, tokenFingerprint, tokenExpiresAtMs] = JSON.parse(plain) as [string, string, number];
  return { userDigest: user, tokenFingerprint, tokenExpiresAtMs };
}
