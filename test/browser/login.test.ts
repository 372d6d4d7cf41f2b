import type { BrowserContext, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { answerOf, beginLogin, type LoginWorld, newUser, shareLoginWorld } from '../login/login-world.ts';
import { describeWithChromium } from './chromium.ts';

/** Names that Chromium resolves by itself, and holds to be two sites. */
const shared = shareLoginWorld({ host: 'app.localhost', providerHost: 'idp.localhost', client: 'basic' });

const addressOf = (world: LoginWorld) => world.url.replace('app.localhost', '127.0.0.1');

/** An agent has been invoked, and wants its user's consent; the app has pinned the flow from its server. */
async function openedFlow(world: LoginWorld, login: string) {
  const userToken = await world.provider.accessToken(login);
  const flow = await world.agent.open(userToken);
  const posted = await new Browser().postJson(`${addressOf(world)}/userIdentifier/token`, world.url, {
    user_token: userToken,
    session_uri: flow.sessionUri,
  });
  expect(posted.status).toBe(200);
  return flow;
}

/** The person opens the agent's link and gives consent. */
async function giveConsent(tab: Page, authorizationUrl: string): Promise<void> {
  await tab.goto(authorizationUrl);
  await tab.getByRole('button', { name: /allow/i }).click();
}

async function signIn(tab: Page, login: string): Promise<void> {
  await tab.getByPlaceholder('Enter any login').fill(login);
  await tab.getByPlaceholder('and password').fill('any');
  await tab.getByRole('button', { name: 'Sign-in' }).click();
  await tab.getByRole('button', { name: 'Continue' }).click();
}

const title = (tab: Page) => tab.getByRole('heading', { level: 1 });

async function expectTitle(tab: Page, words: string): Promise<void> {
  await title(tab).filter({ hasText: words }).waitFor({ timeout: 20_000 });
}

const ourCookies = async (context: BrowserContext, world: LoginWorld) =>
  (await context.cookies(world.url)).map(({ name }) => name);

describeWithChromium('in a real browser, across sites', (browser) => {
  it('a stranger consents, is sent to the issuer, signs in there, and is connected [SB-31]', async () => {
    const world = shared();
    const alice = newUser('alice');
    const flow = await openedFlow(world, alice);
    const context = await browser().newContext();
    const tab = await context.newPage();

    await giveConsent(tab, flow.authorizationUrl);
    expect(new URL(tab.url()).origin).toBe(world.provider.issuer);
    await signIn(tab, alice);
    await expectTitle(tab, 'You are connected');

    expect(new URL(tab.url()).origin).toBe(world.url);
    expect(await world.agent.accessToken(flow)).toBeDefined();
    expect(await ourCookies(context, world)).not.toContainEqual(expect.stringContaining('-login-'));

    // Signing out leads on to the issuer, which asks and signs out, too.
    await tab.goto(`${world.url}/sign-in`);
    await tab.getByRole('button', { name: 'Sign out of all my browsers' }).click();
    await tab.waitForURL((url) => url.origin === world.provider.issuer);
    await tab.getByRole('button', { name: /yes, sign me out/i }).click();
    await tab.waitForLoadState();
    await tab.goto(`${world.url}/login`);
    await tab.getByPlaceholder('Enter any login').waitFor();
    await context.close();
  });

  it('two tabs sign in one after the other, and each finishes its own flow [SB-31]', async () => {
    const world = shared();
    const alice = newUser('alice');
    const flows = [await openedFlow(world, alice), await openedFlow(world, alice)] as const;
    const context = await browser().newContext();
    const tabs = [await context.newPage(), await context.newPage()] as const;

    await giveConsent(tabs[0], flows[0].authorizationUrl);
    await giveConsent(tabs[1], flows[1].authorizationUrl);
    // The second one first, while the first still waits on the issuer's page.
    await signIn(tabs[1], alice);
    await expectTitle(tabs[1], 'You are connected');
    await tabs[0].getByPlaceholder('Enter any login').fill(alice);
    await tabs[0].getByPlaceholder('and password').fill('any');
    await tabs[0].getByRole('button', { name: 'Sign-in' }).click();
    await expectTitle(tabs[0], 'You are connected');

    for (const flow of flows) expect(await world.agent.accessToken(flow)).toBeDefined();
    await context.close();
  });

  it('somebody who declines at the issuer gets a way on, and gets there [SB-31]', async () => {
    const world = shared();
    const alice = newUser('alice');
    const flow = await openedFlow(world, alice);
    const context = await browser().newContext();
    const tab = await context.newPage();
    await giveConsent(tab, flow.authorizationUrl);
    await tab.getByText('[ Cancel ]').click();
    await expectTitle(tab, 'We do not know this browser');
    await tab.getByRole('link', { name: 'Sign in again' }).click();
    await signIn(tab, alice);
    await expectTitle(tab, 'You are connected');
    await context.close();
  });

  it('an attacker’s answer makes this browser nobody [SB-31]', async () => {
    const world = shared();
    // Scripted, and so by address: the names are known to Chromium alone.
    const byAddress = { ...world, url: addressOf(world) };
    const asked = await beginLogin(byAddress, new Browser());
    const answer = await answerOf(world, asked.replace('idp.localhost', '127.0.0.1'), newUser('mallory'));

    const victim = await browser().newContext();
    const tab = await victim.newPage();
    await tab.goto(answer);
    await expectTitle(tab, 'This link does not work here');
    expect(await ourCookies(victim, world)).toEqual([]);
    await victim.close();
  });
});
