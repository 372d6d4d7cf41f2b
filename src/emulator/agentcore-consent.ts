import type { IncomingMessage, ServerResponse } from 'node:http';
import { readMetadata } from './agentcore-exchange.ts';
import type { AuthorizationFlow } from './agentcore-flows.ts';
import type { OperationDeps } from './agentcore-operations.ts';
import type { CredentialProvider } from './agentcore-providers.ts';
import { readForm, sendJson } from './message-body.ts';
import { escapeHtml, redirect, sendPage } from './page.ts';

/** Where a browser starts to consent. */
export const AUTHORIZE_PATH = '/identities/oauth2/authorize';
/** Where the authorization server sends it back; the provider's own id follows. */
export const CALLBACK_PATH = '/identities/oauth2/callback/';

/**
 * AgentCore's authorize endpoint: sends the browser on to the credential provider's authorization server. As with the
 * real one nobody signs in here, so whoever holds the link can consent.
 */
export async function serveAuthorize(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  deps: OperationDeps,
): Promise<void> {
  const requestUris = url.searchParams.getAll('request_uri');
  const [requestUri] = requestUris;
  const flow = requestUri === undefined ? undefined : deps.flows.flowOf(requestUri);
  if (requestUris.length !== 1 || flow === undefined || !deps.flows.isLive(flow)) {
    return sendPage(response, 400, 'This link is not valid, or no longer', '');
  }
  const provider = deps.providers.get(flow.provider);
  if (provider === undefined) return serveOwnConsent(request, response, flow, deps);

  const metadata = await readMetadata(provider);
  if (metadata === undefined) return sendPage(response, 502, 'The authorization server does not answer', '');
  const target = new URL(metadata.authorizationEndpoint);
  // The caller's parameters come first: they may add to AgentCore's own, and override none.
  const parameters = {
    ...flow.customParameters,
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: deps.callbackUrlOf(provider),
    scope: flow.scopes.join(' '),
    state: flow.providerState,
  };
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
  redirect(response, target.href);
}

/** The provider's `callbackUrl`: the authorization server's answer, which becomes AgentCore's own. */
export function serveProviderCallback(response: ServerResponse, url: URL, deps: OperationDeps): void {
  const state = url.searchParams.get('state') ?? '';
  const code = url.searchParams.get('code') ?? undefined;
  const error = url.searchParams.get('error') ?? undefined;
  const flow = deps.flows.flowOfProviderState(state);
  const provider = flow === undefined ? undefined : deps.providers.get(flow.provider);
  if (
    flow === undefined ||
    !deps.flows.isLive(flow) ||
    provider?.callbackId !== url.pathname.slice(CALLBACK_PATH.length) ||
    (code === undefined) === (error === undefined)
  ) {
    return sendJson(response, { message: 'The authorization code or its state is not valid' }, 400);
  }
  flow.consent = error === undefined ? 'allowed' : 'denied';
  flow.code = code;
  sendBack(response, flow, error, deps);
}

/** For providers that nobody has created: AgentCore's authorize endpoint and a consent page in one. */
async function serveOwnConsent(
  request: IncomingMessage,
  response: ServerResponse,
  flow: AuthorizationFlow,
  deps: OperationDeps,
): Promise<void> {
  if (request.method === 'GET') {
    return sendPage(
      response,
      200,
      flow.provider,
      `<p>Allow ${escapeHtml(flow.identity.workloadName)} to act in your account?</p>
<form method="post"><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>`,
    );
  }
  if (request.method !== 'POST') return sendPage(response, 405, 'Method not allowed', '');
  const decision = (await readForm(request)).get('decision');
  if (decision !== 'allow' && decision !== 'deny') return sendPage(response, 400, 'Allow or deny?', '');
  flow.consent = decision === 'allow' ? 'allowed' : 'denied';
  sendBack(response, flow, decision === 'allow' ? undefined : 'access_denied', deps);
}

function sendBack(
  response: ServerResponse,
  flow: AuthorizationFlow,
  error: string | undefined,
  { unknowns }: OperationDeps,
): void {
  const target = new URL(flow.returnUrl);
  if (error !== undefined) {
    // @NOTE live: what arrives upon a denial is not documented; by default OAuth's error beside the session_id.
    if (unknowns.denial === 'nothing') {
      return sendJson(response, { message: "Value at 'authorizationCode' must not be null" }, 400);
    }
    target.searchParams.set('error', error);
  }
  if (error === undefined || unknowns.denial !== 'error_alone') {
    target.searchParams.set('session_id', flow.sessionUri);
  }
  // @NOTE live: customState is seen to come back as `state`; the documentation does not name it.
  if (flow.customState !== undefined && unknowns.customStateName !== 'none') {
    target.searchParams.set(unknowns.customStateName, flow.customState);
  }
  redirect(response, target.href);
}

/** The `callbackUrl` of a provider at this endpoint. */
export function callbackUrlAt(endpoint: string, { callbackId }: CredentialProvider): string {
  return `${endpoint}${CALLBACK_PATH}${callbackId}`;
}
