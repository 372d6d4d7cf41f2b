import { randomBytes } from 'node:crypto';
import { Secret } from '../../src/binding/secret.ts';
import type { User } from '../../src/binding/user.ts';
import { tokenFingerprint, type UserToken } from '../../src/binding/user-token.ts';
import type { Store } from '../../src/store/store.ts';

/** A store under test, and the hook that moves its time. */
export interface StoreHarness {
  readonly store: Store;
  /** The same records as another replica sees them; the store itself where it cannot be shared. */
  readonly replica: Store;
  readonly nowMs: () => number;
  readonly advance: (ms: number) => void;
}

export type CreateHarness = () => Promise<StoreHarness>;

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** A user nobody else has: the records of one test never meet those of another. */
export function aUser(): User {
  return { issuer: 'https://idp.example', subject: `user-${randomBytes(8).toString('hex')}` };
}

export function aUserToken(user: User, expiresAtMs: number): UserToken {
  const jwt = new Secret(`jwt.${randomBytes(12).toString('base64url')}.signature`);
  return { user, jwt, fingerprint: tokenFingerprint(jwt), expiresAtMs, username: 'A Name' };
}

/** Stands for the SHA-256 of something: a key of an authorization session, a cookie's id, a code. */
export function aHash(): string {
  return randomBytes(32).toString('base64url');
}

/** Runs `count` calls at once, on both replicas by turns. */
export function race<Result>(
  { store, replica }: StoreHarness,
  count: number,
  call: (store: Store, index: number) => Promise<Result>,
): Promise<readonly Result[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => call(index % 2 === 0 ? store : replica, index)),
  );
}
