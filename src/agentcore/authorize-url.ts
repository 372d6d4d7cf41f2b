import { type AuthorizationSession, parseAuthorizationSession } from '../binding/authorization-session.ts';
import { isLoopbackHost } from '../env/loopback.ts';

/** Which check refused: for the audit log, never for the answer. */
export type AuthorizationUrlRefusal =
  'too_long' | 'characters' | 'not_canonical' | 'scheme' | 'userinfo' | 'host' | 'path' | 'request_uri';

export type ParsedAuthorizationUrl =
  | { readonly kind: 'parsed'; readonly authorizationSession: AuthorizationSession; readonly url: string }
  | { readonly kind: 'refused'; readonly reason: AuthorizationUrlRefusal };

const MAX_LENGTH = 4096;
const PATH = '/identities/oauth2/authorize';

// Visible ASCII without what parsers disagree about: `\` is a slash to some, `;` a separator of parameters. `#` never
// reaches the server.
const CHARACTERS = /^[!-~]+$/;
const AMBIGUOUS = /[\\;#]/;

/**
 * The authorization session of a URL at AgentCore's authorize endpoint. `hosts` are the accepted ones, as `URL.host`
 * spells them. The browser is later sent to exactly this text, so nothing that another parser could read otherwise
 * is let through (SB-18).
 */
export function parseAuthorizationUrl(text: string, hosts: readonly string[]): ParsedAuthorizationUrl {
  if (text.length > MAX_LENGTH) return refuse('too_long');
  if (!CHARACTERS.test(text) || AMBIGUOUS.test(text)) return refuse('characters');

  // Text that the parser would have to mend (`https:host`, `/a/../b`, `:443`, an empty userinfo) is nobody's honest link.
  if (!URL.canParse(text)) return refuse('not_canonical');
  const url = new URL(text);
  if (url.href !== text) return refuse('not_canonical');

  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) {
    return refuse('scheme');
  }
  if (url.username !== '' || url.password !== '') return refuse('userinfo');
  if (!hosts.includes(url.host)) return refuse('host');
  if (url.pathname !== PATH) return refuse('path');

  // Any spelling counts, since AgentCore may read names more loosely than we do, and then follow the other one.
  const lookalikes = [...url.searchParams].filter(([name]) => /request_uri/i.test(name));
  const [name, value] = lookalikes[0] ?? [];
  if (lookalikes.length !== 1 || name !== 'request_uri' || value === undefined) return refuse('request_uri');
  const authorizationSession = parseAuthorizationSession(value);
  if (authorizationSession === undefined) return refuse('request_uri');

  return { kind: 'parsed', authorizationSession, url: text };
}

function refuse(reason: AuthorizationUrlRefusal): ParsedAuthorizationUrl {
  return { kind: 'refused', reason };
}
