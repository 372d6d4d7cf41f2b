const REGION = 'us-east-1';
const ACCOUNT = '123456789012';

const AGENTCORE = `arn:aws:bedrock-agentcore:${REGION}:${ACCOUNT}`;

export function workloadIdentityArn(name: string): string {
  return `${AGENTCORE}:workload-identity-directory/default/workload-identity/${name}`;
}

export function credentialProviderArn(name: string): string {
  return `${AGENTCORE}:token-vault/default/oauth2credentialprovider/${name}`;
}

export function clientSecretArn(name: string): string {
  return `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:bedrock-agentcore-identity!default/oauth2/${name}-AbCdEf`;
}
