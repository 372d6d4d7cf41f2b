/**
 * Every code with which the service answers (its contract, §6). Spelled out here because the client shares no code
 * with the service; a test compares the two lists.
 */
export const SERVICE_CODES = [
  'completed',
  'in_progress',
  'invalid_request',
  'invalid_token',
  'not_signed_in',
  'token_expired',
  'token_missing',
  'token_refused',
  'consent_denied',
  'consent_failed',
  'user_mismatch',
  'browser_mismatch',
  'state_invalid',
  'pin_required',
  'not_a_navigation',
  'forbidden_origin',
  'authorization_expired',
  'rate_limited',
  'agentcore_forbidden',
  'agentcore_unavailable',
  'outcome_unknown',
  'issuer_unavailable',
  'store_unavailable',
  'overloaded',
  'payload_too_large',
  'unsupported_media_type',
  'method_not_allowed',
  'not_found',
  'misdirected_host',
  'internal_error',
] as const;

export type ServiceCode = (typeof SERVICE_CODES)[number];

export function isServiceCode(value: unknown): value is ServiceCode {
  return SERVICE_CODES.some((code) => code === value);
}
