import type { AgentCoreStandIn } from '../emulator/agentcore.ts';
import type { Issuer } from '../emulator/issuer.ts';
import type { Agent, OpenedFlow } from './agent.ts';
import { Browser, type Page } from './browser.ts';
import { isJsonObject } from '../issuer/json-object.ts';

/** Where a scene plays. */
export interface Stage {
  readonly url: string;
  readonly agentcore: AgentCoreStandIn;
  readonly issuer: Issuer;
  readonly agent: Agent;
  readonly clientId: string;
}

/** What the contract says a scene must come to. */
export interface Scene {
  readonly title: string;
  /** Status and code of the last page. */
  readonly verdict: readonly [status: number, code: string];
  /** In whose vault the connection must lie afterwards; undefined: in nobody's. */
  readonly vault: string | undefined;
  /** How many calls of CompleteResourceTokenAuth the scene may make. */
  readonly calls: number;
  play(stage: Stage): Promise<{ readonly page: Page; readonly flow: OpenedFlow }>;
}

/** Every ending that the first version knows, as people live it. */
export const SCENES: readonly Scene[] = [
  {
    title: 'alice allows, in her own browser',
    verdict: [200, 'completed'],
    vault: 'alice',
    calls: 1,
    async play(stage) {
      const { flow, browser } = await start(stage, 'alice');
      return { flow, page: await allow(browser, flow) };
    },
  },
  {
    title: 'alice denies',
    verdict: [403, 'consent_denied'],
    vault: undefined,
    calls: 0,
    async play(stage) {
      const { flow, browser } = await start(stage, 'alice');
      const consent = await browser.open(flow.authorizationUrl);
      return { flow, page: await browser.submit(consent.url, { decision: 'deny' }) };
    },
  },
  {
    title: 'a stranger opens alice’s callback link',
    verdict: [401, 'not_signed_in'],
    vault: undefined,
    calls: 0,
    async play(stage) {
      const { flow } = await start(stage, 'alice');
      return { flow, page: await allow(new Browser(), flow) };
    },
  },
  {
    title: 'alice sends her link to bob, who consents',
    verdict: [403, 'user_mismatch'],
    vault: undefined,
    calls: 0,
    async play(stage) {
      const { flow } = await start(stage, 'alice');
      const { browser: bobs } = await signIn(stage, 'bob');
      return { flow, page: await allow(bobs, flow) };
    },
  },
  {
    title: 'the same to carol, and the flow has no pin',
    verdict: [410, 'authorization_expired'],
    vault: undefined,
    calls: 1,
    async play(stage) {
      const flow = await stage.agent.open(await tokenOf(stage, 'alice'));
      const { browser: carols } = await signIn(stage, 'carol');
      return { flow, page: await allow(carols, flow) };
    },
  },
  {
    title: 'alice opens her callback a second time',
    verdict: [200, 'completed'],
    vault: 'alice',
    calls: 1,
    async play(stage) {
      const { flow, browser } = await start(stage, 'alice');
      const first = await allow(browser, flow);
      return { flow, page: await browser.open(first.url) };
    },
  },
  {
    title: 'bob replays alice’s finished callback',
    verdict: [403, 'user_mismatch'],
    vault: 'alice',
    calls: 1,
    async play(stage) {
      const { flow, browser } = await start(stage, 'alice');
      const first = await allow(browser, flow);
      const { browser: bobs } = await signIn(stage, 'bob');
      return { flow, page: await bobs.open(first.url) };
    },
  },
  {
    title: 'alice’s token is refreshed while she consents',
    verdict: [200, 'completed'],
    vault: 'alice',
    calls: 1,
    async play(stage) {
      const { flow, browser } = await start(stage, 'alice');
      await postToken(stage, browser, { user_token: await tokenOf(stage, 'alice') });
      return { flow, page: await allow(browser, flow) };
    },
  },
  {
    title: 'the agent sends custom_state instead of a pin',
    verdict: [200, 'completed'],
    vault: 'alice',
    calls: 1,
    async play(stage) {
      const { userToken, browser, customState } = await signIn(stage, 'alice');
      const flow = await stage.agent.open(userToken, customState);
      await postToken(stage, browser, { user_token: await tokenOf(stage, 'alice') });
      return { flow, page: await allow(browser, flow) };
    },
  },
  {
    title: 'another site loads alice’s callback in a frame',
    verdict: [403, 'not_a_navigation'],
    vault: undefined,
    calls: 0,
    async play(stage) {
      const { flow, browser } = await start(stage, 'alice');
      const address = await allowWithoutReturning(browser, flow);
      const headers = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' };
      return { flow, page: await browser.send(address, { headers }) };
    },
  },
  {
    title: 'AgentCore is down',
    verdict: [503, 'agentcore_unavailable'],
    vault: undefined,
    calls: 3,
    async play(stage) {
      const { flow, browser } = await start(stage, 'alice');
      stage.agentcore.faults.inject('html_503');
      return { flow, page: await allow(browser, flow) };
    },
  },
  {
    title: 'AgentCore was down, and alice tries again',
    verdict: [200, 'completed'],
    vault: 'alice',
    calls: 4,
    async play(stage) {
      const { flow, browser } = await start(stage, 'alice');
      stage.agentcore.faults.inject('throttled', 3);
      const outage = await allow(browser, flow);
      return { flow, page: await browser.open(outage.url) };
    },
  },
  {
    title: 'AgentCore binds, and its answer is lost',
    verdict: [503, 'outcome_unknown'],
    vault: 'alice',
    calls: 2,
    async play(stage) {
      const { flow, browser } = await start(stage, 'alice');
      stage.agentcore.faults.inject('reset_after_binding', 1);
      return { flow, page: await allow(browser, flow) };
    },
  },
  {
    title: 'alice comes back after eleven minutes',
    verdict: [410, 'authorization_expired'],
    vault: undefined,
    calls: 1,
    async play(stage) {
      const { flow, browser } = await start(stage, 'alice');
      const address = await allowWithoutReturning(browser, flow);
      stage.agentcore.advance(11 * 60_000);
      return { flow, page: await browser.open(address) };
    },
  },
];

