import { digest } from './digest.ts';

/**
 * Who somebody is: the issuer of a verified token and the identifying claim in it (`USER_CLAIM`). Two issuers
 * may use the same subject for two people, so a user is never the subject alone (SB-11).
 */
export interface User {
  readonly issuer: string;
  readonly subject: string;
}

/** One string per user, in which no issuer and subject can imitate another pair; JSON because a digest must tell lone surrogates apart. */
export function userKey(user: User): string {
  return JSON.stringify([user.issuer, user.subject]);
}

/** SHA-256 of {@link userKey}: for record keys, sealed states and logs. */
export function userDigest(user: User): string {
  return digest(userKey(user));
}

export function isSameUser(a: User, b: User): boolean {
  return a.issuer === b.issuer && a.subject === b.subject;
}
