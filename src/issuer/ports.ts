import type { UserToken } from '../binding/user-token.ts';

/** Why a token was refused: for the audit log, never for the answer (the answer is `invalid_token`). */
export type TokenRefusal = string;

export type TokenVerification =
  | { readonly kind: 'verified'; readonly userToken: UserToken }
  | { readonly kind: 'invalid'; readonly reason: TokenRefusal }
  /** Discovery or keys cannot be fetched and no usable copy is held: the issuer's fault, never the caller's. */
  | { readonly kind: 'issuer_unavailable'; readonly reason: string };
