import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { IssuerFault } from './issuer-fault.ts';

/** Why nobody was signed in. Reasons are stable words of ours, for the log alone. */
export interface LoginFailure {
  /**
   * `declined`: the issuer ended the login, as it does when the person says no. `not_ours`: what came back does not
   * belong to the login that this browser began (SB-31). `issuer_unavailable`: the issuer's fault, or the operator's.
   */
  readonly kind: 'declined' | 'not_ours' | 'issuer_unavailable';
  readonly reason: string;
}

/** RFC 6749 section 4.1.2.1: what is no answer to the person but a fault of the issuer or of its registration. */
const FAULTS = [
  'invalid_request',
  'unauthorized_client',
  'unsupported_response_type',
  'invalid_scope',
  'server_error',
  'temporarily_unavailable',
];
/** RFC 6749 section 5.2. */
const TOKEN_ENDPOINT_ERRORS = ['invalid_request', 'invalid_client', 'unauthorized_client', 'invalid_scope'];

/**
 * What the library threw, in words of ours: theirs may quote the URL with its code (SB-16).
 * @throws what is no refusal of the library's, since it is a bug.
 */
export function explainLoginFailure(error: unknown, wasIssuerAsked: boolean): LoginFailure {
  if (error instanceof AuthorizationResponseError) {
    const fault = FAULTS.find((code) => code === error.error);
    return fault === undefined ? { kind: 'declined', reason: 'declined' } : unavailable(`login_${fault}`);
  }
  if (error instanceof ResponseBodyError) {
    // The code was used before, has expired, or was made for the challenge of another browser.
    if (error.error === 'invalid_grant') return { kind: 'not_ours', reason: 'invalid_grant' };
    return unavailable(
      `token_endpoint_${TOKEN_ENDPOINT_ERRORS.find((code) => code === error.error) ?? 'error'}`,
    );
  }
  if (error instanceof WWWAuthenticateChallengeError) return unavailable('token_endpoint_invalid_client');
  if (!(error instanceof ClientError)) throw error;
  const { cause, code } = error;
  if (cause instanceof IssuerFault) return unavailable(cause.reason);
  if (code === undefined) throw error;
  // Parameters that name another issuer, come twice, or carry no code (RFC 9207, SB-31).
  if (!wasIssuerAsked) return { kind: 'not_ours', reason: 'wrong_response' };
  return isAboutNonce(cause) ? { kind: 'not_ours', reason: 'wrong_nonce' } : unavailable('wrong_answer');
}

function isAboutNonce(cause: unknown): boolean {
  const facts = cause instanceof Error ? cause.cause : undefined;
  return typeof facts === 'object' && facts !== null && 'claim' in facts && facts.claim === 'nonce';
}

function unavailable(reason: string): LoginFailure {
  return { kind: 'issuer_unavailable', reason };
}
