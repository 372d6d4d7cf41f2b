import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import {
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenForJWTCommand,
} from '@aws-sdk/client-bedrock-agentcore';

/**
 * AgentCore Gateway as its clients see it, for tools with an authorization code grant: it asks AgentCore Identity with
 * the caller's JWT, and answers a call without consent with MCP's error -32042.
 * @param {object} options see gateway.d.mts
 */
export async function startGateway({ agentcore, workloadName, provider, scopes, callTarget }) {
  const gateway = { url: '', calls: 0, streams: false, elicits: undefined, close };

  async function call(authorization, { name, _meta }) {
    const { workloadAccessToken } = await agentcore.send(
      new GetWorkloadAccessTokenForJWTCommand({
        workloadName,
        userToken: authorization.replace(/^Bearer /, ''),
      }),
    );
    const settings = _meta['aws.bedrock-agentcore.gateway/credentialProviderConfiguration'];
    const { accessToken, authorizationUrl } = await agentcore.send(
      new GetResourceOauth2TokenCommand({
        workloadIdentityToken: workloadAccessToken,
        resourceCredentialProviderName: provider,
        scopes,
        oauth2Flow: 'USER_FEDERATION',
        resourceOauth2ReturnUrl: settings.oauthCredentialProvider.returnUrl,
      }),
    );
    if (accessToken !== undefined) {
      const text = await callTarget(name, accessToken);
      return { result: { content: [{ type: 'text', text }], isError: false } };
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
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      const { id, params } = JSON.parse(body);
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
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  gateway.url = `http://127.0.0.1:${server.address().port}/mcp`;
  return gateway;

  function close() {
    return new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }
}
