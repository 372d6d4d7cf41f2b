import type { IncomingMessage, ServerResponse } from 'node:http';
import { initiateAuth, refuse, sendApiAnswer } from './cognito-api.ts';
import { CognitoPool, type EmulatedClient, type EmulatedUser, type PoolUser } from './cognito-pool.ts';
import { serveAuthorize, serveLogin, serveLogout } from './cognito-sign-in.ts';
import { serveToken, serveUserInfo } from './cognito-token-endpoint.ts';
import type { EmulatedCall } from './emulated-call.ts';
import { type AccessTokenRequest, type Issuer, startIssuer } from './issuer.ts';
import { parseJsonObject, readBody } from './message-body.ts';

/** A Cognito user pool with its hosted sign-in on loopback. */
export interface Cognito extends Issuer {
  /** Of the API, for the SDK. */
  readonly endpoint: string;
  addUser(user: EmulatedUser): PoolUser;
  addClient(client: EmulatedClient): void;
}

export interface CognitoOptions {
  readonly port?: number;
  readonly clock?: { nowMs(): number };
  readonly users?: readonly EmulatedUser[];
  readonly clients?: readonly EmulatedClient[];
  /** Where browsers reach it, if not at 127.0.0.1: another name of the loopback, so that it is another site. */
  readonly browserName?: string;
  readonly onCall?: (call: EmulatedCall) => void;
}

const TARGET = 'AWSCognitoIdentityProviderService.';

export async function startCognito(options: CognitoOptions = {}): Promise<Cognito> {
  const { clock = { nowMs: () => Date.now() }, browserName, onCall = () => {} } = options;
  const pool = new CognitoPool(() => clock.nowMs());
  for (const user of options.users ?? []) pool.addUser(user);
  for (const client of options.clients ?? []) pool.addClient(client);

  const issuer = await startIssuer({
    ...(options.port === undefined ? {} : { port: options.port }),
    clock,
    beside: { discovery, answer },
  });

  function discovery(origin: string): object {
    const browserOrigin = browserName === undefined ? origin : origin.replace('127.0.0.1', browserName);
    return {
      authorization_endpoint: `${browserOrigin}/oauth2/authorize`,
      end_session_endpoint: `${browserOrigin}/logout`,
      token_endpoint: `${origin}/oauth2/token`,
      userinfo_endpoint: `${origin}/oauth2/userInfo`,
      scopes_supported: ['openid', 'email', 'phone', 'profile'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    };
  }

  async function answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const note = (what: string, said: string) =>
      onCall({ to: 'cognito', what, answer: said, atMs: clock.nowMs() });
    if (url.pathname === '/' && request.method === 'POST') {
      const [operation, said] = await answerApi(request, response);
      return note(operation, said);
    }
    await serve(request, response, url);
    note(url.pathname.slice(1), String(response.statusCode));
  }

  async function serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    switch (url.pathname) {
      case '/oauth2/authorize':
        return serveAuthorize(request, response, url, pool);
      case '/login':
        return serveLogin(request, response, url, pool);
      case '/logout':
        return serveLogout(request, response, url, pool);
      case '/oauth2/token':
        return serveToken(request, response, issuer, pool);
      case '/oauth2/userInfo':
        return serveUserInfo(request, response, pool);
      default:
        return void response.writeHead(404).end();
    }
  }

  async function answerApi(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<readonly [operation: string, answer: string]> {
    const operation = String(request.headers['x-amz-target']).replace(TARGET, '');
    const input = parseJsonObject(await readBody(request));
    const said =
      operation !== 'InitiateAuth' || input === undefined
        ? refuse('UnknownOperationException', 'The stand-in knows InitiateAuth')
        : initiateAuth(input, issuer, pool);
    sendApiAnswer(response, said);
    return [operation, said.kind === 'ok' ? 'ok' : said.name];
  }

  const signAccessToken = issuer.accessToken.bind(issuer);
  return Object.assign(issuer, {
    accessToken: (request: AccessTokenRequest = {}) =>
      signAccessToken({ ...pool.subjectOf(request.username), ...request }),
    endpoint: new URL(issuer.issuer).origin,
    addUser: (user: EmulatedUser) => pool.addUser(user),
    addClient: (client: EmulatedClient) => pool.addClient(client),
  });
}
