import { isLoopbackHost } from '../env/loopback.ts';

/** A request was about to leave the machine in the clear. */
export class InsecureEndpointError extends Error {
  override readonly name = 'InsecureEndpointError';
}

/**
 * Lets a client speak https only, loopback excepted. The configured endpoint is checked at start, but the SDK
 * also takes one from `AWS_ENDPOINT_URL` and from profiles, and would send user tokens to any of them in the clear
 * (contract §4). To be called with each request before it is signed.
 */
export function requireSecureRequest(request: unknown): void {
  if (!isSecure(request)) throw new InsecureEndpointError();
}

function isSecure(request: unknown): boolean {
  if (typeof request !== 'object' || request === null) return false;
  if (!('protocol' in request) || !('hostname' in request)) return false;
  if (request.protocol === 'https:') return true;
  return typeof request.hostname === 'string' && isLoopbackHost(request.hostname);
}