/** The vault of the stand-in speaks in subjects: the demo's are made from the names. */
export function subjectOf(username: string): string {
  return `sub-of-${username}`;
}

function tokenOf({ issuer, clientId }: Stage, username: string): Promise<string> {
  return issuer.accessToken({ subject: subjectOf(username), username, clientId });
}

/** The app's page posts the user's token from his browser. */
async function signIn(stage: Stage, username: string) {
  const userToken = await tokenOf(stage, username);
  const browser = new Browser();
  const { custom_state: customState } = await postToken(stage, browser, { user_token: userToken });
  return { userToken, browser, customState: String(customState) };
}

/** The user invokes the agent; the app pins the flow before it shows the link. */
async function start(stage: Stage, username: string) {
  const { userToken, browser } = await signIn(stage, username);
  const flow = await stage.agent.open(userToken);
  await postToken(stage, browser, { user_token: userToken, authorization_url: flow.authorizationUrl });
  return { flow, browser };
}

async function postToken({ url }: Stage, browser: Browser, body: unknown): Promise<Record<string, unknown>> {
  const page = await browser.postJson(`${url}/userIdentifier/token`, url, body);
  if (page.status !== 200) throw new Error(`posting the user token answered ${page.status}`);
  const answer: unknown = JSON.parse(page.body);
  return isJsonObject(answer) ? answer : {};
}

async function allow(browser: Browser, flow: OpenedFlow): Promise<Page> {
  const consent = await browser.open(flow.authorizationUrl);
  return browser.submit(consent.url, { decision: 'allow' });
}

/** Consent is given, and the browser stops at the redirect to the callback. */
async function allowWithoutReturning(browser: Browser, flow: OpenedFlow): Promise<string> {
  const { headers, status } = await browser.send(flow.authorizationUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'decision=allow',
  });
  if (typeof headers.location !== 'string') throw new Error(`the consent answered ${status}`);
  return headers.location;
}
