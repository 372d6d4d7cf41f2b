import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AgentCoreFlows } from './agentcore-flows.ts';
import { readBody } from './agentcore-wire.ts';

/** Where a browser gives or refuses consent. */
export const AUTHORIZE_PATH = '/identities/oauth2/authorize';

/**
 * AgentCore's authorize endpoint and the resource provider's consent page in one: the real flow goes to the
 * provider and back between the two. Nobody signs in here: as with the real one, whoever holds the link can consent.
 */
export async function serveConsent(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  flows: AgentCoreFlows,
): Promise<void> {
  const requestUris = url.searchParams.getAll('request_uri');
  const [requestUri] = requestUris;
  const flow = requestUri === undefined ? undefined : flows.flowOf(requestUri);
  if (requestUris.length !== 1 || flow === undefined || !flows.isLive(flow)) {
    return sendPage(response, 400, '<h1>This link is not valid, or no longer</h1>');
  }
  if (request.method === 'GET') {
    return sendPage(
      response,
      200,
      `<h1>${escapeHtml(flow.provider)}</h1>
<p>Allow ${escapeHtml(flow.identity.workloadName)} to act in your account?</p>
<form method="post"><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>`,
    );
  }
  if (request.method !== 'POST') return sendPage(response, 405, '<h1>Method not allowed</h1>');

  const decision = new URLSearchParams(await readBody(request)).get('decision');
  if (decision !== 'allow' && decision !== 'deny') {
    return sendPage(response, 400, '<h1>Allow or deny?</h1>');
  }
  flow.consent = decision === 'allow' ? 'allowed' : 'denied';
  const target = new URL(flow.returnUrl);
  // @NOTE live: what arrives upon a denial is not documented; this is OAuth's error beside AgentCore's session_id.
  if (decision === 'deny') target.searchParams.set('error', 'access_denied');
  target.searchParams.set('session_id', flow.sessionUri);
  // @NOTE live: customState is seen to come back under this name; the documentation does not name it.
  if (flow.customState !== undefined) target.searchParams.set('state', flow.customState);
  response.writeHead(302, { location: target.href, 'cache-control': 'no-store' });
  response.end();
}

function sendPage(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(
    `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Stand-in consent</title>\n${body}\n</html>\n`,
  );
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
