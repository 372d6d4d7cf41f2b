import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { callbackOf } from '../support/consent.ts';
import { callsFor } from '../support/flows.ts';
import { describeWithChromium } from './chromium.ts';
import {
  allowAtGithub,
  expectTitle,
  ourCookies,
  postFrom,
  postFromApp,
  shareLocalhostSites,
} from './localhost-sites.ts';

const shared = shareLocalhostSites();

let users = 0;
const newUser = (name: string) => `${name}-${(users += 1)}`;

describeWithChromium('the whole journey, in a real browser across sites', (browser) => {
  async function newContext(options: Parameters<ReturnType<typeof browser>['newContext']>[0] = {}) {
    const context = await browser().newContext(options);
    onTestFinished(() => context.close());
    return context;
  }
  const newTab = async (options?: Parameters<typeof newContext>[0]) => (await newContext(options)).newPage();

  it('leads alice from her app to GitHub and back, connected, by a Lax cookie that no script reads [SB-01]', async () => {
    const world = shared();
    const tab = await newTab();
    const flow = await postFromApp(world, tab, await world.tokenOf(newUser('alice')), {
      return_to: `${world.appUrl}/chat?with=sales`,
    });
    const [cookie] = await ourCookies(tab.context(), world);
    expect(cookie).toMatchObject({ sameSite: 'Lax', httpOnly: true, path: '/' });
    await tab.goto(flow.startUrl);
    expect(new URL(tab.url()).hostname).toBe('github.localhost');
    await allowAtGithub(tab);
    await tab.waitForURL(`${world.appUrl}/chat?with=sales&binding=completed`);
    expect(await world.agent.accessToken(flow)).toBeDefined();
    expect(callsFor(world, flow.sessionUri)).toBe(1);
  });

  it('leads back to the app also when alice denies', async () => {
    const world = shared();
    const tab = await newTab();
    const user = newUser('alice');
    const flow = await postFromApp(world, tab, await world.tokenOf(user), {
      return_to: `${world.appUrl}/`,
      label: 'GitHub for the sales agent',
    });
    await tab.goto(flow.startUrl);
    await tab.getByRole('button', { name: '(alice)' }).click();
    await tab.getByRole('button', { name: 'Deny' }).click();
    await expectTitle(tab, 'You said no');
    await tab.getByText('GitHub for the sales agent').waitFor();
    await tab.getByRole('link', { name: 'Back to the app' }).click();
    await tab.waitForURL(`${world.appUrl}/?binding=consent_denied`);
    expect(callsFor(world, flow.sessionUri)).toBe(0);
  });

  it('gives a page elsewhere no answer, and this browser no cookie [SB-03]', async () => {
    const world = shared();
    const tab = await newTab();
    await tab.goto(world.elsewhereUrl);
    const body = { user_token: await world.tokenOf(newUser('mallory')) };
    expect(await postFrom(tab, world.url, body)).toBe('TypeError');
    expect(await ourCookies(tab.context(), world)).toEqual([]);
  });

  it('spends nothing when a page elsewhere frames or loads the callback [SB-06]', async () => {
    const world = shared();
    const tab = await newTab();
    const flow = await postFromApp(world, tab, await world.tokenOf(newUser('alice')));
    const callback = callbackOf(world.url, flow.sessionUri);
    for (const place of [world.elsewhereUrl, world.appUrl]) {
      await tab.goto(place);
      for (const tag of ['iframe', 'img', 'script']) {
        const element = `Object.assign(document.createElement('${tag}'), { src: '${callback}' })`;
        await tab.evaluate(`document.body.append(${element})`);
      }
    }
    const refused = () => world.log().filter(({ code }) => code === 'not_a_navigation').length;
    await expect.poll(refused).toBe(6);
    expect(callsFor(world, flow.sessionUri)).toBe(0);
    await tab.goto(flow.startUrl);
    await allowAtGithub(tab);
    await expectTitle(tab, 'You are connected');
  });

  it('finishes the flows of two tabs, each for itself [SB-09]', async () => {
    const world = shared();
    const user = newUser('alice');
    const context = await newContext();
    const tabs = [await context.newPage(), await context.newPage()] as const;
    const userToken = await world.tokenOf(user);
    const flows = [
      await postFromApp(world, tabs[0], userToken, { label: 'first' }),
      await postFromApp(world, tabs[1], await world.tokenOf(user, 1800), { label: 'second' }),
    ] as const;
    await tabs[0].goto(flows[0].startUrl);
    await tabs[1].goto(flows[1].startUrl);
    await allowAtGithub(tabs[1]);
    await expectTitle(tabs[1], 'You are connected');
    await tabs[1].getByText('second').waitFor();
    await allowAtGithub(tabs[0]);
    await expectTitle(tabs[0], 'You are connected');
    await tabs[0].getByText('first').waitFor();
    for (const flow of flows) expect(await world.agent.accessToken(flow)).toBeDefined();
  });

  it('connects nothing of bob’s for alice, by her start link or by the raw one, and hers still works [SB-01] [SB-32]', async () => {
    const world = shared();
    const alices = await newTab();
    const bobs = await newTab();
    const flow = await postFromApp(world, alices, await world.tokenOf(newUser('alice')));
    await postFromApp(world, bobs, await world.tokenOf(newUser('bob')));

    await bobs.goto(flow.startUrl);
    await expectTitle(bobs, 'This connection belongs to somebody else');
    await bobs.goto(flow.authorizationUrl);
    await allowAtGithub(bobs, 'bob');
    await expectTitle(bobs, 'This connection belongs to somebody else');
    expect(callsFor(world, flow.sessionUri)).toBe(0);
    expect(world.agentcore.vaultOwnerOf(flow.sessionUri)).toBeUndefined();

    await alices.goto(flow.startUrl);
    await allowAtGithub(alices);
    await expectTitle(alices, 'You are connected');
  });

  it('shows the first result on reload, and to somebody who goes back and forward [SB-08]', async () => {
    const world = shared();
    const tab = await newTab();
    const flow = await postFromApp(world, tab, await world.tokenOf(newUser('alice')));
    await tab.goto(flow.startUrl);
    await allowAtGithub(tab);
    await expectTitle(tab, 'You are connected');
    await tab.reload();
    await expectTitle(tab, 'You are already connected');
    await tab.goBack();
    await tab.goForward();
    await expectTitle(tab, 'You are already connected');
    expect(callsFor(world, flow.sessionUri)).toBe(1);
  });

  it('works without script, signing out included', async () => {
    const world = shared();
    const app = await newTab();
    const flow = await postFromApp(world, app, await world.tokenOf(newUser('alice')), {
      return_to: `${world.appUrl}/`,
    });
    const storageState = await app.context().storageState();
    const tab = await newTab({ javaScriptEnabled: false, storageState });
    await tab.goto(flow.startUrl);
    await allowAtGithub(tab);
    await tab.waitForURL(`${world.appUrl}/?binding=completed`);
    await tab.goto(flow.startUrl);
    await expectTitle(tab, 'You are already connected');
    await tab.goto(`${world.url}/sign-in`);
    await tab.getByRole('button', { name: 'Sign out of all my browsers' }).click();
    await expectTitle(tab, 'You are signed out');
    await tab.goto(flow.startUrl);
    await expectTitle(tab, 'We do not know this browser');
    // Nothing is offered that would not work.
    expect(await tab.getByRole('button').count()).toBe(0);
    await tab.locator('.reference code').waitFor();
  });

  it('speaks Japanese in the dark on a small phone, from the first page to the last', async () => {
    const world = shared();
    const tab = await newTab({
      viewport: { width: 320, height: 568 },
      locale: 'ja-JP',
      colorScheme: 'dark',
      isMobile: true,
      hasTouch: true,
    });
    const flow = await postFromApp(world, tab, await world.tokenOf(newUser('alice')));
    await tab.goto(flow.startUrl);
    await allowAtGithub(tab);
    await expectTitle(tab, '接続しました');
    expect(await tab.locator('html').getAttribute('lang')).toBe('ja');
    expect(await overflow(tab)).toBe(0);
    await tab.getByText('サインアウト', { exact: true }).click();
    await tab.getByRole('button', { name: 'すべてのブラウザーからサインアウト' }).click();
    await expectTitle(tab, 'サインアウトしました');
    expect(await overflow(tab)).toBe(0);
  });
});

/** By how much the page is wider than the window. */
function overflow(tab: Page): Promise<number> {
  return tab.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
