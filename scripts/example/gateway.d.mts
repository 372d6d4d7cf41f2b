import type { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';

export interface GatewayStandIn {
  readonly url: string;
  /** How often a tool was called. */
  readonly calls: number;
  /** Answers as a stream of events, as Gateway does where streaming is on. */
  streams: boolean;
  /** Instead of AgentCore's own URL: an elicitation of the tool's own server, which Gateway passes on. */
  elicits: string | undefined;
  close(): Promise<void>;
}

export function startGateway(options: {
  readonly agentcore: BedrockAgentCoreClient;
  /** The gateway's workload identity. */
  readonly workloadName: string;
  readonly provider: string;
  readonly scopes: string[];
  /** What the target says to a call with its user's access token. */
  readonly callTarget: (name: string, accessToken: string) => string | Promise<string>;
}): Promise<GatewayStandIn>;
