import type { OpenedFlow } from '../../src/demo/agent.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';

/** Somebody gives or refuses consent; returns the callback URL to which AgentCore sends the browser. */
export async function consent(flow: OpenedFlow, decision: 'allow' | 'deny' = 'allow'): Promise<string> {
  const answer = await new Browser().send(flow.authorizationUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `decision=${decision}`,
  });
  if (typeof answer.headers['location'] !== 'string')
    throw new Error(`the consent answered ${answer.status}`);
  return answer.headers['location'];
}

/** The callback as a program asks for it, with the browser's cookies. */
export function visitAsProgram(browser: Browser, url: string): Promise<Page> {
  return browser.send(url, { headers: { accept: 'application/json' } });
}

/** An id that is well-formed and that nobody knows. */
export function unknownSessionId(): string {
  return `urn:ietf:params:oauth:request_uri:${Math.random().toString(36).slice(2)}`;
}

/** The callback of that id, with further parameters. */
export function callbackOf(
  serviceUrl: string,
  id: string,
  more: Readonly<Record<string, string>> = {},
): string {
  return `${serviceUrl}/oauth2/callback?${new URLSearchParams({ session_id: id, ...more }).toString()}`;
}
