import { constants, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject, KeyPairKeyObjectResult } from 'node:crypto';

/** A compact JWS over anything, signed by anybody: `sign` gets the signing input. */
export function forge(header: object, payload: unknown, signInput: (input: Buffer) => Buffer): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const input = [JSON.stringify(header), text]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
  return `${input}.${signInput(Buffer.from(input)).toString('base64url')}`;
}

/** The claims of a token, to be signed anew. */
export function claimsOf(jwt: string): Record<string, unknown> {
  const [, payload = ''] = jwt.split('.');
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return claims;
}

export function hmacSigner(secret: string): (input: Buffer) => Buffer {
  return (input) => createHmac('sha256', secret).update(input).digest();
}

/** A real signature of the algorithm (RFC 7518 §3, RFC 8037 §3.1). */
export function signer(alg: string, key: KeyObject): (input: Buffer) => Buffer {
  if (alg === 'EdDSA') return (input) => sign(null, input, key);
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('ES')) return (input) => sign(hash, input, { key, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('RS')) return (input) => sign(hash, input, key);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return (input) => sign(hash, input, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

export function keyPairFor(alg: string): KeyPairKeyObjectResult {
  const namedCurve = CURVES[alg];
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve });
  return alg === 'EdDSA'
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
}

export function jwkOf(key: KeyObject): Record<string, unknown> {
  return { ...key.export({ format: 'jwk' }) };
}
