// By their own paths: the whole library is 46 files, of which this needs half.
import { compactVerify } from 'jose/jws/compact/verify';
import * as errors from 'jose/errors';
import type { CryptoKey } from 'jose';
import type { Secret } from '../binding/secret.ts';
import type { CompactJwt } from './compact-jwt.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { parseJsonObject } from './json-object.ts';
import type { JsonObject } from './json-object.ts';

export type SignatureCheck =
  | { readonly kind: 'verified'; readonly claims: JsonObject }
  | { readonly kind: 'invalid'; readonly reason: string }
  | { readonly kind: 'issuer_unavailable'; readonly reason: string };

/** Checks a JWT against the keys of one issuer, which its caller has chosen (SB-10). */
export async function verifySignature(
  jwt: Secret,
  { alg, kid }: CompactJwt,
  keys: Pick<IssuerKeys, 'find'>,
): Promise<SignatureCheck> {
  const lookup = await keys.find(kid, alg);
  if (lookup.kind === 'issuer_unavailable') return { kind: lookup.kind, reason: 'keys_not_refreshed' };
  if (lookup.kind === 'unknown_key') return { kind: 'invalid', reason: 'unknown_key' };
  if (lookup.kind === 'refused') return { kind: 'invalid', reason: lookup.reason };
  const claims = await claimsUnder(lookup.key, alg, jwt);
  return claims === undefined ? { kind: 'invalid', reason: 'bad_signature' } : { kind: 'verified', claims };
}

/** The claims over which the signature holds, else undefined. */
async function claimsUnder(key: CryptoKey, alg: string, jwt: Secret): Promise<JsonObject | undefined> {
  try {
    const { payload } = await compactVerify(jwt.reveal(), key, { algorithms: [alg] });
    return parseJsonObject(payload);
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}
