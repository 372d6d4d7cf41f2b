import { isLoopbackHost } from '../env/loopback.ts';

/**
 * The URL in `value` if an issuer may be reached at it, else undefined: https, or http where the host is this
 * machine (SB-12). Over plain http anybody on the path could hand us keys of his own.
 */
export function parseIssuerUrl(value: unknown): URL | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (url.username !== '' || url.password !== '') return undefined;
  if (url.protocol === 'https:') return url;
  return url.protocol === 'http:' && isLoopbackHost(url.hostname) ? url : undefined;
}

/**
 * The same for a URL that an issuer's discovery document names. An issuer out there must not point us, or a browser of
 * ours, at a port of this machine (SB-12).
 */
export function parseEndpointUrl(value: unknown, discoveryUrl: string): URL | undefined {
  const url = parseIssuerUrl(value);
  return url?.protocol === 'http:' && !isLoopbackHost(new URL(discoveryUrl).hostname) ? undefined : url;
}
