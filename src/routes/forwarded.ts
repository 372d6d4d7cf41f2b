import type { IncomingMessage } from 'node:http';
import { type IpAddress, isInNetwork, parseIpAddress, parseIpNetwork } from '../env/ip-network.ts';

/** What the proxies of `TRUST_PROXY` say about a request; from anybody else their headers are noise (SB-20). */
export interface Forwarded {
  /** The names in `X-Forwarded-Host`; none unless a trusted proxy sent it. */
  hosts(request: IncomingMessage): readonly string[];
  /** Every line of that header that a trusted proxy sent, as it came; none from anybody else. */
  lines(request: IncomingMessage, name: string): readonly string[];
  /** Who is at the other end; undefined where nobody can tell. */
  clientAddress(request: IncomingMessage): IpAddress | undefined;
}

/** Only the socket's peer says whether a proxy is asking: every header can be written by anybody. */
export function createForwarded(trustedProxies: readonly string[]): Forwarded {
  const networks = trustedProxies.map(parseIpNetwork).filter((network) => network !== undefined);
  const isTrusted = (address: IpAddress) => networks.some((network) => isInNetwork(address, network));
  const peerOf = ({ socket }: IncomingMessage) => parseIpAddress(socket.remoteAddress ?? '');

  return {
    hosts(request) {
      const forwarded = listOf(request, 'x-forwarded-host');
      const peer = forwarded.length === 0 ? undefined : peerOf(request);
      return peer !== undefined && isTrusted(peer) ? forwarded : [];
    },

    lines(request, name) {
      const peer = peerOf(request);
      if (peer === undefined || !isTrusted(peer)) return [];
      // As they came: Node joins lines of one name, and drops some.
      const { rawHeaders } = request;
      return rawHeaders.filter(
        (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
      );
    },

    // Each proxy appends whom it was asked by, so the list is believed from the right, as far as proxies of ours wrote
    // it. What stands further left is what the client would like to be.
    clientAddress(request) {
      let address = peerOf(request);
      if (address === undefined || !isTrusted(address)) return address;
      const hops = listOf(request, 'x-forwarded-for').toReversed();
      // A proxy that does not say whom it serves: its own address would be everybody's (SB-35).
      if (hops.length === 0) return undefined;
      for (const hop of hops) {
        address = parseHop(hop);
        if (address === undefined || !isTrusted(address)) return address;
      }
      return address;
    },
  };
}

/** Node joins several lines of such a header with commas. */
function listOf(
  { headers }: IncomingMessage,
  name: 'x-forwarded-host' | 'x-forwarded-for',
): readonly string[] {
  const value = headers[name];
  return value === undefined
    ? []
    : [value]
        .flat()
        .join(',')
        .split(',')
        .map((entry) => entry.trim());
}

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function parseHop(text: string): IpAddress | undefined {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|([0-9.]+))(?::[0-9]{1,5})?$/.exec(text) ?? [];
  return parseIpAddress(bracketed ?? dotted ?? text);
}
