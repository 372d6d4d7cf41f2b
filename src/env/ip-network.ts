import { isIP } from 'node:net';

/** An IP address as a number, so that networks are compared by shifting. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

export interface IpNetwork {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

const WIDTH = { 4: 32, 6: 128 } as const;
const MAPPED = 0xffffn << 32n;

/**
 * An address as sockets and `X-Forwarded-For` write it. An IPv4-mapped IPv6 address is the IPv4 address, since a
 * dual-stack socket shows every IPv4 peer that way; a zone (`%eth0`) is no part of it.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const [plain = ''] = text.split('%', 1);
  const family = isIP(plain);
  if (family === 4) return { family, bits: ipv4Bits(plain) };
  if (family !== 6) return undefined;
  const bits = ipv6Bits(plain);
  return bits >> 32n === MAPPED >> 32n ? { family: 4, bits: bits - MAPPED } : { family, bits };
}

/** A CIDR block, or one address. `bits` behind the prefix are kept: see {@link hasStrayBits}. */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [, plain = '', prefix] = /^([0-9a-f.:]+)(?:\/(0|[1-9][0-9]{0,2}))?$/i.exec(text) ?? [];
  const address = parseIpAddress(plain);
  // A mapped block would have two prefix lengths, of which only one is meant.
  if (address === undefined || (address.family === 4 && plain.includes(':'))) return undefined;
  const prefixLength = prefix === undefined ? WIDTH[address.family] : Number(prefix);
  return prefixLength <= WIDTH[address.family] ? { address, prefixLength } : undefined;
}

/** True where the address names something inside its network: `10.0.0.7/8`. */
export function hasStrayBits({ address, prefixLength }: IpNetwork): boolean {
  const rest = BigInt(WIDTH[address.family] - prefixLength);
  return (address.bits >> rest) << rest !== address.bits;
}

export function isInNetwork({ family, bits }: IpAddress, { address, prefixLength }: IpNetwork): boolean {
  const rest = BigInt(WIDTH[family] - prefixLength);
  return family === address.family && bits >> rest === address.bits >> rest;
}

// `isIP` has checked the grammar of what comes here.
function ipv4Bits(text: string): bigint {
  return text.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function ipv6Bits(text: string): bigint {
  const [, before = text, dotted] = /^(.*:)([0-9.]+\.[0-9]+)$/.exec(text) ?? [];
  const [head = '', tail] = before.split('::');
  const high = groupsOf(head);
  const low = groupsOf(tail ?? '');
  const dottedGroups = dotted === undefined ? 0 : 2;
  const zeros = Array.from({ length: 8 - dottedGroups - high.length - low.length }, () => '0');
  const bits = [...high, ...zeros, ...low].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  return dotted === undefined ? bits : (bits << 32n) | ipv4Bits(dotted);
}

function groupsOf(text: string): readonly string[] {
  return text.split(':').filter((group) => group !== '');
}
