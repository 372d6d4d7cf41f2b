import { randomUUID } from 'node:crypto';
import { BoundedMap } from './bounded-map.ts';
import { objectOf, stringOf, type JsonObject } from './message-body.ts';

/** Where an authorization server is, said outright or by its discovery document. */
export type Discovery =
  { readonly discoveryUrl: string } | { readonly authorizationServerMetadata: ServerMetadata };

export interface ServerMetadata {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
}

/** The vendors whose authorization servers AgentCore knows by itself; here they are the emulated ones. */
export type KnownVendors = Readonly<Partial<Record<'GithubOauth2' | 'GoogleOauth2', Discovery>>>;

/** An OAuth2 credential provider. AgentCore alone holds the client secret: no agent ever sees it. */
export interface CredentialProvider {
  readonly name: string;
  readonly vendor: Vendor;
  readonly discovery: Discovery;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The last part of its `callbackUrl`. */
  readonly callbackId: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export type Vendor = keyof typeof CONFIGURATION;

/** The member of the configuration union that belongs to a vendor. */
const CONFIGURATION = {
  GithubOauth2: 'githubOauth2ProviderConfig',
  GoogleOauth2: 'googleOauth2ProviderConfig',
  CustomOauth2: 'customOauth2ProviderConfig',
} as const;

export function configurationOf({ vendor, discovery, clientId }: CredentialProvider): JsonObject {
  return { [CONFIGURATION[vendor]]: { oauthDiscovery: discovery, clientId } };
}

export type ProviderSettings = Pick<CredentialProvider, 'vendor' | 'discovery' | 'clientId' | 'clientSecret'>;

/** What a request of Create or Update asks for; undefined where the API would not take it. */
export function parseProviderSettings(input: JsonObject, known: KnownVendors): ProviderSettings | undefined {
  const vendor = vendorOf(input['credentialProviderVendor']);
  const union = objectOf(input['oauth2ProviderConfigInput']) ?? {};
  if (vendor === undefined || Object.keys(union).length !== 1) return undefined;
  const config = objectOf(union[CONFIGURATION[vendor]]) ?? {};
  const clientId = stringOf(config['clientId']);
  const clientSecret = stringOf(config['clientSecret']);
  const discovery = vendor === 'CustomOauth2' ? parseDiscovery(config['oauthDiscovery']) : known[vendor];
  if (!clientId || !clientSecret || discovery === undefined) return undefined;
  return { vendor, discovery, clientId, clientSecret };
}

function vendorOf(value: unknown): Vendor | undefined {
  return value === 'GithubOauth2' || value === 'GoogleOauth2' || value === 'CustomOauth2' ? value : undefined;
}

function parseDiscovery(value: unknown): Discovery | undefined {
  const union = objectOf(value) ?? {};
  if (Object.keys(union).length !== 1) return undefined;
  const discoveryUrl = stringOf(union['discoveryUrl']);
  if (discoveryUrl !== undefined) return URL.canParse(discoveryUrl) ? { discoveryUrl } : undefined;
  const metadata = objectOf(union['authorizationServerMetadata']) ?? {};
  const issuer = stringOf(metadata['issuer']);
  const authorizationEndpoint = stringOf(metadata['authorizationEndpoint']) ?? '';
  const tokenEndpoint = stringOf(metadata['tokenEndpoint']) ?? '';
  const isComplete =
    issuer !== undefined && [authorizationEndpoint, tokenEndpoint].every((url) => URL.canParse(url));
  return isComplete
    ? { authorizationServerMetadata: { issuer, authorizationEndpoint, tokenEndpoint } }
    : undefined;
}

/** The token vault's OAuth2 credential providers. */
export class CredentialProviders {
  readonly #nowMs: () => number;
  readonly #providers = new BoundedMap<string, CredentialProvider>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get(name: string): CredentialProvider | undefined {
    return this.#providers.get(name);
  }

  list(): readonly CredentialProvider[] {
    return [...this.#providers.values()];
  }

  /** Creates, or replaces and keeps the callback URL: it is registered at the authorization server. */
  put(name: string, settings: ProviderSettings): CredentialProvider {
    const nowMs = this.#nowMs();
    const { callbackId = randomUUID(), createdAtMs = nowMs } = this.#providers.get(name) ?? {};
    const provider = { ...settings, name, callbackId, createdAtMs, updatedAtMs: nowMs };
    this.#providers.set(name, provider);
    return provider;
  }

  delete(name: string): boolean {
    return this.#providers.delete(name);
  }
}
