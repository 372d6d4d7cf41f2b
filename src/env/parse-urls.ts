import { isLoopbackHost } from './loopback.ts';
import { parsed, wrong } from './parsed.ts';
import type { Parsed } from './parsed.ts';
import { parseHostName } from './parse-values.ts';

/**
 * A URL that may be trusted with tokens and links: https, or http on a loopback host (SB-28); without userinfo,
 * query and fragment, which would end up in logs and links (SB-16).
 */
function parseSafeUrl(text: string): Parsed<URL> {
  // `URL` mends blanks, line breaks and backslashes silently; what was typed must be what is used.
  if (!/^https?:\/\/[^\s\\]+$/i.test(text) || !URL.canParse(text)) {
    return wrong('must be an absolute URL such as https://auth.example.com');
  }
  const url = new URL(text);
  if (!hasPlainHost(url)) return wrong('must name one host, without wildcard');
  const problems: string[] = [];
  if (url.protocol !== 'https:' && !isLoopbackHost(url.hostname)) {
    problems.push('must be https; http is accepted only for loopback hosts');
  }
  // Looked for in the text, since `URL` forgets an empty userinfo, query or fragment.
  if (/^https?:\/\/[^/?#]*@/i.test(text)) problems.push('must not carry a user name or password');
  if (/[?#]/.test(text)) problems.push('must not carry a query or fragment');
  return problems.length > 0 ? wrong(...problems) : parsed(url);
}

/** `URL` takes `*` and other characters for part of a host name. */
function hasPlainHost(url: URL): boolean {
  return parseHostName(url.hostname).kind === 'parsed';
}

/** A base URL without trailing slash; a path prefix is kept. */
export function parseBaseUrl(text: string): Parsed<string> {
  const outcome = parseSafeUrl(text);
  if (outcome.kind === 'wrong') return outcome;
  const { origin, pathname } = outcome.value;
  // A prefix that begins with two slashes is a link to another host wherever it is used alone (SB-18).
  if (pathname.includes('//')) return wrong('must not contain empty path segments (//)');
  return parsed(`${origin}${pathname.replace(/\/$/, '')}`);
}

/** A page of the app. Kept as it is written: a trailing slash may matter there. */
export function parseAppUrl(text: string): Parsed<string> {
  const outcome = parseSafeUrl(text);
  return outcome.kind === 'wrong' ? outcome : parsed(outcome.value.href);
}

const DISCOVERY_PATH = '/.well-known/openid-configuration';

export function parseDiscoveryUrl(text: string): Parsed<string> {
  const outcome = parseSafeUrl(text);
  if (outcome.kind === 'wrong') return outcome;
  if (!outcome.value.pathname.endsWith(DISCOVERY_PATH)) {
    return wrong(
      `must end in ${DISCOVERY_PATH}: write the same value as the agent's customJWTAuthorizer.discoveryUrl`,
    );
  }
  return parsed(outcome.value.href);
}

/**
 * An origin exactly as browsers send it, since it is compared exactly. `null` is no origin: every sandboxed
 * frame sends it (SB-03). http is for loopback hosts only: whoever is on the network path can be any other
 * http origin.
 */
export function parseOrigin(text: string): Parsed<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.origin !== text || !hasPlainHost(url)) {
    return wrong(
      'must be an origin as browsers send it, such as https://app.example.com: scheme, host in lower case, a port only where it is not the default, no trailing slash or path, neither null nor *',
    );
  }
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    return wrong('must be https; http is accepted only for loopback hosts');
  }
  return parsed(text);
}
