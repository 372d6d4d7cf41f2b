import { hkdfSync } from 'node:crypto';
import type { Secret } from '../binding/secret.ts';

/** A key for one purpose, from one secret of `SESSION_SECRET` (HKDF-SHA256, RFC 5869): no key serves two uses. */
export function deriveKey(secret: Secret, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret.reveal(), '', `agentcore-session-binding/${purpose}`, bytes));
}
