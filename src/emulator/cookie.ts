import type { IncomingMessage } from 'node:http';

/** The value of a cookie; undefined where it is missing. */
export function cookieOf(request: IncomingMessage, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const found = pairs.find((pair) => pair.startsWith(`${name}=`));
  return found === undefined ? undefined : decodeURIComponent(found.slice(name.length + 1));
}

/** A cookie that lives as long as the browser; an empty value takes it away. */
export function cookieHeader(name: string, value: string): Readonly<Record<string, string>> {
  const expiry = value === '' ? '; Max-Age=0' : '';
  return { 'set-cookie': `${name}=${encodeURIComponent(value)}; Path=/; HttpOnly; SameSite=Lax${expiry}` };
}
