import { createHmac, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { CognitoPool, EmulatedClient, SignIn } from './cognito-pool.ts';
import { ACCESS_TTL_SECONDS, issueTokens, type TokenSigner } from './cognito-tokens.ts';
import { type JsonObject, objectOf, stringOf } from './message-body.ts';

/** The scope of every access token of the API; only the hosted sign-in knows others. */
const API_SCOPE = 'aws.cognito.signin.user.admin';

/** An answer of the API in AWS's JSON 1.1. */
export type ApiAnswer =
  | { readonly kind: 'ok'; readonly body: JsonObject }
  | { readonly kind: 'exception'; readonly name: string; readonly message: string };

/** InitiateAuth: USER_PASSWORD_AUTH and the refresh flows, for clients with and without a secret. */
export function initiateAuth(input: JsonObject, signer: TokenSigner, pool: CognitoPool): ApiAnswer {
  const clientId = stringOf(input['ClientId']) ?? '';
  const client = pool.client(clientId);
  if (client === undefined) {
    return refuse('ResourceNotFoundException', `User pool client ${clientId} does not exist.`);
  }
  const parameters = objectOf(input['AuthParameters']) ?? {};
  switch (input['AuthFlow']) {
    case 'USER_PASSWORD_AUTH':
      return withPassword(parameters, client, signer, pool);
    case 'REFRESH_TOKEN':
    case 'REFRESH_TOKEN_AUTH':
      return withRefreshToken(parameters, client, signer, pool);
    default:
      return refuse(
        'InvalidParameterException',
        `${String(input['AuthFlow'])} flow not enabled for this client`,
      );
  }
}

function withPassword(
  parameters: JsonObject,
  client: EmulatedClient,
  signer: TokenSigner,
  pool: CognitoPool,
): ApiAnswer {
  const username = stringOf(parameters['USERNAME']);
  const password = stringOf(parameters['PASSWORD']);
  if (!username) return refuse('InvalidParameterException', 'Missing required parameter USERNAME');
  if (!password) return refuse('InvalidParameterException', 'Missing required parameter PASSWORD');
  const refusal = refuseSecretHash(parameters, client, [username]);
  if (refusal !== undefined) return refusal;
  const user = pool.userWith(username, password);
  if (user === undefined) return refuse('NotAuthorizedException', 'Incorrect username or password.');
  const { clientId } = client;
  const authTimeSeconds = Math.floor(pool.nowMs() / 1000);
  const signIn = { user, clientId, scope: API_SCOPE, nonce: undefined, authTimeSeconds };
  return answer(signIn, signer, pool, { RefreshToken: pool.grantRefreshToken(signIn) });
}

function withRefreshToken(
  parameters: JsonObject,
  client: EmulatedClient,
  signer: TokenSigner,
  pool: CognitoPool,
): ApiAnswer {
  const signIn = pool.signInOf(stringOf(parameters['REFRESH_TOKEN']) ?? '', client.clientId);
  if (signIn === undefined) return refuse('NotAuthorizedException', 'Invalid Refresh Token');
  const { username, subject } = signIn.user;
  const refusal = refuseSecretHash(parameters, client, [username, subject]);
  // As with the real one, the refresh token itself stays what it was.
  return refusal ?? answer(signIn, signer, pool, {});
}

/** SECRET_HASH: HMAC-SHA256 of user name and client id under the client's secret. */
function refuseSecretHash(
  parameters: JsonObject,
  { clientId, clientSecret }: EmulatedClient,
  names: readonly string[],
): ApiAnswer | undefined {
  const sent = stringOf(parameters['SECRET_HASH']);
  if (clientSecret === undefined) {
    return sent === undefined
      ? undefined
      : refuse('NotAuthorizedException', `Client ${clientId} has no secret`);
  }
  if (sent === undefined) {
    const message = `Client ${clientId} is configured with secret but SECRET_HASH was not received`;
    return refuse('NotAuthorizedException', message);
  }
  const isRight = names.some(
    (name) =>
      createHmac('sha256', clientSecret)
        .update(name + clientId)
        .digest('base64') === sent,
  );
  return isRight
    ? undefined
    : refuse('NotAuthorizedException', `Unable to verify secret hash for client ${clientId}`);
}

function answer(signIn: SignIn, signer: TokenSigner, pool: CognitoPool, more: JsonObject): ApiAnswer {
  const { accessToken, idToken } = issueTokens(signer, pool, signIn);
  const result = {
    AccessToken: accessToken,
    IdToken: idToken,
    ExpiresIn: ACCESS_TTL_SECONDS,
    TokenType: 'Bearer',
    ...more,
  };
  return { kind: 'ok', body: { AuthenticationResult: result, ChallengeParameters: {} } };
}

export function refuse(name: string, message: string): ApiAnswer {
  return { kind: 'exception', name, message };
}

export function sendApiAnswer(response: ServerResponse, sent: ApiAnswer): void {
  const isException = sent.kind === 'exception';
  response.writeHead(isException ? 400 : 200, {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': randomUUID(),
    ...(isException ? { 'x-amzn-errortype': sent.name, 'x-amzn-errormessage': sent.message } : {}),
  });
  response.end(JSON.stringify(isException ? { __type: sent.name, message: sent.message } : sent.body));
}
