import type { Clock } from '../binding/clock.ts';
import { fetchJson } from './fetch-json.ts';
import { IssuerFault } from './issuer-fault.ts';
import { parseEndpointUrl, parseIssuerUrl } from './issuer-url.ts';
import type { JsonObject } from './json-object.ts';
import { parseUsableKeys } from './usable-keys.ts';
import type { UsableKey } from './usable-keys.ts';

/** What a discovery URL leads to: who the issuer is, and the keys it signs with. */
export interface IssuerDocument {
  readonly issuer: string;
  readonly keys: readonly UsableKey[];
  /** The whole discovery document: for whoever signs people in there. */
  readonly metadata: JsonObject;
}

export interface FetchIssuerOptions {
  readonly discoveryUrl: string;
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  readonly fetchTimeoutMs: number;
  readonly maxBytes: number;
}

/**
 * Discovery, then the key set that it names, both within one budget.
 * @throws {IssuerFault}
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationResponse
 */
export async function fetchIssuerDocument(options: FetchIssuerOptions): Promise<IssuerDocument> {
  const { discoveryUrl, clock, fetch, fetchTimeoutMs, maxBytes } = options;
  const { signal } = clock.deadline(fetchTimeoutMs);
  const url = parseIssuerUrl(discoveryUrl);
  if (url === undefined) throw new IssuerFault('discovery_url_not_https');
  const metadata = await fetchJson(url, { fetch, maxBytes, signal });
  const { issuer } = metadata;
  if (typeof issuer !== 'string' || parseIssuerUrl(issuer) === undefined) {
    throw new IssuerFault('issuer_not_https');
  }
  const keySetUrl = parseEndpointUrl(metadata.jwks_uri, discoveryUrl);
  if (keySetUrl === undefined) throw new IssuerFault('jwks_uri_not_https');
  const keys = await parseUsableKeys(await fetchJson(keySetUrl, { fetch, maxBytes, signal }));
  if (keys.length === 0) throw new IssuerFault('no_usable_key');
  return { issuer, keys, metadata };
}
