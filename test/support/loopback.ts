import { networkInterfaces } from 'node:os';

/** Containers often have no IPv6. */
export const HAS_IPV6_LOOPBACK = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1');
