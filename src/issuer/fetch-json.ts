import { IssuerFault } from './issuer-fault.ts';
import { parseJsonObject } from './json-object.ts';
import type { JsonObject } from './json-object.ts';
import { readLimited } from './read-limited.ts';

export interface FetchJsonOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * The JSON object at that URL.
 * @throws {IssuerFault} when it does not answer, or answers anything but 200 with a small JSON object.
 */
export async function fetchJson(url: URL, options: FetchJsonOptions): Promise<JsonObject> {
  const value = parseJsonObject(await readBody(url, options));
  if (value === undefined) throw new IssuerFault('not_a_json_object');
  return value;
}

async function readBody(url: URL, options: FetchJsonOptions): Promise<Uint8Array> {
  const { fetch, maxBytes, signal } = options;
  try {
    // A redirect could lead from https to http, or to a host that nobody configured: it is an answer like any
    // other that is not a 200 (SB-12).
    const response = await fetch(url, {
      redirect: 'manual',
      signal,
      headers: { accept: 'application/json' },
    });
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
