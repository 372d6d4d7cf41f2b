import { isIPv4 } from 'node:net';

/**
 * True for a host name that never leaves this machine: `localhost`, `*.localhost` (RFC 6761), 127.0.0.0/8 and
 * `::1`, with or without brackets. Takes a host name without port, as `URL.hostname` gives it. Any other
 * spelling counts as remote, since this answer relaxes rules (SB-28).
 */
export function isLoopbackHost(hostname: string): boolean {
  const name = hostname.toLowerCase();
  if (name === 'localhost' || name === '::1' || name === '[::1]') return true;
  // A whole dotted quad, not a prefix: `127.0.0.1.attacker.example` is somebody else's host.
  if (name.startsWith('127.')) return isIPv4(name);
  return /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+localhost$/.test(name);
}
