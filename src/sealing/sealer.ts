import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Randomness } from '../binding/clock.ts';
import type { Sealer } from '../binding/ports.ts';
import type { Secret } from '../binding/secret.ts';
import { deriveKey } from './derive-key.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_BYTES = 4;

/** Envelopes whose associated data are the purpose: nothing sealed for one use opens for another (SB-14, SB-15). */
export function createSealer(
  secrets: readonly [Secret, ...Secret[]],
  purpose: string,
  randomness: Randomness,
): Sealer {
  const envelopes = createEnvelopes(secrets, purpose, randomness);
  return {
    seal: (text) => envelopes.seal(purpose, text),
    open: (sealed) => envelopes.open(purpose, sealed),
  };
}

/**
 * AES-256-GCM, one key per purpose and secret. Envelope, base64url: key id (4 bytes) | nonce (12) | ciphertext |
 * tag (16). What was sealed with some associated data opens with the same only. The first secret seals, all of them
 * open: a new one is put in front and nobody is signed out.
 */
export function createEnvelopes(
  secrets: readonly [Secret, ...Secret[]],
  purpose: string,
  randomness: Randomness,
) {
  const [sealing, ...older] = secrets.map((secret) => ({
    id: deriveKey(secret, `${purpose}/key-id`, KEY_ID_BYTES),
    key: deriveKey(secret, `${purpose}/key`, 32),
  }));
  if (sealing === undefined) throw new TypeError('a sealer needs a secret');
  const keys = [sealing, ...older];

  return {
    seal(associatedData: string, text: string): string {
      const nonce = Buffer.from(randomness.id(NONCE_BYTES), 'base64url');
      const cipher = createCipheriv('aes-256-gcm', sealing.key, nonce).setAAD(Buffer.from(associatedData));
      const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([sealing.id, nonce, ciphertext, cipher.getAuthTag()]).toString('base64url');
    },

    open(associatedData: string, sealed: string): string | undefined {
      const envelope = Buffer.from(sealed, 'base64url');
      // Node skips what is not base64url; one sealed text must have one spelling.
      if (envelope.toString('base64url') !== sealed) return undefined;
      if (envelope.length < KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES) return undefined;
      const id = envelope.subarray(0, KEY_ID_BYTES);
      const key = keys.find((candidate) => candidate.id.equals(id))?.key;
      if (key === undefined) return undefined;
      const nonce = envelope.subarray(KEY_ID_BYTES, KEY_ID_BYTES + NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(associatedData))
        .setAuthTag(envelope.subarray(-TAG_BYTES));
      try {
        const ciphertext = envelope.subarray(KEY_ID_BYTES + NONCE_BYTES, -TAG_BYTES);
        return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
      } catch {
        // Node says a wrong tag by throwing: forged, changed, or sealed under a secret with the same key id.
        return undefined;
      }
    },
  };
}
