/**
 * An agent on the AWS SDK that needs its user's account at a resource provider: `connectAccount` is what a tool of yours
 * calls. `github-agent.ts` and `drive-agent.ts` do.
 */
import {
  type BedrockAgentCoreClient,
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenForJWTCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import {
  createTokenPoller,
  type SessionBindingClient,
  SessionBindingError,
} from 'agentcore-session-binding/client';

export interface AgentOptions {
  readonly agentcore: BedrockAgentCoreClient;
  readonly sessionBinding: SessionBindingClient;
  readonly workloadName: string;
  /** The OAuth2 credential provider in AgentCore Identity. */
  readonly provider: string;
  readonly scopes: string[];
  /** As the pages call the connection. */
  readonly label: string;
  /** Shows a link to the user: in your app, in his chat. */
  readonly showLink: (startUrl: string) => void;
  /** Aborted when the user goes away. */
  readonly signal?: AbortSignal;
}

/** The access token of the user's account; asks for his consent where he has not given it yet. */
export async function connectAccount(options: AgentOptions, userToken: string): Promise<string> {
  const { agentcore, sessionBinding, workloadName, provider, scopes, label, showLink, signal } = options;
  const { workloadAccessToken } = await agentcore.send(
    new GetWorkloadAccessTokenForJWTCommand({ workloadName, userToken }),
  );
  const callbackUrl = await sessionBinding.getCallbackUrl({ userToken, signal });
  const ask = (sessionUri?: string) =>
    agentcore.send(
      new GetResourceOauth2TokenCommand({
        workloadIdentityToken: workloadAccessToken,
        resourceCredentialProviderName: provider,
        scopes,
        oauth2Flow: 'USER_FEDERATION',
        resourceOauth2ReturnUrl: callbackUrl,
        sessionUri,
        // No customState: the pin below says more, and AgentCore was seen to ask for consent again where one is sent.
      }),
    );

  const { accessToken, authorizationUrl, sessionUri } = await ask();
  if (accessToken !== undefined) return accessToken;
  if (authorizationUrl === undefined || sessionUri === undefined) throw new Error('no authorization URL');

  // Pinned before anybody can click. The link opens for this user alone; AgentCore's own URL opens for everybody.
  const pin = { userToken, authorizationUrl, sessionUri, label, signal };
  const { startUrl } = await sessionBinding.storeUserToken(pin);
  showLink(startUrl);

  const fetchToken = async () => (await ask(sessionUri)).accessToken;
  return createTokenPoller({
    client: sessionBinding,
    userToken,
    sessionUri,
    fetchToken,
    signal,
  }).pollForToken();
}

/** What the agent tells its user when it did not work out. */
export function explain(error: unknown): string {
  switch (error instanceof SessionBindingError ? error.code : undefined) {
    case 'consent_denied':
      return 'You declined. Say so if you change your mind.';
    case 'authorization_expired':
    case 'timed_out':
      return 'The link is no longer good. Shall I make a new one?';
    default:
      return 'That did not work. Please try again later.';
  }
}
