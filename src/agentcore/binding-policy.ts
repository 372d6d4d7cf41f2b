export interface BindingPolicyOptions {
  readonly region: string;
  readonly accountId: string;
  /** Names of workload identities. */
  readonly workloads: readonly string[];
  /** Names of OAuth2 credential providers. */
  readonly providers: readonly string[];
}

interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: string;
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export interface BindingPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}

/**
 * What the service's role needs, and no more: whoever breaks in can finish consents that he holds user tokens of, but
 * neither mint workload tokens nor fetch anybody's (SB-27).
 */
export function createBindingPolicy(options: BindingPolicyOptions): BindingPolicy {
  const { region, accountId, workloads, providers } = options;
  const partition = partitionOf(region);
  const agentcore = (resource: string) =>
    `arn:${partition}:bedrock-agentcore:${region}:${accountId}:${resource}`;
  const directory = 'workload-identity-directory/default';
  const vault = 'token-vault/default';
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'FinishConsents',
        Effect: 'Allow',
        Action: 'bedrock-agentcore:CompleteResourceTokenAuth',
        Resource: [
          agentcore(directory),
          ...workloads.map((name) => agentcore(`${directory}/workload-identity/${name}`)),
          agentcore(vault),
          ...providers.map((name) => agentcore(`${vault}/oauth2credentialprovider/${name}`)),
        ],
      },
      {
        Sid: 'ReadProviderSecretsThroughAgentCore',
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        // Secrets Manager ends each ARN in a hyphen and six characters of its own: `*` would open `github-admin`
        // together with `github`.
        Resource: providers.map(
          (name) =>
            `arn:${partition}:secretsmanager:${region}:${accountId}:secret:bedrock-agentcore-identity!default/oauth2/${name}-??????`,
        ),
        // The role itself can read none of them: only AgentCore, while it finishes a consent for this role.
        Condition: { 'ForAnyValue:StringEquals': { 'aws:CalledVia': ['bedrock-agentcore.amazonaws.com'] } },
      },
    ],
  };
}

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
