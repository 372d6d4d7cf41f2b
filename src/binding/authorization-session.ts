import { digest } from './digest.ts';

/**
 * One three-legged consent flow inside AgentCore Identity. `id` is the `session_id` of the callback, the
 * `sessionUri` of the API and the `request_uri` of the authorization URL; `key` is its SHA-256, under which
 * records are kept so that a store never learns the id (SB-14).
 */
export interface AuthorizationSession {
  readonly id: string;
  readonly key: string;
}

/** AgentCore keeps an authorization session for ten minutes. */
export const AUTHORIZATION_SESSION_TTL_MS = 10 * 60_000;

// https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_CompleteResourceTokenAuth.html (sessionUri).
// The SDK validates nothing, so this is the only check in front of AWS.
const PATTERN = /^urn:ietf:params:oauth:request_uri:[a-zA-Z0-9\-._~]+$/;
const MAX_LENGTH = 1024;

/** The authorization session of a well-formed id, else undefined. */
export function parseAuthorizationSession(id: string): AuthorizationSession | undefined {
  if (id.length > MAX_LENGTH || !PATTERN.test(id)) return undefined;
  return { id, key: digest(id) };
}
