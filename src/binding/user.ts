import { digest } from './digest.ts';

/**
 * Who somebody is: the issuer of a verified token and the identifying claim in it (`USER_CLAIM`). Two issuers
 * may use the same subject for two people, so a user is never the subject alone (SB-11).
 */
export interface User {
  readonly issuer: string;
  readonly subject: string;
}

/** One string per user, in which no issuer and subject can imitate another pair: for maps in memory. */
export function userKey({ issuer, subject }: User): string {
  return `${issuer.length} ${issuer}${subject}`;
}

/** SHA-256 of issuer and subject, for record keys, sealed states and logs. Of their JSON: as bytes lone surrogates are all the same. */
export function userDigest({ issuer, subject }: User): string {
  return digest(JSON.stringify([issuer, subject]));
}

export function isSameUser(a: User, b: User): boolean {
  return a.issuer === b.issuer && a.subject === b.subject;
}
