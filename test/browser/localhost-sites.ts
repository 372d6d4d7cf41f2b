import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import type { OpenedFlow } from '../../src/demo/agent.ts';
import { startGithub } from '../../src/emulator/github.ts';
import { listenOnLoopback } from '../../src/emulator/loopback-server.ts';
import { freePort } from '../support/free-port.ts';
import { startWorld, type World } from '../support/world.ts';

/**
 * A world on names that Chromium resolves by itself. `localhost` is a top-level domain to it: the app is same-site with
 * the service, and GitHub, AgentCore (an address) and whoever is at `elsewhere` are each cross-site to everybody.
 */
export interface LocalhostSites extends World {
  /** An app's own page; empty, for tests to run their script in. */
  readonly appUrl: string;
  /** A page that is nobody's friend. */
  readonly elsewhereUrl: string;
}

export function shareLocalhostSites(): () => LocalhostSites {
  let shared: LocalhostSites | undefined;
  beforeAll(async () => {
    const appPort = await freePort();
    const appUrl = `http://app.acme.localhost:${appPort}`;
    const pages = await listenOnLoopback(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<!doctype html><html lang="en"><title>A page</title><h1>A page</h1></html>');
    }, appPort);
    let endWorld = async () => {};
    const world = await startWorld(
      {
        host: 'binding.acme.localhost',
        config: { allowedOrigins: [appUrl], returnOrigins: [appUrl] },
      },
      (end) => (endWorld = end),
    );
    const github = await startGithub({ browserName: 'github.localhost' });
    const app = { clientId: 'sales-agent', clientSecret: 'secret-of-the-sales-agent' };
    const provider = world.agentcore.providers.put('github', {
      ...app,
      vendor: 'GithubOauth2',
      discovery: { authorizationServerMetadata: github.metadata },
    });
    github.addApp({ ...app, redirectUris: [world.agentcore.callbackUrlOf(provider)] });
    shared = { ...world, appUrl, elsewhereUrl: `http://elsewhere.localhost:${appPort}` };
    return async () => {
      await endWorld();
      await Promise.all([github.close(), pages.close()]);
    };
  });
  return () => {
    if (shared === undefined) throw new Error('the world is there while tests run');
    return shared;
  };
}

export interface StartedFlow extends OpenedFlow {
  readonly startUrl: string;
}

/** The app's page posts the user's token from this tab, with the browser's cookies, and pins a flow that has begun. */
export async function postFromApp(
  sites: LocalhostSites,
  tab: Page,
  userToken: string,
  more: Readonly<Record<string, string>> = {},
): Promise<StartedFlow> {
  await tab.goto(sites.appUrl);
  const flow = await sites.agent.open(userToken);
  const { authorizationUrl } = flow;
  const body = { user_token: userToken, authorization_url: authorizationUrl, ...more };
  const answer = await postFrom(tab, sites.url, body);
  if (typeof answer !== 'object') throw new Error(`the app's POST was refused: ${answer}`);
  return { ...flow, startUrl: String(answer['start_url']) };
}

/** A credentialed `fetch` by the page of this tab: its answer, or the name of the error that the page gets. */
export function postFrom(
  tab: Page,
  serviceUrl: string,
  body: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, unknown>> | string> {
  // As text: what runs there is the browser's business, and no code of this process.
  const options = JSON.stringify({
    method: 'POST',
    credentials: 'include',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return tab.evaluate(
    `fetch('${serviceUrl}/userIdentifier/token', ${options}).then((answer) => answer.json(), (error) => error.name)`,
  );
}

/** On GitHub's pages: who it is, if it asks, and that he allows it. */
export async function allowAtGithub(tab: Page, account = 'alice'): Promise<void> {
  const allow = tab.getByRole('button', { name: 'Allow' });
  const asked = tab.getByRole('button', { name: `(${account})` });
  await allow.or(asked).waitFor();
  if (await asked.isVisible()) await asked.click();
  await allow.click();
}

export async function expectTitle(tab: Page, words: string): Promise<void> {
  // While the tab is on its way elsewhere there is no heading to ask.
  const title = () =>
    tab
      .locator('h1')
      .textContent({ timeout: 1_000 })
      .catch(() => undefined);
  await expect.poll(title, { timeout: 20_000 }).toBe(words);
}

/** Ours, whatever the path. */
export async function ourCookies(context: BrowserContext, { url }: World) {
  return (await context.cookies(url)).filter(({ name }) => name === 'session-binding');
}
