import type { Sealer } from './ports.ts';

/**
 * The handle of a start link: the key of its authorization session, sealed. A channel may read it, since it says
 * nothing and opens for the pinned user alone (SB-32); nothing is stored for it, and every handle of a flow stays good.
 */
export function sealStartHandle(authorizationSessionKey: string, sealer: Sealer): string {
  return sealer.seal(authorizationSessionKey);
}

/** The key of the authorization session, or undefined when it was not sealed here. */
export function openStartHandle(handle: string, sealer: Sealer): string | undefined {
  return sealer.open(handle);
}
