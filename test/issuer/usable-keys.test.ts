import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseUsableKeys, selectKey } from '../../src/issuer/usable-keys.ts';
import { jwkOf, keyPairFor } from './forge.ts';

const rsa = keyPairFor('RS256');
const rsaJwk = jwkOf(rsa.publicKey);
const p256 = jwkOf(keyPairFor('ES256').publicKey);

async function algorithmsOf(jwk: unknown): Promise<readonly string[]> {
  const keys = await parseUsableKeys({ keys: [jwk] });
  return keys.flatMap((key) => [...key.byAlgorithm.keys()]);
}

describe('a published key', () => {
  test.each([
    ['RSA', rsaJwk, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ['RSA for one algorithm', { ...rsaJwk, alg: 'PS384' }, ['PS384']],
    ['P-256', p256, ['ES256']],
    ['P-384', jwkOf(keyPairFor('ES384').publicKey), ['ES384']],
    ['P-521', jwkOf(keyPairFor('ES512').publicKey), ['ES512']],
    ['Ed25519', jwkOf(keyPairFor('EdDSA').publicKey), ['EdDSA']],
    [
      'RSA that says it is for signatures',
      { ...rsaJwk, alg: 'RS256', use: 'sig', key_ops: ['verify'] },
      ['RS256'],
    ],
  ])('serves the algorithms of its kind: %s [SB-10]', async (_name, jwk, algorithms) => {
    expect(await algorithmsOf(jwk)).toEqual(algorithms);
  });

  test.each([
    ['private', jwkOf(rsa.privateKey)],
    ['private, on a curve', jwkOf(keyPairFor('ES256').privateKey)],
    ['symmetric', { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', alg: 'HS256' }],
    ['symmetric in disguise', { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', crv: 'P-256' }],
    ['RSA of 1024 bits', jwkOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
    ['RSA of 2047 bits', jwkOf(generateKeyPairSync('rsa', { modulusLength: 2047 }).publicKey)],
    ['for encryption', { ...rsaJwk, use: 'enc' }],
    ['for other operations', { ...rsaJwk, key_ops: ['encrypt'] }],
    ['for no operation', { ...rsaJwk, key_ops: [] }],
    ['with operations that are no list', { ...rsaJwk, key_ops: 'verify' }],
    ['with operations that are a number', { ...rsaJwk, key_ops: 7 }],
    ['for another algorithm', { ...rsaJwk, alg: 'RSA-OAEP' }],
    ['for an HMAC', { ...rsaJwk, alg: 'HS256' }],
    ['for the algorithm of another curve', { ...p256, alg: 'ES384' }],
    ['on a curve nobody named', jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['for key agreement', jwkOf(generateKeyPairSync('x25519').publicKey)],
    ['off its curve', { ...p256, y: p256.x }],
    ['without a modulus', { kty: 'RSA', e: 'AQAB' }],
    ['of an unknown kind', { kty: 'constructor', crv: 'constructor' }],
    ['null', null],
    ['a string', 'RS256'],
  ])('is dropped: %s [SB-10]', async (_name, jwk) => {
    expect(await algorithmsOf(jwk)).toEqual([]);
  });

  test('is looked at among a hundred at most [SB-12]', async () => {
    const keys = Array.from({ length: 101 }, (_, index) => ({ ...p256, kid: `key-${index}` }));
    expect(await parseUsableKeys({ keys })).toHaveLength(100);
  });

  test.each([[undefined], [null], [{}], ['keys']])('is none where the set says %j', async (keys) => {
    expect(await parseUsableKeys({ keys })).toEqual([]);
  });
});

describe('the key for a header', () => {
  test('is that of its kid and algorithm, and never a guess [SB-10]', async () => {
    const keys = await parseUsableKeys({
      keys: [
        { ...rsaJwk, kid: 'a', alg: 'RS256' },
        { ...p256, kid: 'b' },
        { ...jwkOf(keyPairFor('ES256').publicKey), kid: 'c' },
        { ...jwkOf(keyPairFor('ES256').publicKey), kid: 'c' },
        { ...jwkOf(keyPairFor('EdDSA').publicKey), kid: 7 },
      ],
    });
    expect(selectKey(keys, 'a', 'RS256').kind).toBe('found');
    expect(selectKey(keys, 'b', 'ES256').kind).toBe('found');
    expect(selectKey(keys, undefined, 'RS256').kind).toBe('found');
    expect(selectKey(keys, undefined, 'EdDSA').kind).toBe('found');
    expect(selectKey(keys, 'a', 'ES256')).toEqual({ kind: 'refused', reason: 'wrong_algorithm' });
    expect(selectKey(keys, 'c', 'ES256')).toEqual({ kind: 'refused', reason: 'ambiguous_key' });
    expect(selectKey(keys, undefined, 'ES256')).toEqual({ kind: 'refused', reason: 'ambiguous_key' });
    expect(selectKey(keys, 'z', 'RS256')).toEqual({ kind: 'unknown_key' });
    expect(selectKey(keys, undefined, 'ES384')).toEqual({ kind: 'unknown_key' });
  });
});
