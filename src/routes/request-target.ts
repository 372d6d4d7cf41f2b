import type { IncomingMessage } from 'node:http';

const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/(?<authority>[^/?#]*)/i;

/** The host that an absolute-form request target (`GET http://host/path`) names; undefined for the usual form. */
export function authorityOf(target: string | undefined): string | undefined {
  return ABSOLUTE_FORM.exec(target ?? '')?.groups?.['authority'];
}

/**
 * Turns each form of a route's address into the one the routes are written in: without scheme and host (RFC 9112
 * section 3.2.2), and without the path prefix of `PUBLIC_URL`, which proxies strip or leave (contract §9). Compared
 * exactly: `/auth%2F`, `/AUTH/` and `/authx/` are no `/auth/`, and what does not match is left as it came.
 */
export function createTargetRewriter(publicUrl: string): (request: Pick<IncomingMessage, 'url'>) => string {
  const prefix = new URL(publicUrl).pathname.replace(/\/$/, '');
  return ({ url = '/' }) => {
    const target = toOriginForm(url);
    return target.startsWith(`${prefix}/`) ? target.slice(prefix.length) : target;
  };
}

/** The query as it came, `?` included: for parameters that must not be chosen between when they come twice. */
export function searchOf({ url = '' }: Pick<IncomingMessage, 'url'>): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start);
}

function toOriginForm(url: string): string {
  const match = ABSOLUTE_FORM.exec(url);
  if (match === null) return url;
  const rest = url.slice(match[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
