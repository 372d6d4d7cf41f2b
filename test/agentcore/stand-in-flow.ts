import {
  BedrockAgentCoreClient,
  GetResourceOauth2TokenCommand,
  type GetResourceOauth2TokenCommandInput,
  GetWorkloadAccessTokenForJWTCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import type { AgentCoreStandIn } from '../../src/emulator/agentcore.ts';

export const STATIC_CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' };
export const RETURN_URL = 'https://app.example/oauth2/callback';

export function createClient(standIn: AgentCoreStandIn): BedrockAgentCoreClient {
  return new BedrockAgentCoreClient({
    region: 'us-east-1',
    endpoint: standIn.endpoint,
    credentials: STATIC_CREDENTIALS,
    maxAttempts: 1,
  });
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A JWT in shape; the stand-in verifies no signature. */
export function jwtOf(subject: string, serial = 1, issuer = 'https://idp.example'): string {
  return `${part({ alg: 'RS256' })}.${part({ iss: issuer, sub: subject, serial })}.c2ln`;
}

export async function mint(client: BedrockAgentCoreClient, userToken: string): Promise<string> {
  const { workloadAccessToken } = await client.send(
    new GetWorkloadAccessTokenForJWTCommand({ workloadName: 'agent', userToken }),
  );
  return must(workloadAccessToken);
}

/** Asks for a resource token the way an agent does. */
export function requestToken(
  client: BedrockAgentCoreClient,
  workloadIdentityToken: string,
  more: Partial<GetResourceOauth2TokenCommandInput> = {},
) {
  return client.send(
    new GetResourceOauth2TokenCommand({
      workloadIdentityToken,
      resourceCredentialProviderName: 'github',
      scopes: ['repo'],
      oauth2Flow: 'USER_FEDERATION',
      resourceOauth2ReturnUrl: RETURN_URL,
      ...more,
    }),
  );
}

export function decide(authorizationUrl: string, decision: string): Promise<Response> {
  return fetch(authorizationUrl, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ decision }),
  });
}

/** A flow of this user token, consented: the id that arrives at the callback. */
export async function consentedFlow(standIn: AgentCoreStandIn, userToken: string): Promise<string> {
  standIn.returnUrls.add(RETURN_URL);
  const client = createClient(standIn);
  const opened = await requestToken(client, await mint(client, userToken), { forceAuthentication: true });
  await decide(must(opened.authorizationUrl), 'allow');
  client.destroy();
  return must(opened.sessionUri);
}

export function must<T>(value: T | null | undefined): T {
  if (value === undefined || value === null) throw new Error('expected a value');
  return value;
}
