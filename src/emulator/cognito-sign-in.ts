import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CognitoPool, EmulatedClient, PoolUser } from './cognito-pool.ts';
import { cookieHeader, cookieOf } from './cookie.ts';
import { readForm } from './message-body.ts';
import { escapeHtml, redirect, sendPage } from './page.ts';

const COOKIE = 'cognito';

/** What an application asks the hosted sign-in for. */
interface AuthorizationRequest {
  readonly client: EmulatedClient;
  readonly redirectUri: string;
  readonly scope: string;
  readonly state: string | undefined;
  readonly nonce: string | undefined;
  readonly challenge: string | undefined;
}

/** `/oauth2/authorize`: straight back with a code where the browser is signed in, else to the sign-in page. */
export function serveAuthorize(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  pool: CognitoPool,
): void {
  const asked = parseRequest(url.searchParams, pool);
  if (typeof asked === 'string')
    return sendPage(response, 400, 'An error was encountered', `<p>${asked}</p>`);
  const { searchParams: query } = url;
  const method = query.get('code_challenge_method');
  if (query.get('response_type') !== 'code' || (asked.challenge !== undefined && method !== 'S256')) {
    return sendBack(response, asked, { error: 'invalid_request' });
  }
  const user = pool.userOfBrowser(cookieOf(request, COOKIE));
  if (user !== undefined && query.get('prompt') !== 'login') return grant(response, asked, user, pool);
  redirect(response, `/login${url.search}`);
}

/** `/login`: name and password. */
export async function serveLogin(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  pool: CognitoPool,
): Promise<void> {
  const asked = parseRequest(url.searchParams, pool);
  if (typeof asked === 'string')
    return sendPage(response, 400, 'An error was encountered', `<p>${asked}</p>`);
  if (request.method !== 'POST') {
    return sendLoginPage(response, url.searchParams.get('login_hint') ?? '', undefined);
  }
  const form = await readForm(request);
  const username = form.get('username') ?? '';
  const user = pool.userWith(username, form.get('password') ?? '');
  if (user === undefined) return sendLoginPage(response, username, 'Incorrect username or password.');
  grant(response, asked, user, pool, cookieHeader(COOKIE, pool.rememberBrowser(user)));
}

/** `/logout`: forgets the browser, and sends it to a registered address. */
export function serveLogout(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  pool: CognitoPool,
): void {
  const client = pool.client(url.searchParams.get('client_id') ?? '');
  const target = url.searchParams.get('logout_uri') ?? '';
  if (!client?.logoutUris?.includes(target)) {
    return sendPage(response, 400, 'An error was encountered', '<p>redirect_mismatch</p>');
  }
  pool.forgetBrowser(cookieOf(request, COOKIE));
  redirect(response, target, cookieHeader(COOKIE, ''));
}

/** A word for what is wrong where nobody may be redirected. */
function parseRequest(query: URLSearchParams, pool: CognitoPool): AuthorizationRequest | string {
  const client = pool.client(query.get('client_id') ?? '');
  if (client === undefined) return 'invalid_client';
  const redirectUri = query.get('redirect_uri') ?? '';
  if (!client.redirectUris?.includes(redirectUri)) return 'redirect_mismatch';
  return {
    client,
    redirectUri,
    scope: query.get('scope') ?? 'openid email phone profile',
    state: query.get('state') ?? undefined,
    nonce: query.get('nonce') ?? undefined,
    challenge: query.get('code_challenge') ?? undefined,
  };
}

function grant(
  response: ServerResponse,
  asked: AuthorizationRequest,
  user: PoolUser,
  pool: CognitoPool,
  headers: Readonly<Record<string, string>> = {},
): void {
  const { client, redirectUri, scope, nonce, challenge } = asked;
  const { clientId } = client;
  const authTimeSeconds = Math.floor(pool.nowMs() / 1000);
  const code = pool.grantCode({ user, clientId, redirectUri, scope, nonce, challenge, authTimeSeconds });
  sendBack(response, asked, { code }, headers);
}

function sendBack(
  response: ServerResponse,
  { redirectUri, state }: AuthorizationRequest,
  parameters: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): void {
  const target = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
  if (state !== undefined) target.searchParams.set('state', state);
  redirect(response, target.href, headers);
}

function sendLoginPage(response: ServerResponse, username: string, complaint: string | undefined): void {
  const alert = complaint === undefined ? '' : `<p role="alert">${complaint}</p>\n`;
  // Where the name is known, only the password is left to type.
  const [name, password] = username === '' ? [' autofocus', ''] : ['', ' autofocus'];
  sendPage(
    response,
    complaint === undefined ? 200 : 401,
    'Sign in',
    `${alert}<form method="post">
<label>Username <input name="username" value="${escapeHtml(username)}" autocomplete="username" required${name}></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required${password}></label>
<button>Sign in</button>
</form>`,
  );
}
