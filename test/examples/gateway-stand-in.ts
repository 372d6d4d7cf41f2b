import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type BedrockAgentCoreClient,
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenForJWTCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import { onTestFinished } from 'vitest';

export interface GatewayStandIn {
  readonly url: string;
  /** How often a tool was called. */
  calls: number;
  /** Answers as a stream of events, as Gateway does where streaming is on. */
  streams: boolean;
  /** Instead of AgentCore's own URL: an elicitation of the tool's own server, which Gateway passes on. */
  elicits: string | undefined;
}

/**
 * AgentCore Gateway as its clients see it, for one tool with an authorization code grant: it asks AgentCore Identity
 * with the caller's JWT, and answers a call without consent with MCP's error -32042.
 */
export async function startGateway(agentcore: BedrockAgentCoreClient): Promise<GatewayStandIn> {
  const gateway = { url: '', calls: 0, streams: false, elicits: undefined as string | undefined };

  async function call(authorization: string, params: ToolCall): Promise<object> {
    const { workloadAccessToken } = await agentcore.send(
      new GetWorkloadAccessTokenForJWTCommand({
        workloadName: 'gateway-abc',
        userToken: authorization.replace(/^Bearer /, ''),
      }),
    );
    const settings = params['_meta']['aws.bedrock-agentcore.gateway/credentialProviderConfiguration'];
    const { accessToken, authorizationUrl } = await agentcore.send(
      new GetResourceOauth2TokenCommand({
        workloadIdentityToken: workloadAccessToken,
        resourceCredentialProviderName: 'linkedin',
        scopes: ['profile'],
        oauth2Flow: 'USER_FEDERATION',
        resourceOauth2ReturnUrl: settings.oauthCredentialProvider.returnUrl,
      }),
    );
    if (accessToken !== undefined) {
      return { result: { content: [{ type: 'text', text: `called ${params.name}` }], isError: false } };
    }
    const message = 'Please login to this URL for authorization.';
    const url = gateway.elicits ?? authorizationUrl;
    const elicitations = [{ mode: 'url', elicitationId: randomUUID(), url, message }];
    return {
      error: { code: -32042, message: 'This request requires more information.', data: { elicitations } },
    };
  }

  const server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
      const { id, params } = JSON.parse(text) as { id: number; params: ToolCall };
      gateway.calls += 1;
      const { authorization = '', accept = '' } = request.headers;
      const isCurrent = request.headers['mcp-protocol-version'] === '2025-11-25';
      const answer =
        isCurrent && accept.includes('text/event-stream')
          ? await call(authorization, params)
          : { error: { code: -32_022, message: 'Unsupported protocol version' } };
      const message = JSON.stringify({ jsonrpc: '2.0', id, ...answer });
      response.setHeader('content-type', gateway.streams ? 'text/event-stream' : 'application/json');
      response.end(gateway.streams ? `event: message\ndata: ${message}\n\n` : message);
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  gateway.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  return gateway;
}

interface ToolCall {
  readonly name: string;
  readonly _meta: {
    readonly 'aws.bedrock-agentcore.gateway/credentialProviderConfiguration': {
      readonly oauthCredentialProvider: { readonly returnUrl: string };
    };
  };
}
