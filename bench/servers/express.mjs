// What most teams write: express, express-session with its memory store, the AWS SDK as it comes.
import { BedrockAgentCoreClient, CompleteResourceTokenAuthCommand } from '@aws-sdk/client-bedrock-agentcore';
import express from 'express';
import session from 'express-session';

const client = new BedrockAgentCoreClient({});
const app = express();
app.disable('x-powered-by');
app.use(express.json());
app.use(session({ secret: 'a-secret-of-the-benchmark', resave: false, saveUninitialized: false }));
app.get('/ping', (_request, response) => response.json({ status: 'success' }));
app.post('/userIdentifier/token', (request, response) => {
  request.session.userToken = request.body.user_token;
  response.json({ status: 'success' });
});
app.get('/oauth2/callback', async (request, response) => {
  const { userToken } = request.session;
  if (userToken === undefined) return response.status(401).send('Not signed in');
  await client.send(
    new CompleteResourceTokenAuthCommand({
      sessionUri: request.query.session_id,
      userIdentifier: { userToken },
    }),
  );
  response.send('<!doctype html><title>Connected</title><p>You can close this window.</p>');
});
app.listen(Number(process.env.PORT), '127.0.0.1');
