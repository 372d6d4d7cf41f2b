import { hasStrayBits, parseIpNetwork } from './ip-network.ts';
import { parsed, wrong } from './parsed.ts';
import type { Parsed } from './parsed.ts';

// 10.0.0.0/8 and fc00::/7 are the widest networks that somebody can own; anything wider is strangers.
const SHORTEST_PREFIX = { 4: 8, 6: 7 } as const;

/**
 * One entry of `TRUST_PROXY`. Whoever connects from there may say who the client is, so nothing is guessed: no names,
 * which DNS could change; no `10.0.0.7/8`, whose author meant one address; no network that is everybody (SB-20, SB-28).
 */
export function parseTrustedProxy(text: string): Parsed<string> {
  const network = parseIpNetwork(text);
  if (network === undefined) {
    return wrong('must be an IP address or CIDR block such as 10.0.0.0/16, IPv4 not in its IPv6 form');
  }
  if (network.prefixLength < SHORTEST_PREFIX[network.address.family]) {
    return wrong('trusts strangers; name the networks that your proxies are in, at most /8 (IPv6: /7) wide');
  }
  if (hasStrayBits(network)) {
    return wrong('has bits behind its prefix; write one address without /, or the network itself');
  }
  return parsed(text.toLowerCase());
}
