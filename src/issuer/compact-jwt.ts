import { isAllowedAlgorithm } from './usable-keys.ts';
import { parseJsonObject } from './json-object.ts';
import type { JsonObject } from './json-object.ts';

/** A signed JWT taken apart. Nothing in it is verified yet. */
export interface CompactJwt {
  readonly kind: 'parsed';
  readonly alg: string;
  readonly kid: string | undefined;
  readonly unverifiedClaims: JsonObject;
}

export interface CompactJwtRefusal {
  readonly kind: 'refused';
  readonly reason: 'too_long' | 'malformed' | 'algorithm_not_allowed' | 'critical_header' | 'wrong_typ';
}

/** As much as the POST may carry. */
const MAX_LENGTH = 64 * 1024;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

// An issuer's other signed JWTs (logout tokens, DPoP proofs, security events) say so in `typ`; an access token
// says `at+jwt`, `JWT` or nothing (RFC 9068 §2.1, RFC 8725 §3.11).
const USER_TOKEN_TYP = /^(application\/)?(at\+)?jwt$/i;

/**
 * The parts of a compact JWS that is worth asking an issuer about (RFC 7519 §7.2). Of the header only `alg` and
 * `kid` leave this function: `jwk`, `jku`, `x5u` and `x5c` would let the sender choose the key (SB-10).
 */
export function parseCompactJwt(text: string): CompactJwt | CompactJwtRefusal {
  if (text.length > MAX_LENGTH) return refused('too_long');
  const parts = text.split('.');
  if (parts.length !== 3 || !parts.every((part) => BASE64URL.test(part))) return refused('malformed');
  const [header, unverifiedClaims] = parts.map((part) => parseJsonObject(Buffer.from(part, 'base64url')));
  if (header === undefined || unverifiedClaims === undefined) return refused('malformed');
  const { alg, kid, typ } = header;
  if (kid !== undefined && typeof kid !== 'string') return refused('malformed');
  if (!isAllowedAlgorithm(alg)) return refused('algorithm_not_allowed');
  // We know no extension, so none that must be understood can be (RFC 7515 §4.1.11).
  if (header.crit !== undefined) return refused('critical_header');
  if (typ !== undefined && !(typeof typ === 'string' && USER_TOKEN_TYP.test(typ)))
    return refused('wrong_typ');
  return { kind: 'parsed', alg, kid, unverifiedClaims };
}

function refused(reason: CompactJwtRefusal['reason']): CompactJwtRefusal {
  return { kind: 'refused', reason };
}
