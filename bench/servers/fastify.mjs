// As little as can be written with Fastify and the AWS SDK: one token for everybody, nothing is checked, nothing logged.
import { BedrockAgentCoreClient, CompleteResourceTokenAuthCommand } from '@aws-sdk/client-bedrock-agentcore';
import { fastify } from 'fastify';

const client = new BedrockAgentCoreClient({});
const app = fastify();
let userToken;
app.get('/ping', async () => ({ status: 'success' }));
app.post('/userIdentifier/token', async (request) => {
  userToken = request.body.user_token;
  return { status: 'success' };
});
app.get('/oauth2/callback', async (request, reply) => {
  await client.send(
    new CompleteResourceTokenAuthCommand({
      sessionUri: request.query.session_id,
      userIdentifier: { userToken },
    }),
  );
  return reply
    .type('text/html')
    .send('<!doctype html><title>Connected</title><p>You can close this window.</p>');
});
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
