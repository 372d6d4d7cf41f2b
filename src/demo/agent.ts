import {
  BedrockAgentCoreClient,
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenForJWTCommand,
  GetWorkloadAccessTokenForUserIdCommand,
} from '@aws-sdk/client-bedrock-agentcore';

/** What an agent knows of a flow it has opened. */
export interface OpenedFlow {
  readonly authorizationUrl: string;
  readonly sessionUri: string;
  readonly workloadAccessToken: string;
}

export interface AgentOptions {
  readonly endpoint: string;
  readonly returnUrl: string;
}

const PROVIDER = 'github';

/** The agent's side of AgentCore Identity, with the real AWS SDK. */
export class Agent {
  readonly #client: BedrockAgentCoreClient;
  readonly #returnUrl: string;

  constructor({ endpoint, returnUrl }: AgentOptions) {
    this.#returnUrl = returnUrl;
    this.#client = new BedrockAgentCoreClient({
      region: 'us-east-1',
      endpoint,
      credentials: { accessKeyId: 'AKIDEMO', secretAccessKey: 'demo' },
    });
  }

  /** The user has invoked the agent with this token; the agent needs his data and has no access yet. */
  async open(userToken: string, customState?: string): Promise<OpenedFlow> {
    const { workloadAccessToken } = await this.#client.send(
      new GetWorkloadAccessTokenForJWTCommand({ workloadName: 'sales-agent', userToken }),
    );
    return this.#open(workloadAccessToken, customState);
  }

  /** The same where the agent runs on IAM, and is told a user id instead. */
  async openForUserId(userId: string): Promise<OpenedFlow> {
    const { workloadAccessToken } = await this.#client.send(
      new GetWorkloadAccessTokenForUserIdCommand({ workloadName: 'sales-agent', userId }),
    );
    return this.#open(workloadAccessToken);
  }

  async #open(workloadAccessToken: string | undefined, customState?: string): Promise<OpenedFlow> {
    if (workloadAccessToken === undefined) throw new Error('no workload access token');
    const { authorizationUrl, sessionUri } = await this.#ask(workloadAccessToken, {
      customState,
      // A new consent each time, also where an earlier scene has connected this user.
      forceAuthentication: true,
    });
    if (authorizationUrl === undefined || sessionUri === undefined) throw new Error('no authorization URL');
    return { authorizationUrl, sessionUri, workloadAccessToken };
  }

  /** The resource's access token, once the consent was bound. */
  async accessToken(flow: OpenedFlow): Promise<string | undefined> {
    return (await this.#ask(flow.workloadAccessToken, { sessionUri: flow.sessionUri })).accessToken;
  }

  close(): void {
    this.#client.destroy();
  }

  #ask(
    workloadIdentityToken: string,
    more: { customState?: string | undefined; sessionUri?: string; forceAuthentication?: boolean },
  ) {
    return this.#client.send(
      new GetResourceOauth2TokenCommand({
        workloadIdentityToken,
        resourceCredentialProviderName: PROVIDER,
        scopes: ['repo'],
        oauth2Flow: 'USER_FEDERATION',
        resourceOauth2ReturnUrl: this.#returnUrl,
        ...more,
      }),
    );
  }
}
