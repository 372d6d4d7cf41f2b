import { importJWK } from 'jose/key/import';
import type { CryptoKey, JWK } from 'jose';
import { isJsonObject } from './json-object.ts';
import type { JsonObject } from './json-object.ts';

/** A published key that may verify user tokens, imported once for each algorithm it can serve. */
export interface UsableKey {
  readonly kid: string | undefined;
  readonly byAlgorithm: ReadonlyMap<string, CryptoKey>;
}

export type KeySelection =
  | { readonly kind: 'found'; readonly key: CryptoKey }
  | { readonly kind: 'refused'; readonly reason: 'wrong_algorithm' | 'ambiguous_key' }
  | { readonly kind: 'unknown_key' };

/**
 * Which algorithms a kind of key (`crv`, for RSA `kty`) may serve. Asymmetric ones only: an HMAC "verified" with
 * a public key is a forgery that anybody can make (SB-10).
 */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  Ed25519: ['EdDSA'],
};
const ALLOWED_ALGORITHMS: ReadonlySet<string> = new Set(Object.values(ALGORITHMS).flat());
const MAX_KEYS = 100;
const MIN_RSA_BITS = 2048;

export function isAllowedAlgorithm(alg: unknown): alg is string {
  return typeof alg === 'string' && ALLOWED_ALGORITHMS.has(alg);
}

/** The keys of a JWK Set (RFC 7517) that may verify user tokens; the others are dropped. */
export async function parseUsableKeys(keySet: JsonObject): Promise<readonly UsableKey[]> {
  const jwks: readonly unknown[] = Array.isArray(keySet.keys) ? keySet.keys.slice(0, MAX_KEYS) : [];
  const keys = await Promise.all(jwks.filter(isJsonObject).map(parseUsableKey));
  return keys.filter((key) => key !== undefined);
}

async function parseUsableKey(jwk: JsonObject): Promise<UsableKey | undefined> {
  // Whoever publishes the private half has lost it: such a key proves nothing any more.
  if (Object.hasOwn(jwk, 'd')) return undefined;
  if (jwk.use !== undefined && jwk.use !== 'sig') return undefined;
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify')))
    return undefined;
  const byAlgorithm = new Map<string, CryptoKey>();
  for (const alg of algorithmsOf(jwk)) {
    const key = await importPublicKey(jwk, alg);
    if (key !== undefined) byAlgorithm.set(alg, key);
  }
  if (byAlgorithm.size === 0) return undefined;
  return { kid: typeof jwk.kid === 'string' ? jwk.kid : undefined, byAlgorithm };
}

function algorithmsOf(jwk: JsonObject): readonly string[] {
  const kind = jwk.kty === 'RSA' ? 'RSA' : jwk.crv;
  const algorithms =
    typeof kind === 'string' && Object.hasOwn(ALGORITHMS, kind) ? ALGORITHMS[kind] : undefined;
  return (algorithms ?? []).filter((alg) => jwk.alg === undefined || jwk.alg === alg);
}

async function importPublicKey(jwk: JsonObject, alg: string): Promise<CryptoKey | undefined> {
  try {
    const key = await importJWK(jwk as JWK, alg);
    return key instanceof Uint8Array || isShortRsa(key) ? undefined : key;
  } catch {
    // Nothing but what the issuer published goes in, so whatever is thrown says: not a key.
    return undefined;
  }
}

function isShortRsa({ algorithm }: CryptoKey): boolean {
  return 'modulusLength' in algorithm && Number(algorithm.modulusLength) < MIN_RSA_BITS;
}

/** The one key for a token's header. A `kid` that is not held may be a rotated key: `unknown_key`. */
export function selectKey(keys: readonly UsableKey[], kid: string | undefined, alg: string): KeySelection {
  const named = kid === undefined ? keys : keys.filter((key) => key.kid === kid);
  const matching = named.flatMap((key) => key.byAlgorithm.get(alg) ?? []);
  const [key] = matching;
  if (key !== undefined && matching.length === 1) return { kind: 'found', key };
  if (matching.length > 1) return { kind: 'refused', reason: 'ambiguous_key' };
  return kid !== undefined && named.length > 0
    ? { kind: 'refused', reason: 'wrong_algorithm' }
    : { kind: 'unknown_key' };
}
