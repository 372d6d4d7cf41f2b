import type { JsonObject } from './json-object.ts';

/** What the operator accepts. An empty list is not set; every list that is set must be satisfied. */
export interface ClaimsPolicy {
  readonly allowedClients: readonly string[];
  readonly allowedAudience: readonly string[];
  readonly allowedScopes: readonly string[];
  readonly userClaim: string;
}

export type ClaimsRefusal =
  | 'exp_missing'
  | 'exp_not_a_time'
  | 'expired'
  | 'nbf_not_a_time'
  | 'not_yet_valid'
  | 'iat_not_a_time'
  | 'issued_in_the_future'
  | 'wrong_token_use'
  | 'wrong_client'
  | 'wrong_audience'
  | 'wrong_scope'
  | 'no_user_claim';

export type ClaimsCheck =
  | {
      readonly kind: 'accepted';
      /** The identifying claim: who the user is at this issuer. */
      readonly subject: string;
      readonly expiresAtMs: number;
      /** A name for pages, as the issuer wrote it: never an identity. */
      readonly username: string | undefined;
    }
  | { readonly kind: 'refused'; readonly reason: ClaimsRefusal };

/** Looks at verified claims, at a time given; undefined when it has nothing against them. */
type Rule = (claims: JsonObject, policy: ClaimsPolicy, nowMs: number) => ClaimsRefusal | undefined;

/** For `nbf` and `iat` alone: an issuer's clock may be ahead of ours, but nothing outlives its `exp` (SB-29). */
const TOLERANCE_MS = 30_000;
/** The last time that `Date` can express. */
const LAST_TIME_MS = 8.64e15;
const MAX_USER_CLAIM_LENGTH = 128;

const RULES: readonly Rule[] = [
  expiry,
  notBefore,
  issuedAt,
  tokenUse,
  issuedToAllowedClient,
  meantForAllowedAudience,
  grantsAllowedScope,
];

/** What the claims of a token say whose signature and issuer are already verified (SB-11). Pure: no I/O, no clock. */
export function checkClaims(claims: JsonObject, policy: ClaimsPolicy, nowMs: number): ClaimsCheck {
  for (const rule of RULES) {
    const reason = rule(claims, policy, nowMs);
    if (reason !== undefined) return { kind: 'refused', reason };
  }
  const expiresAtMs = timeMs(claims.exp);
  if (expiresAtMs === undefined) return { kind: 'refused', reason: 'exp_not_a_time' };
  const subject = subjectOf(claims, policy.userClaim);
  if (subject === undefined) return { kind: 'refused', reason: 'no_user_claim' };
  return { kind: 'accepted', subject, expiresAtMs, username: usernameOf(claims) };
}

/** Who the claims are about: `USER_CLAIM`. A number is refused, never coerced: `1` and `"1"` may be two people. */
export function subjectOf(claims: JsonObject, userClaim: string): string | undefined {
  const value = Object.hasOwn(claims, userClaim) ? claims[userClaim] : undefined;
  if (typeof value !== 'string') return undefined;
  return value.length >= 1 && value.length <= MAX_USER_CLAIM_LENGTH ? value : undefined;
}

/** A name for pages: never an identity. */
export function usernameOf(claims: JsonObject): string | undefined {
  const { preferred_username: preferred, username, 'cognito:username': cognito, email, name } = claims;
  return [preferred, username, cognito, email, name].find(isNonEmptyString);
}

function expiry({ exp }: JsonObject, _policy: ClaimsPolicy, nowMs: number): ClaimsRefusal | undefined {
  if (exp === undefined) return 'exp_missing';
  const expiresAtMs = timeMs(exp);
  if (expiresAtMs === undefined) return 'exp_not_a_time';
  return expiresAtMs > nowMs ? undefined : 'expired';
}

function notBefore({ nbf }: JsonObject, _policy: ClaimsPolicy, nowMs: number): ClaimsRefusal | undefined {
  if (nbf === undefined) return undefined;
  const notBeforeMs = timeMs(nbf);
  if (notBeforeMs === undefined) return 'nbf_not_a_time';
  return notBeforeMs <= nowMs + TOLERANCE_MS ? undefined : 'not_yet_valid';
}

function issuedAt({ iat }: JsonObject, _policy: ClaimsPolicy, nowMs: number): ClaimsRefusal | undefined {
  if (iat === undefined) return undefined;
  const issuedAtMs = timeMs(iat);
  if (issuedAtMs === undefined) return 'iat_not_a_time';
  return issuedAtMs <= nowMs + TOLERANCE_MS ? undefined : 'issued_in_the_future';
}

// Cognito signs access and ID tokens with the same keys. An ID token is meant for one audience, so it may only
// pass where that audience is checked.
function tokenUse(
  { token_use: use }: JsonObject,
  { allowedAudience }: ClaimsPolicy,
): ClaimsRefusal | undefined {
  const isAllowed = use === undefined || use === 'access' || (use === 'id' && allowedAudience.length > 0);
  return isAllowed ? undefined : 'wrong_token_use';
}

// The first claim that is there decides: a token of another client must not pass by an `azp` that happens to fit.
function issuedToAllowedClient(
  claims: JsonObject,
  { allowedClients }: ClaimsPolicy,
): ClaimsRefusal | undefined {
  const { client_id: clientId, azp, appid, cid } = claims;
  const issuedTo = [clientId, azp, appid, cid].find((value) => value !== undefined);
  return isSatisfied(allowedClients, [issuedTo]) ? undefined : 'wrong_client';
}

function meantForAllowedAudience({ aud }: JsonObject, policy: ClaimsPolicy): ClaimsRefusal | undefined {
  return isSatisfied(policy.allowedAudience, [aud].flat()) ? undefined : 'wrong_audience';
}

function grantsAllowedScope({ scope, scp }: JsonObject, policy: ClaimsPolicy): ClaimsRefusal | undefined {
  const granted = [scope, scp].flat().flatMap((value) => (typeof value === 'string' ? value.split(' ') : []));
  return isSatisfied(policy.allowedScopes, granted) ? undefined : 'wrong_scope';
}

function isSatisfied(allowed: readonly string[], present: readonly unknown[]): boolean {
  return allowed.length === 0 || allowed.some((value) => present.includes(value));
}

function isNonEmptyString(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** A NumericDate (RFC 7519 §2) in milliseconds. Fractions are allowed, strings are not. */
function timeMs(value: unknown): number | undefined {
  if (typeof value !== 'number') return undefined;
  const ms = Math.floor(value * 1000);
  return Math.abs(ms) <= LAST_TIME_MS ? ms : undefined;
}
