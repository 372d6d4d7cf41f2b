import type { IncomingHttpHeaders } from 'node:http';

/**
 * True unless the browser says that this is no top-level navigation (W3C Fetch Metadata). An iframe, an image, a
 * script or a prefetch must not spend a flow (SB-06); clients that send no such headers are let through, since
 * only a cookie can bind anything.
 */
export function isTopLevelNavigation(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  const destination = headers['sec-fetch-dest'];
  if (mode !== undefined && mode !== 'navigate') return false;
  if (destination !== undefined && destination !== 'document') return false;
  return !isPrefetch(headers);
}

/** Chromium and Safari say `Sec-Purpose`, older ones `Purpose` or `X-Purpose`, Firefox `X-Moz`. */
function isPrefetch(headers: IncomingHttpHeaders): boolean {
  const purposes = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].map((name) => headers[name]);
  return purposes.some((purpose) => /prefetch|prerender|preview/i.test(String(purpose ?? '')));
}

/**
 * True for a request that a page in a browser made: each browser sends one of these two with a POST. (Node's own
 * `fetch` sends `Sec-Fetch-Mode` alone, and is no browser.)
 */
export function isFromBrowser(headers: IncomingHttpHeaders): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
}

/**
 * May this page post here? An origin must be one of the allowed ones, compared exactly; `null` never is. A browser
 * that sends no Origin still says by Fetch Metadata whether another site is asking (SB-03).
 */
export function mayPost(headers: IncomingHttpHeaders, allowedOrigins: readonly string[]): boolean {
  if (headers.origin !== undefined)
    return headers.origin !== 'null' && allowedOrigins.includes(headers.origin);
  const site = headers['sec-fetch-site'];
  return site === undefined || site === 'same-origin' || site === 'none';
}

/**
 * May this page send one of our own forms? Only a page of our own: an allowed app may post tokens, but never sign
 * anybody in or out, and a sibling domain is same-site without being a friend (SB-03). Where a browser says
 * neither header, the CSRF token decides alone.
 */
export function isOwnForm(headers: IncomingHttpHeaders, ownOrigin: string): boolean {
  const { origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined && origin !== ownOrigin) return false;
  return site === undefined || site === 'same-origin' || site === 'none';
}
