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

/** What the vault has for this user: the resource's access token, or a consent that has to be asked for. */
export type Access =
  | { readonly kind: 'granted'; readonly accessToken: string }
  | { readonly kind: 'consent_needed'; readonly flow: OpenedFlow };

export interface AgentOptions {
  readonly endpoint: string;
  readonly returnUrl: string;
  readonly workloadName?: string;
}

/** A credential provider, and what the agent wants there. */
export interface Resource {
  readonly provider: string;
  readonly scope: string;
}

const GITHUB: Resource = { provider: 'github', scope: 'repo' };

/** The agent's side of AgentCore Identity, with the real AWS SDK. */
export class Agent {
  readonly #client: BedrockAgentCoreClient;
  readonly #returnUrl: string;
  readonly #workloadName: string;

  constructor({ endpoint, returnUrl, workloadName = 'sales-agent' }: AgentOptions) {
    this.#returnUrl = returnUrl;
    this.#workloadName = workloadName;
    this.#client = new BedrockAgentCoreClient({
      region: 'us-east-1',
      endpoint,
      credentials: { accessKeyId: 'AKIDEMO', secretAccessKey: 'demo' },
    });
  }

  /** The user has invoked the agent with this token; the agent needs his data and has no access yet. */
  async open(userToken: string, customState?: string): Promise<OpenedFlow> {
    return this.#open(await this.#workloadAccessTokenFor(userToken), customState);
  }

  /** The same where the agent runs on IAM, and is told a user id instead. */
  async openForUserId(userId: string): Promise<OpenedFlow> {
    const { workloadAccessToken } = await this.#client.send(
      new GetWorkloadAccessTokenForUserIdCommand({ workloadName: this.#workloadName, userId }),
    );
    return this.#open(must(workloadAccessToken));
  }

  /** The user has invoked the agent, which takes what it has and asks for consent where it has nothing. */
  async access(userToken: string, resource: Resource): Promise<Access> {
    const workloadAccessToken = await this.#workloadAccessTokenFor(userToken);
    const { accessToken, authorizationUrl, sessionUri } = await this.#ask(workloadAccessToken, resource, {});
    if (accessToken !== undefined) return { kind: 'granted', accessToken };
    const flow = {
      authorizationUrl: must(authorizationUrl),
      sessionUri: must(sessionUri),
      workloadAccessToken,
    };
    return { kind: 'consent_needed', flow };
  }

  /** The resource's access token, once the consent was bound. */
  async accessToken(flow: OpenedFlow, resource = GITHUB): Promise<string | undefined> {
    return (await this.#ask(flow.workloadAccessToken, resource, { sessionUri: flow.sessionUri })).accessToken;
  }

  close(): void {
    this.#client.destroy();
  }

  async #workloadAccessTokenFor(userToken: string): Promise<string> {
    const { workloadAccessToken } = await this.#client.send(
      new GetWorkloadAccessTokenForJWTCommand({ workloadName: this.#workloadName, userToken }),
    );
    return must(workloadAccessToken);
  }

  async #open(workloadAccessToken: string, customState?: string): Promise<OpenedFlow> {
    const { authorizationUrl, sessionUri } = await this.#ask(workloadAccessToken, GITHUB, {
      customState,
      // A new consent each time, also where an earlier scene has connected this user.
      forceAuthentication: true,
    });
    return { authorizationUrl: must(authorizationUrl), sessionUri: must(sessionUri), workloadAccessToken };
  }

  #ask(
    workloadIdentityToken: string,
    { provider, scope }: Resource,
    more: { customState?: string | undefined; sessionUri?: string; forceAuthentication?: boolean },
  ) {
    return this.#client.send(
      new GetResourceOauth2TokenCommand({
        workloadIdentityToken,
        resourceCredentialProviderName: provider,
        scopes: [scope],
        oauth2Flow: 'USER_FEDERATION',
        resourceOauth2ReturnUrl: this.#returnUrl,
        ...more,
      }),
    );
  }
}

function must(value: string | undefined): string {
  if (value === undefined) throw new Error('AgentCore left out what it promises');
  return value;
}
