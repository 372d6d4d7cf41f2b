import { hash } from 'node:crypto';

/** SHA-256 as base64url (43 characters): record keys and token fingerprints. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** The first characters of a digest: enough to follow one flow through the logs, useless as a credential (SB-16). */
export function shortFingerprint(digestValue: string): string {
  return digestValue.slice(0, 12);
}
