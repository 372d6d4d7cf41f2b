import { Browser, type Page } from '../../src/demo/browser.ts';
import { consent } from './consent.ts';
import type { World } from './world.ts';

/** Everything up to the callback: consent is given, and this browser is about to open this URL. */
export interface ConsentedFlow {
  readonly browser: Browser;
  readonly url: string;
  readonly sessionUri: string;
  readonly token: string;
}

/** The user's app pins the flow in his browser, and he consents. */
export async function pinnedFlow(
  world: World,
  username = 'alice',
  expiresInSeconds = 3600,
): Promise<ConsentedFlow> {
  const token = await world.tokenOf(username, expiresInSeconds);
  const { authorizationUrl, sessionUri, ...flow } = await world.agent.open(token);
  const browser = await world.signedIn(token, { session_uri: sessionUri });
  return { browser, url: await consent({ ...flow, authorizationUrl, sessionUri }), sessionUri, token };
}

/** The user's agent passes his custom state on instead, and nothing is pinned. */
export async function flowWithState(
  world: World,
  username = 'alice',
  expiresInSeconds = 3600,
): Promise<ConsentedFlow> {
  const token = await world.tokenOf(username, expiresInSeconds);
  const browser = new Browser();
  const posted = await postToken(world, browser, { user_token: token });
  const { custom_state: state } = JSON.parse(posted.body) as { custom_state: string };
  const flow = await world.agent.open(token, state);
  return { browser, url: await consent(flow), sessionUri: flow.sessionUri, token };
}

/** The app's own page posts this body from that browser. */
export function postToken(world: World, browser: Browser, body: unknown): Promise<Page> {
  return browser.postJson(`${world.url}/userIdentifier/token`, world.url, body);
}

/** How often AgentCore was asked to complete that flow. */
export function callsFor(world: World, sessionUri: string): number {
  return world.agentcore.calls.filter((call) => call.sessionUri === sessionUri).length;
}

/** The `Cookie` header that this browser would send there, for requests that are made by hand. */
export function cookieHeader(browser: Browser, url: string): string {
  return [...browser.cookies(url)].map(([name, value]) => `${name}=${value}`).join('; ');
}
