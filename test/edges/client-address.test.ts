import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../src/env/ip-network.ts';
import { createForwarded } from '../../src/routes/forwarded.ts';

/** A request as Node hands it over, from this peer. */
function requestFrom(peer: string | undefined, forwardedFor?: string): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: peer });
  const request = new IncomingMessage(socket);
  if (forwardedFor !== undefined) request.headers['x-forwarded-for'] = forwardedFor;
  return request;
}

const forwarded = createForwarded(['10.0.0.0/16', '192.0.2.7', 'fd00::/8']);
const addressOf = (peer: string | undefined, forwardedFor?: string) =>
  forwarded.clientAddress(requestFrom(peer, forwardedFor));

describe('the address of a client', () => {
  it.each([
    ['the peer, where it is no proxy', '203.0.113.9', undefined, '203.0.113.9'],
    ['the peer, whatever it says', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['the peer next to a proxy network', '10.1.0.1', '198.51.100.1', '10.1.0.1'],
    ['the one the proxy names', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['the same from a dual-stack socket', '::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['the same in hexadecimal', '::ffff:a00:1', '198.51.100.1', '198.51.100.1'],
    ['the same over IPv6', 'fd00::1', '2001:db8::5', '2001:db8::5'],
    ['not what the client has put before', '10.0.0.1', '1.2.3.4, 198.51.100.1', '198.51.100.1'],
    ['not a proxy the client has put before', '10.0.0.1', '10.0.0.9, 198.51.100.1', '198.51.100.1'],
    ['before all proxies of ours', '10.0.0.1', '198.51.100.1, 192.0.2.7,10.0.0.2', '198.51.100.1'],
    ['the furthest, where all are ours', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['named with its port', '10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['named with its port over IPv6', '10.0.0.1', '[2001:db8::5]:4711', '2001:db8::5'],
    ['mapped', '10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
  ])('is %s [SB-20]', (_, peer, forwardedFor, expected) => {
    expect(addressOf(peer, forwardedFor)).toEqual(parseIpAddress(expected));
  });

  it.each([
    ['the proxy does not say', '10.0.0.1', undefined],
    ['the proxy says nothing', '10.0.0.1', ''],
    ['the proxy says it does not know', '10.0.0.1', '1.2.3.4, unknown'],
    ['the proxy hides it', '10.0.0.1', '_hidden'],
    ['the list ends in a comma', '10.0.0.1', '198.51.100.1,'],
    ['the peer is gone', undefined, '198.51.100.1'],
  ])('is unknown where %s: the address of a proxy is everybody [SB-35]', (_, peer, forwardedFor) => {
    expect(addressOf(peer, forwardedFor)).toBeUndefined();
  });

  it('never depends on what stands left of the first untrusted hop [SB-20]', () => {
    const noise = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 12 })), { maxLength: 5 });
    fc.assert(
      fc.property(noise, (left) => {
        expect(addressOf('10.0.0.1', [...left, '198.51.100.1', '10.0.0.2'].join(','))).toEqual(
          parseIpAddress('198.51.100.1'),
        );
      }),
    );
  });
});
