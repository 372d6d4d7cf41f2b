import { fetchBytes, type FetchBytesOptions } from './fetch-bytes.ts';
import { IssuerFault } from './issuer-fault.ts';
import { parseJsonObject } from './json-object.ts';
import type { JsonObject } from './json-object.ts';

export type FetchJsonOptions = Omit<FetchBytesOptions, 'accept'>;

/**
 * The JSON object at that URL.
 * @throws {IssuerFault} when it does not answer, or answers anything but 200 with a small JSON object.
 */
export async function fetchJson(url: URL, options: FetchJsonOptions): Promise<JsonObject> {
  const value = parseJsonObject(await fetchBytes(url, { ...options, accept: 'application/json' }));
  if (value === undefined) throw new IssuerFault('not_a_json_object');
  return value;
}
