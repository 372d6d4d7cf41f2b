import { type AuthorizationSession, parseAuthorizationSession } from '../binding/authorization-session.ts';
import { parseAuthorizationUrl } from '../agentcore/authorize-url.ts';

/** The flow a POST wants to pin. */
export type PinnedFlow =
  | { readonly kind: 'parsed'; readonly authorizationSession: AuthorizationSession | undefined }
  | { readonly kind: 'refused'; readonly reason: string; readonly detail: string };

/** `session_uri` and `authorization_url` name one authorization session, and must agree where both are sent. */
export function parsePinnedFlow(
  body: { readonly authorization_url?: string; readonly session_uri?: string },
  authorizeHosts: readonly string[],
): PinnedFlow {
  const { authorization_url: url, session_uri: uri } = body;
  const byUri = uri === undefined ? undefined : parseAuthorizationSession(uri);
  if (uri !== undefined && byUri === undefined) {
    return {
      kind: 'refused',
      reason: 'session_uri',
      detail: '`session_uri` is not a request_uri of AgentCore.',
    };
  }
  if (url === undefined) return { kind: 'parsed', authorizationSession: byUri };

  const byUrl = parseAuthorizationUrl(url, authorizeHosts);
  if (byUrl.kind === 'refused') {
    const detail =
      "`authorization_url` is not AgentCore's authorize endpoint with one request_uri (AUTHORIZE_HOSTS).";
    return { kind: 'refused', reason: `authorization_url_${byUrl.reason}`, detail };
  }
  if (byUri !== undefined && byUri.id !== byUrl.authorizationSession.id) {
    const detail = '`session_uri` and the request_uri of `authorization_url` differ.';
    return { kind: 'refused', reason: 'contradiction', detail };
  }
  return { kind: 'parsed', authorizationSession: byUrl.authorizationSession };
}
