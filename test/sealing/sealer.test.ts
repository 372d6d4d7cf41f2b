import { createDecipheriv, createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { deriveKey } from '../../src/sealing/derive-key.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { systemRandomness } from '../../src/system.ts';

const SECRET = new Secret('the-first-secret-that-is-long-enough-0123456789');
const OTHER = new Secret('the-other-secret-that-is-long-enough-0123456789');

const character = fc.nat(0xd7ff).map((code) => String.fromCodePoint(code));
const sealer = createSealer([SECRET], 'test', systemRandomness);

describe('what was sealed', () => {
  it('opens to the very text, and not otherwise readable [SB-14]', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: character }), fc.constant('s'.repeat(100_000))), (text) => {
        const sealed = sealer.seal(text);
        expect(sealer.open(sealed)).toBe(text);
        expect(sealed).toMatch(/^[\w-]+$/);
        if (text.length > 3) expect(Buffer.from(sealed, 'base64url').includes(text)).toBe(false);
      }),
    );
  });

  it('does not open when any one bit of it was changed [SB-15]', () => {
    const envelope = Buffer.from(sealer.seal('{"a":1}'), 'base64url');
    for (let bit = 0; bit < envelope.length * 8; bit += 1) {
      const changed = Buffer.from(envelope);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(sealer.open(changed.toString('base64url')), `bit ${bit}`).toBeUndefined();
    }
  });

  it('does not open when it is cut anywhere, at either end, or longer [SB-15]', () => {
    const sealed = sealer.seal('a text of some length');
    for (let length = 0; length < sealed.length; length += 1) {
      expect(sealer.open(sealed.slice(0, length))).toBeUndefined();
      expect(sealer.open(sealed.slice(sealed.length - length))).toBeUndefined();
    }
    for (const more of ['A', 'AA', 'AAA', 'AAAA']) expect(sealer.open(sealed + more)).toBeUndefined();
  });

  it('has one spelling: no padding, no other alphabet, no spaces, no loose last bits', () => {
    for (let length = 0; length < 40; length += 1) {
      const sealed = sealer.seal('x'.repeat(length));
      const bytes = Buffer.from(sealed, 'base64url');
      const spellings = [
        `${sealed}=`,
        `${sealed}==`,
        `${sealed}\n`,
        ` ${sealed}`,
        `${sealed.slice(0, 10)} ${sealed.slice(10)}`,
        `${sealed.slice(0, 10)}!${sealed.slice(10)}`,
        bytes.toString('base64'),
        bytes.toString('base64').replaceAll('=', ''),
        bytes.toString('hex'),
      ].filter((spelling) => spelling !== sealed);
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const lastDigits = Array.from(alphabet, (last) => sealed.slice(0, -1) + last);
      for (const spelling of [...spellings, ...lastDigits.filter((other) => other !== sealed)]) {
        expect(sealer.open(spelling), spelling).toBeUndefined();
      }
    }
  });

  it('opens by its documented layout: replicas of two versions must read each other [SB-14]', () => {
    const envelope = Buffer.from(sealer.seal('text'), 'base64url');
    expect(envelope.subarray(0, 4)).toEqual(deriveKey(SECRET, 'test/key-id', 4));
    const key = deriveKey(SECRET, 'test/key', 32);
    const opened = createDecipheriv('aes-256-gcm', key, envelope.subarray(4, 16))
      .setAAD(Buffer.from('test'))
      .setAuthTag(envelope.subarray(-16));
    const text = Buffer.concat([opened.update(envelope.subarray(16, -16)), opened.final()]);
    expect(text.toString('utf8')).toBe('text');
  });

  it('is never the same twice: each has its own nonce', () => {
    const sealed = Array.from({ length: 1_000 }, () => sealer.seal('the same text'));
    const nonces = sealed.map((one) => Buffer.from(one, 'base64url').subarray(4, 16).toString('hex'));
    expect(new Set(nonces).size).toBe(1_000);
  });

  it('takes its nonce from the randomness it was given', () => {
    const fixed = {
      ...systemRandomness,
      id: (bytes: number) => Buffer.alloc(bytes, 7).toString('base64url'),
    };
    const sealed = createSealer([SECRET], 'test', fixed).seal('text');
    expect(Buffer.from(sealed, 'base64url').subarray(4, 16)).toEqual(Buffer.alloc(12, 7));
  });
});

describe('secrets and purposes', () => {
  it('the first secret seals, each of them opens: a rotation signs nobody out [SB-14]', () => {
    const before = sealer.seal('text');
    const rotated = createSealer([OTHER, SECRET], 'test', systemRandomness);
    expect(rotated.open(before)).toBe('text');
    expect(sealer.open(rotated.seal('text'))).toBeUndefined();
    expect(createSealer([OTHER], 'test', systemRandomness).open(rotated.seal('text'))).toBe('text');
  });

  it('a secret that was taken away opens nothing any more', () => {
    expect(createSealer([OTHER], 'test', systemRandomness).open(sealer.seal('text'))).toBeUndefined();
  });

  it('what was sealed for one purpose does not open for another, under the same secret [SB-15]', () => {
    const elsewhere = createSealer([SECRET], 'other', systemRandomness);
    expect(elsewhere.open(sealer.seal('text'))).toBeUndefined();
    expect(sealer.open(elsewhere.seal('text'))).toBeUndefined();
  });

  it('a foreign key id in front does not make a foreign envelope ours', () => {
    const ours = Buffer.from(sealer.seal('text'), 'base64url');
    const foreign = Buffer.from(createSealer([OTHER], 'test', systemRandomness).seal('text'), 'base64url');
    const mixed = Buffer.concat([ours.subarray(0, 4), foreign.subarray(4)]);
    expect(sealer.open(mixed.toString('base64url'))).toBeUndefined();
  });
});

describe('a derived key', () => {
  it('is HKDF-SHA256 (RFC 5869) of the secret, with the purpose as info', () => {
    // From the RFC's two steps, not from hkdfSync.
    const hmac = (keyBytes: string | Buffer, data: string | Buffer) =>
      createHmac('sha256', keyBytes).update(data).digest();
    const extracted = hmac(Buffer.alloc(32), SECRET.reveal());
    expect(deriveKey(SECRET, 'cookie', 32)).toEqual(hmac(extracted, 'agentcore-session-binding/cookie\x01'));
  });

  it('differs by secret and by purpose, and is not the secret', () => {
    const purposes = ['cookie', 'csrf', 'custom-state/key', 'custom-state/key-id', 'test', ''];
    const keys = [SECRET, OTHER].flatMap((secret) =>
      purposes.map((purpose) => deriveKey(secret, purpose, 32).toString('hex')),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(deriveKey(SECRET, 'cookie', 32)).toHaveLength(32);
    expect(deriveKey(SECRET, 'cookie', 32).includes(SECRET.reveal().slice(0, 8))).toBe(false);
  });

  it('is the same on every replica', () => {
    expect(deriveKey(SECRET, 'cookie', 32)).toEqual(deriveKey(new Secret(SECRET.reveal()), 'cookie', 32));
  });
});
