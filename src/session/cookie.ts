import { createHash } from 'node:crypto';

/** Name and attributes of the browser session's cookie (contract §7), from `PUBLIC_URL`, never from a request. */
export interface BrowserSessionCookie {
  readonly name: string;
  readonly secure: boolean;
}

/**
 * On https the `__Host-` prefix, which no sibling domain can plant (SB-33); below a path prefix a short hash of
 * it keeps two services on one host apart (a cookie path would be no boundary). On http loopback a plain name.
 */
export function browserSessionCookie(publicUrl: string): BrowserSessionCookie {
  const url = new URL(publicUrl);
  const prefix = url.pathname.replace(/\/+$/, '');
  if (url.protocol !== 'https:') return { name: 'session-binding', secure: false };
  if (prefix === '') return { name: '__Host-session-binding', secure: true };
  const suffix = createHash('sha256').update(prefix).digest('hex').slice(0, 8);
  return { name: `__Host-session-binding-${suffix}`, secure: true };
}

/**
 * The cookie that CSRF tokens hang on before anybody is signed in: same rules, another name, which no prefix of a
 * path can imitate (its suffix would be hexadecimal).
 */
export function preSessionCookieName(publicUrl: string): string {
  return `${browserSessionCookie(publicUrl).name}-form`;
}

/** The cookie of the browser's lineage: the same rules again. */
export function lineageCookieName(publicUrl: string): string {
  return `${browserSessionCookie(publicUrl).name}-lineage`;
}

/**
 * True when the header carries this name twice with different values: one of them was planted and nobody can tell
 * which, so there is no browser session (SB-33, SB-05).
 */
export function hasContradictingCookies(cookieHeader: string | undefined, name: string): boolean {
  // Asked three times a request; nearly nobody sends it twice.
  if (cookieHeader === undefined || cookieHeader.indexOf(name) === cookieHeader.lastIndexOf(name))
    return false;
  const values = cookieHeader.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=');
    // Parsers drop white space around a name: `name =x` is one of ours, too.
    const isOurs = equals >= 0 && pair.slice(0, equals).trim() === name;
    return isOurs ? [pair.slice(equals + 1).trim()] : [];
  });
  return new Set(values).size > 1;
}
