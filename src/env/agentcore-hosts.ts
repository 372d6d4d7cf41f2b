// The region's endpoints, FIPS and interface endpoints included. Not all of amazonaws.com: any customer can have a
// host there, so a name under it does not say that AWS is listening.
const AWS_HOST =
  /^(?:vpce-[a-z0-9-]+\.)?bedrock-agentcore(?:-fips)?\.[a-z0-9-]+\.(?:api\.aws|(?:vpce\.)?amazonaws\.com(?:\.cn)?)$/;

/** The hosts of AgentCore's authorize endpoint that need no setting: the region's and the configured endpoint's. */
export function standardAuthorizeHosts(region: string, endpoint: string | undefined): readonly string[] {
  const standard = `bedrock-agentcore.${region}.amazonaws.com`;
  return endpoint === undefined ? [standard] : [standard, new URL(endpoint).host];
}

/** Where user tokens go, when that is not a host of AgentCore by its name. */
export function foreignEndpointHost(endpoint: string): string | undefined {
  const { host, hostname } = new URL(endpoint);
  return AWS_HOST.test(hostname) ? undefined : host;
}
