import { randomBytes } from 'node:crypto';
import type { CredentialProvider, ServerMetadata } from './agentcore-providers.ts';
import { type JsonObject, parseJsonObject, stringOf } from './message-body.ts';

/** What an authorization server has given for a consent. */
export interface ResourceGrant {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Infinity where the server does not say. */
  readonly expiresAtMs: number;
}

const DEADLINE_MS = 5_000;

/** A grant for consents that were given at AgentCore's own page: no server knows it. */
export function inventGrant(): ResourceGrant {
  return {
    accessToken: `resource-${randomBytes(24).toString('base64url')}`,
    refreshToken: undefined,
    expiresAtMs: Number.POSITIVE_INFINITY,
  };
}

/** The endpoints of a provider's authorization server; undefined where its discovery document cannot be had. */
export async function readMetadata({ discovery }: CredentialProvider): Promise<ServerMetadata | undefined> {
  if ('authorizationServerMetadata' in discovery) return discovery.authorizationServerMetadata;
  const document = await askJson(discovery.discoveryUrl);
  const issuer = stringOf(document?.['issuer']);
  const authorizationEndpoint = stringOf(document?.['authorization_endpoint']);
  const tokenEndpoint = stringOf(document?.['token_endpoint']);
  if (issuer === undefined || authorizationEndpoint === undefined || tokenEndpoint === undefined)
    return undefined;
  return { issuer, authorizationEndpoint, tokenEndpoint };
}

/**
 * Redeems a code or a refresh token, with the client secret that only AgentCore holds. Undefined for every answer
 * that holds no access token: GitHub refuses with 200.
 */
export async function requestGrant(
  provider: CredentialProvider,
  parameters: Readonly<Record<string, string>>,
  nowMs: number,
): Promise<ResourceGrant | undefined> {
  const metadata = await readMetadata(provider);
  if (metadata === undefined) return undefined;
  const { clientId: client_id, clientSecret: client_secret } = provider;
  const answer = await askJson(metadata.tokenEndpoint, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams({ ...parameters, client_id, client_secret }),
  });
  const accessToken = stringOf(answer?.['access_token']);
  if (answer === undefined || accessToken === undefined) return undefined;
  const { expires_in: seconds } = answer;
  return {
    accessToken,
    refreshToken: stringOf(answer['refresh_token']) ?? parameters['refresh_token'],
    expiresAtMs: typeof seconds === 'number' ? nowMs + seconds * 1000 : Number.POSITIVE_INFINITY,
  };
}

async function askJson(url: string, init: RequestInit = {}): Promise<JsonObject | undefined> {
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const response = await fetch(url, { signal, ...init });
    return response.ok ? parseJsonObject(await response.text()) : undefined;
  } catch {
    return undefined;
  }
}
