/**
 * The GitHub agent as AgentCore Runtime runs it: HTTP on port 8080, `POST /invocations` and `GET /ping`. Runtime has
 * verified the caller's JWT and passes on a workload access token; the JWT itself the agent never sees. So it cannot pin:
 * it answers with the authorization URL, and the caller, who has the JWT, pins and shows the start link.
 */
import { createServer } from 'node:http';
import { BedrockAgentCoreClient, GetResourceOauth2TokenCommand } from '@aws-sdk/client-bedrock-agentcore';
import { listPrivateRepositories } from './github.ts';

/** PROVIDER, CALLBACK_URL (the service's), and PORT where another one is free. */
const { PROVIDER: provider = 'github', CALLBACK_URL: callbackUrl = '', PORT: port = '8080' } = process.env;
const agentcore = new BedrockAgentCoreClient();

/** What the caller gets: the answer, or a consent that he has to ask for. */
type Answer =
  | { readonly repositories: readonly string[] }
  | { readonly authorization_url: string | undefined; readonly session_uri: string | undefined };

async function invoke(workloadAccessToken: string): Promise<Answer> {
  const { accessToken, authorizationUrl, sessionUri } = await agentcore.send(
    new GetResourceOauth2TokenCommand({
      workloadIdentityToken: workloadAccessToken,
      resourceCredentialProviderName: provider,
      scopes: ['repo', 'read:user'],
      oauth2Flow: 'USER_FEDERATION',
      resourceOauth2ReturnUrl: callbackUrl,
    }),
  );
  return accessToken === undefined
    ? { authorization_url: authorizationUrl, session_uri: sessionUri }
    : { repositories: await listPrivateRepositories(accessToken) };
}

const server = createServer((request, response) => {
  const send = (status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.method === 'GET' && request.url === '/ping') return send(200, { status: 'Healthy' });
  if (request.method !== 'POST' || request.url !== '/invocations') return send(404, {});
  request.resume();
  invoke(String(request.headers['workloadaccesstoken'])).then(
    (answer) => send(200, answer),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      send(500, { error: 'the agent failed' });
    },
  );
  return undefined;
});
// All addresses: in AgentCore Runtime it is alone in its container.
server.listen(Number(port), process.env['HOST'] ?? '0.0.0.0');
