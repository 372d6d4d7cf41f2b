import { BlockList, isIP } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasStrayBits, isInNetwork, parseIpAddress, parseIpNetwork } from '../../src/env/ip-network.ts';

describe('an IP address', () => {
  it.each([
    ['192.0.2.7', 4, 0xc0000207n],
    ['::ffff:192.0.2.7', 4, 0xc0000207n],
    ['::FFFF:c000:207', 4, 0xc0000207n],
    ['0:0:0:0:0:ffff:c000:0207', 4, 0xc0000207n],
    ['::', 6, 0n],
    ['::1', 6, 1n],
    ['1::', 6, 1n << 112n],
    ['2001:db8::1', 6, (0x20010db8n << 96n) + 1n],
    ['fe80::1%eth0', 6, (0xfe80n << 112n) + 1n],
    // Not the mapped block: these are addresses of their own.
    ['::192.0.2.7', 6, 0xc0000207n],
    ['64:ff9b::192.0.2.7', 6, (0x64n << 112n) + (0xff9bn << 96n) + 0xc0000207n],
  ] as const)('is the same number however it is written: %s', (text, family, bits) => {
    expect(parseIpAddress(text)).toEqual({ family, bits });
  });

  it.each([
    '',
    'localhost',
    '1.2.3',
    '01.2.3.4',
    '1.2.3.4.5',
    ':::',
    '1::2::3',
    '[::1]',
    '1.2.3.4:80',
    'unknown',
  ])('is nothing else: %j', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });
});

describe('a network', () => {
  it.each([
    ['10.0.0.0/8', false],
    ['10.0.0.1/8', true],
    ['10.0.0.1', false],
    ['2001:db8::/32', false],
    ['2001:db8::/31', false],
    ['2001:db8:8000::/32', true],
  ])('names itself, or something inside it: %s', (text, stray) => {
    const network = parseIpNetwork(text);
    expect(network && hasStrayBits(network)).toBe(stray);
  });

  const ipv6 = fc
    .tuple(fc.ipV6(), fc.ipV4(), fc.integer({ min: 0, max: 2 }))
    .map(([plain, mapped, kind]) => (kind === 0 ? `::ffff:${mapped}` : plain));

  it('holds the same addresses as node:net thinks [SB-20]', () => {
    const pair = fc.oneof(
      fc.record({
        net: fc.ipV4(),
        address: fc.oneof(fc.ipV4(), ipv6),
        prefix: fc.integer({ min: 0, max: 32 }),
      }),
      fc.record({ net: fc.ipV6(), address: fc.ipV6(), prefix: fc.integer({ min: 0, max: 128 }) }),
    );
    fc.assert(
      fc.property(pair, fc.boolean(), ({ net, address, prefix }, near) => {
        const asked = near ? net : address;
        const network = parseIpNetwork(`${net}/${prefix}`);
        const parsed = parseIpAddress(asked);
        // Mapped blocks are refused: that is the one place where we and node:net differ on purpose.
        fc.pre(network !== undefined && parsed !== undefined);
        const family = (text: string) => (isIP(text) === 4 ? 'ipv4' : 'ipv6');
        const list = new BlockList();
        list.addSubnet(net, prefix, family(net));
        expect(isInNetwork(parsed, network)).toBe(list.check(asked, family(asked)));
      }),
      { numRuns: 3000 },
    );
  });

  it('does not hold an IPv4 address because an IPv6 network begins alike [SB-20]', () => {
    const network = parseIpNetwork('::/8');
    const address = parseIpAddress('10.0.0.1');
    expect(network && address && isInNetwork(address, network)).toBe(false);
  });
});
