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
