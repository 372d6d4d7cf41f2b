import { IssuerFault } from './issuer-fault.ts';
import { readLimited } from './read-limited.ts';

export interface FetchBytesOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly accept: string;
}

/**
 * The small body at that URL.
 * @throws {IssuerFault} when it does not answer, or answers anything but 200 with that many bytes at most.
 */
export async function fetchBytes(url: URL, options: FetchBytesOptions): Promise<Uint8Array> {
  const { fetch, maxBytes, signal, accept } = options;
  try {
    // A redirect could lead from https to http, or to a host that nobody configured: it is an answer like any
    // other that is not a 200 (SB-12).
    const response = await fetch(url, { redirect: 'manual', signal, headers: { accept } });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new IssuerFault(`status_${response.status}`);
    }
    return await readLimited(response, maxBytes);
  } catch (cause) {
    if (cause instanceof IssuerFault) throw cause;
    // Whatever else fails in here is the network's: fetch reports refused connections as TypeError.
    throw new IssuerFault(signal.aborted ? 'timeout' : 'unreachable', { cause });
  }
}
