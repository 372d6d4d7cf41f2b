import { digest } from './digest.ts';
import type { Secret } from './secret.ts';
import type { User } from './user.ts';

/** A verified user token: the original artifact with which its user invoked the agent. */
export interface UserToken {
  readonly user: User;
  readonly jwt: Secret;
  readonly fingerprint: string;
  /** `exp`, in milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** A name for pages (`preferred_username`, `username`, …): never an identity. */
  readonly username?: string;
}

/** Names a token without revealing it: SHA-256 of the compact JWT. */
export function tokenFingerprint(jwt: Secret): string {
  return digest(jwt.reveal());
}
