import {
  BedrockAgentCoreClient,
  CompleteResourceTokenAuthCommand,
  GetResourceOauth2TokenCommand,
  type GetResourceOauth2TokenCommandInput,
  GetWorkloadAccessTokenForJWTCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import {
  BedrockAgentCoreControlClient,
  CreateOauth2CredentialProviderCommand,
  CreateWorkloadIdentityCommand,
  UpdateWorkloadIdentityCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import {
  CognitoIdentityProviderClient,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll } from 'vitest';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { must } from '../agentcore/stand-in-flow.ts';
import { press } from '../support/forms.ts';

export const CLIENT_ID = 'web-app';
export const SECRET_CLIENT = { clientId: 'server-app', clientSecret: 'client-secret-0123456789' };
export const WORKLOAD = 'sales-agent';

/** The emulator, the three real clients, and an application to whose pages the browser returns. */
export interface EmulatedWorld {
  readonly emulator: Emulator;
  readonly data: BedrockAgentCoreClient;
  readonly control: BedrockAgentCoreControlClient;
  readonly cognito: CognitoIdentityProviderClient;
  /** Where flows return to; registered for {@link WORKLOAD}. */
  readonly returnUrl: string;
}

/** One for all tests of a file; GitHub and Google are there as credential providers, made by the control plane. */
export function shareEmulatedWorld(): () => EmulatedWorld {
  let world: EmulatedWorld | undefined;
  beforeAll(async () => {
    const app = createServer((request, response) => void response.end(request.url));
    await new Promise<void>((resolve) => {
      app.listen(0, '127.0.0.1', resolve);
    });
    const returnUrl = `http://127.0.0.1:${(app.address() as AddressInfo).port}/oauth2/callback`;
    const emulator = await startEmulator({
      clients: [
        { clientId: CLIENT_ID, redirectUris: [returnUrl], logoutUris: [returnUrl] },
        { ...SECRET_CLIENT, redirectUris: [returnUrl] },
      ],
    });
    const common = {
      region: 'us-east-1',
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' },
      maxAttempts: 1,
    };
    const { endpoint } = emulator.agentcore;
    const data = new BedrockAgentCoreClient({ ...common, endpoint });
    const control = new BedrockAgentCoreControlClient({ ...common, endpoint });
    const cognito = new CognitoIdentityProviderClient({ ...common, endpoint: emulator.cognito.endpoint });
    world = { emulator, data, control, cognito, returnUrl };
    await control.send(new CreateWorkloadIdentityCommand({ name: WORKLOAD }));
    await allowReturnUrls(world, [returnUrl]);
    await createProvider(world, 'github', 'GithubOauth2');
    await createProvider(world, 'google', 'GoogleOauth2');
    return async () => {
      for (const client of [data, control, cognito]) client.destroy();
      app.close();
      app.closeAllConnections();
      await emulator.close();
    };
  });
  return () => must(world);
}

export function allowReturnUrls({ control }: EmulatedWorld, urls: string[]) {
  return control.send(
    new UpdateWorkloadIdentityCommand({ name: WORKLOAD, allowedResourceOauth2ReturnUrls: urls }),
  );
}

/** As an operator does it: create the provider, then register its callback URL at GitHub or Google. */
export async function createProvider(
  { control, emulator }: EmulatedWorld,
  name: string,
  vendor: 'GithubOauth2' | 'GoogleOauth2',
): Promise<void> {
  const app = { clientId: `id-of-${name}`, clientSecret: `secret-of-${name}` };
  const created = await control.send(
    new CreateOauth2CredentialProviderCommand({
      name,
      credentialProviderVendor: vendor,
      oauth2ProviderConfigInput:
        vendor === 'GithubOauth2' ? { githubOauth2ProviderConfig: app } : { googleOauth2ProviderConfig: app },
    }),
  );
  const provider = vendor === 'GithubOauth2' ? emulator.github : emulator.google;
  provider.addApp({ ...app, redirectUris: [must(created.callbackUrl)] });
}

export async function userTokenOf({ cognito }: EmulatedWorld, username: string): Promise<string> {
  const { AuthenticationResult } = await cognito.send(
    new InitiateAuthCommand({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: CLIENT_ID,
      AuthParameters: { USERNAME: username, PASSWORD: username },
    }),
  );
  return must(AuthenticationResult?.AccessToken);
}

export interface EmulatedFlow {
  readonly userToken: string;
  readonly workloadAccessToken: string;
  readonly sessionUri: string;
  readonly authorizationUrl: string;
}

type TokenRequest = Partial<GetResourceOauth2TokenCommandInput>;

export function requestToken(
  { data, returnUrl }: EmulatedWorld,
  workloadIdentityToken: string,
  more: TokenRequest = {},
) {
  return data.send(
    new GetResourceOauth2TokenCommand({
      workloadIdentityToken,
      resourceCredentialProviderName: 'github',
      scopes: ['repo'],
      oauth2Flow: 'USER_FEDERATION',
      resourceOauth2ReturnUrl: returnUrl,
      ...more,
    }),
  );
}

export async function mintFor({ data }: EmulatedWorld, userToken: string): Promise<string> {
  const command = new GetWorkloadAccessTokenForJWTCommand({ workloadName: WORKLOAD, userToken });
  return must((await data.send(command)).workloadAccessToken);
}

/** The user has invoked the agent, and the agent asks for his data for the first time. */
export async function openFlow(
  world: EmulatedWorld,
  username = 'alice',
  more: TokenRequest = {},
): Promise<EmulatedFlow> {
  const userToken = await userTokenOf(world, username);
  const workloadAccessToken = await mintFor(world, userToken);
  const { authorizationUrl, sessionUri } = await requestToken(world, workloadAccessToken, {
    forceAuthentication: true,
    ...more,
  });
  return {
    userToken,
    workloadAccessToken,
    authorizationUrl: must(authorizationUrl),
    sessionUri: must(sessionUri),
  };
}

/** Somebody opens the link, signs in at the provider and decides; returns where his browser ends. */
export async function decide(
  flow: Pick<EmulatedFlow, 'authorizationUrl'>,
  decision: 'Allow' | 'Deny',
  account = 'Alice Liddell (alice)',
  browser = new Browser(),
): Promise<Page> {
  const signIn = await browser.open(flow.authorizationUrl);
  return press(browser, await press(browser, signIn, account), decision);
}

export function parametersOf(page: Page): Readonly<Record<string, string>> {
  return Object.fromEntries(new URL(page.url).searchParams);
}

export function complete({ data }: EmulatedWorld, flow: EmulatedFlow, userToken = flow.userToken) {
  const { sessionUri } = flow;
  return data.send(new CompleteResourceTokenAuthCommand({ sessionUri, userIdentifier: { userToken } }));
}

export async function poll(world: EmulatedWorld, { workloadAccessToken, sessionUri }: EmulatedFlow) {
  return requestToken(world, workloadAccessToken, { sessionUri });
}

/** The provider's API, asked with an access token. */
export async function ask(
  url: string,
  accessToken: string | undefined,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${accessToken ?? ''}` } });
  return { status: response.status, body: await response.json() };
}
