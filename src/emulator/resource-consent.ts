import type { IncomingMessage, ServerResponse } from 'node:http';
import { cookieHeader, cookieOf } from './cookie.ts';
import { readForm } from './message-body.ts';
import { escapeHtml, redirect, sendPage } from './page.ts';
import type { ResourceAccount } from './resource-accounts.ts';
import type { Consent, ResourceApp } from './resource-grants.ts';

export interface ConsentDeps {
  /** What the provider is called on its pages. */
  readonly title: string;
  readonly cookieName: string;
  readonly accounts: ReadonlyMap<string, ResourceAccount>;
  readonly apps: ReadonlyMap<string, ResourceApp>;
  grantCode(consent: Consent, redirectUri: string): string;
}

interface AuthorizationRequest {
  readonly app: ResourceApp;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string | undefined;
  readonly isOffline: boolean;
}

/**
 * The authorize page: who is it, and does he allow it? One press signs in, since everybody is at home on loopback; the
 * account that is allowed is the one that the pressed form named.
 */
export async function serveConsent(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  deps: ConsentDeps,
): Promise<void> {
  const asked = parseRequest(url.searchParams, deps);
  if (typeof asked === 'string') return sendPage(response, 400, deps.title, `<p>${asked}</p>`);
  const form = request.method === 'POST' ? await readForm(request) : new URLSearchParams();
  const switched = form.get('sign_in_as');
  if (switched !== null) {
    // Back by GET, so that a reload repeats nothing.
    const login = deps.accounts.has(switched) ? switched : '';
    return redirect(response, url.pathname + url.search, cookieHeader(deps.cookieName, login));
  }
  const decision = form.get('decision');
  const account = deps.accounts.get(form.get('account') ?? cookieOf(request, deps.cookieName) ?? '');
  if (account === undefined) return sendAccountPage(response, deps);
  if (decision === 'deny') return sendBack(response, asked, { error: 'access_denied' });
  if (decision !== 'allow') return sendConsentPage(response, asked, account, deps);
  const { app, redirectUri, scopes, isOffline } = asked;
  const code = deps.grantCode({ account, clientId: app.clientId, scopes, isOffline }, redirectUri);
  sendBack(response, asked, { code });
}

/** What is wrong, where nobody may be redirected. */
function parseRequest(query: URLSearchParams, { apps }: ConsentDeps): AuthorizationRequest | string {
  const app = apps.get(query.get('client_id') ?? '');
  if (app === undefined) return 'There is no application with this client id.';
  const redirectUri = query.get('redirect_uri') ?? '';
  if (!app.redirectUris.includes(redirectUri)) {
    return 'The redirect URI is not registered for this application.';
  }
  return {
    app,
    redirectUri,
    scopes: (query.get('scope') ?? '').split(/[ ,]/).filter((scope) => scope !== ''),
    state: query.get('state') ?? undefined,
    isOffline: query.get('access_type') === 'offline',
  };
}

function sendBack(
  response: ServerResponse,
  { redirectUri, state }: AuthorizationRequest,
  parameters: Readonly<Record<string, string>>,
): void {
  const target = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
  if (state !== undefined) target.searchParams.set('state', state);
  redirect(response, target.href);
}

function sendAccountPage(response: ServerResponse, { title, accounts }: ConsentDeps): void {
  const buttons = [...accounts.values()].map(
    ({ login, name }) =>
      `<button name="sign_in_as" value="${escapeHtml(login)}">${escapeHtml(name)} (${escapeHtml(login)})</button>`,
  );
  sendPage(response, 200, `Sign in to ${title}`, `<form method="post">${buttons.join('\n')}</form>`);
}

function sendConsentPage(
  response: ServerResponse,
  { app, scopes }: AuthorizationRequest,
  { login, name }: ResourceAccount,
  { title }: ConsentDeps,
): void {
  const listed = scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join('');
  sendPage(
    response,
    200,
    `Authorize access to ${title}`,
    `<p>Signed in as <strong>${escapeHtml(name)} (${escapeHtml(login)})</strong></p>
<p>${escapeHtml(app.clientId)} wants to use your account:</p>
<ul>${listed}</ul>
<form method="post">
<input type="hidden" name="account" value="${escapeHtml(login)}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>
<form method="post"><button name="sign_in_as" value="">Use another account</button></form>`,
  );
}
