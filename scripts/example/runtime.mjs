import { createServer } from 'node:http';
import {
  BedrockAgentCoreClient,
  GetWorkloadAccessTokenForJWTCommand,
} from '@aws-sdk/client-bedrock-agentcore';

const START_BUDGET_MS = 30_000;

/**
 * What AgentCore Runtime does for an agent with a JWT authorizer: takes invocations with the user's JWT, from browsers
 * too, and passes them on with a workload access token instead. It does not verify the JWT: the emulator mints for any.
 */
export async function startRuntime({ agentUrl, agentcoreEndpoint, workloadName }) {
  const agentcore = new BedrockAgentCoreClient({
    region: 'us-east-1',
    endpoint: agentcoreEndpoint,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'example' },
  });
  await untilHealthy(agentUrl);

  async function invoke(request) {
    const userToken = request.headers.authorization?.replace(/^Bearer /, '');
    const { workloadAccessToken } = await agentcore.send(
      new GetWorkloadAccessTokenForJWTCommand({ workloadName, userToken }),
    );
    return fetch(`${agentUrl}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', workloadaccesstoken: workloadAccessToken },
      body: request,
      duplex: 'half',
    });
  }

  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', 'authorization, content-type');
    if (request.method !== 'POST') return void response.writeHead(204).end();
    invoke(request)
      .then(async (answer) => {
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
      })
      .catch(() => response.destroy());
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/invocations`,
    async close() {
      agentcore.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

async function untilHealthy(agentUrl) {
  const signal = AbortSignal.timeout(START_BUDGET_MS);
  for (;;) {
    signal.throwIfAborted();
    const answer = await fetch(`${agentUrl}/ping`, { signal }).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}
