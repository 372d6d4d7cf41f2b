import { isLoopbackHost } from '../env/loopback.ts';

export type HostCheck = 'allowed' | 'invalid_request' | 'misdirected_host';

/**
 * Exactly one Host, and one of ours: without this a page that rebinds its name to 127.0.0.1 talks to a loopback
 * service from the victim's browser (SB-19). Reads the raw headers, since Node keeps only the first Host.
 */
export function checkHost(rawHeaders: readonly string[], ourNames: ReadonlySet<string>): HostCheck {
  const hosts = rawHeaders.filter(
    (_, index) => rawHeaders[index - 1]?.toLowerCase() === 'host' && index % 2 === 1,
  );
  const [host] = hosts;
  if (hosts.length !== 1 || host === undefined) return 'invalid_request';
  if (parseHostName(host) === undefined) return 'invalid_request';
  return isOurHost(host, ourNames) ? 'allowed' : 'misdirected_host';
}

/** True for a well-formed host of ours, whatever its port. */
export function isOurHost(host: string, ourNames: ReadonlySet<string>): boolean {
  const name = parseHostName(host);
  return name !== undefined && (isLoopbackHost(name) || ourNames.has(name));
}

/** The name of a `Host` header without its port, lower case (RFC 9110 section 7.2), else undefined. */
function parseHostName(host: string): string | undefined {
  return /^(?<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{0,5})?$/i
    .exec(host)
    ?.groups?.['name']?.toLowerCase();
}
