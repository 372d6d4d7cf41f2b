import { parseAuthorizationUrl } from '../agentcore/authorize-url.ts';
import { parseAuthorizationSession } from '../binding/authorization-session.ts';
import type { AnnouncedFlow } from '../binding/pin.ts';
import { Secret } from '../binding/secret.ts';
import { parseReturnTo } from './return-to.ts';

/** The fields of a POST that announce a flow. */
export interface FlowFields {
  readonly authorization_url?: string;
  readonly session_uri?: string;
  readonly return_to?: string;
  readonly label?: string;
}

/** The flow a POST wants to pin. */
export type PinnedFlow =
  | { readonly kind: 'parsed'; readonly flow: AnnouncedFlow | undefined }
  | { readonly kind: 'refused'; readonly reason: string; readonly detail: string };

export interface FlowPolicy {
  readonly authorizeHosts: readonly string[];
  readonly returnOrigins: readonly string[];
}

/** `session_uri` and `authorization_url` name one authorization session, and must agree where both are sent. */
export function parsePinnedFlow(
  fields: FlowFields,
  { authorizeHosts, returnOrigins }: FlowPolicy,
): PinnedFlow {
  const { authorization_url: url, session_uri: uri, return_to: to, label } = fields;
  const returnTo = to === undefined ? undefined : parseReturnTo(to, returnOrigins);
  if (to !== undefined && returnTo === undefined) {
    return refused('return_to', '`return_to` is not an absolute URL at one of the RETURN_ORIGINS.');
  }
  const byUri = uri === undefined ? undefined : parseAuthorizationSession(uri);
  if (uri !== undefined && byUri === undefined) {
    return refused('session_uri', '`session_uri` is not a request_uri of AgentCore.');
  }
  const about = {
    ...(returnTo === undefined ? {} : { returnTo }),
    ...(label === undefined ? {} : { label }),
  };
  // What is announced of a flow that nobody names would be lost without a word, and the pin with it.
  if (url === undefined && uri === undefined && (to !== undefined || label !== undefined)) {
    return refused('no_flow', '`return_to` and `label` need `authorization_url` or `session_uri`.');
  }
  if (url === undefined) {
    return { kind: 'parsed', flow: byUri && { authorizationSession: byUri, ...about } };
  }

  const byUrl = parseAuthorizationUrl(url, authorizeHosts);
  if (byUrl.kind === 'refused') {
    return refused(
      `authorization_url_${byUrl.reason}`,
      "`authorization_url` is not AgentCore's authorize endpoint with one request_uri (AUTHORIZE_HOSTS).",
    );
  }
  const { authorizationSession } = byUrl;
  if (byUri !== undefined && byUri.id !== authorizationSession.id) {
    return refused('contradiction', '`session_uri` and the request_uri of `authorization_url` differ.');
  }
  return {
    kind: 'parsed',
    flow: { authorizationSession, authorizationUrl: new Secret(byUrl.url), ...about },
  };
}

function refused(reason: string, detail: string): PinnedFlow {
  return { kind: 'refused', reason, detail };
}
