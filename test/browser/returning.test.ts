import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { startWorld, type World } from '../support/world.ts';
import { describeWithChromium } from './chromium.ts';

/** The app's site: a page that opens a popup and writes down what it is told, and from where. */
const PAGE = `<!doctype html><title>app</title><p id="told"></p><script>
addEventListener('message', ({ data, origin }) => { told.textContent = JSON.stringify({ data, origin }); });
</script>`;
const app = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(PAGE));
const listening = new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
afterAll(() => app.close());

/** A person in a single-user world, whose app has announced a flow; gives its start link. */
async function announced(world: World, more: object = {}): Promise<string> {
  const token = await world.tokenOf('alice');
  const { authorizationUrl } = await world.agent.open(token);
  const answer = await new Browser().send(`${world.url}/userIdentifier/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user_token: token, authorization_url: authorizationUrl, ...more }),
  });
  expect(answer.status, answer.body).toBe(200);
  return (JSON.parse(answer.body) as { start_url: string }).start_url;
}

/** From the start link to the end: the one click, then consent. */
async function walk(tab: Page): Promise<void> {
  await tab.getByRole('button', { name: 'Continue as alice' }).click();
  await tab.getByRole('button', { name: /allow/i }).click();
}

describeWithChromium('a start link in a real browser', (browser) => {
  async function open(returnOriginOf: (origin: string) => string) {
    await listening;
    const origin = `http://app.localhost:${(app.address() as AddressInfo).port}`;
    const world = await startWorld({ config: { singleUser: true, returnOrigins: [returnOriginOf(origin)] } });
    const tab = await (await browser().newContext()).newPage();
    await tab.goto(origin);
    return { world, origin, tab };
  }

  async function popupOf(tab: Page, url: string): Promise<Page> {
    const popup = tab.waitForEvent('popup');
    await tab.evaluate(`void window.open(${JSON.stringify(url)}, 'consent')`);
    return popup;
  }

  it('leads through click and consent back to the app, past every form-action [SB-18]', async () => {
    const { world, origin, tab } = await open((own) => own);
    await tab.goto(await announced(world, { return_to: `${origin}/chat?id=7#end` }));
    await walk(tab);
    await tab.waitForURL(`${origin}/chat?id=7&binding=completed#end`);
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('in a popup tells the page that opened it, and closes', async () => {
    const { world, tab } = await open((own) => own);
    const popup = await popupOf(tab, await announced(world));
    const closed = popup.waitForEvent('close');
    await walk(popup);
    await closed;
    await tab.waitForFunction("document.querySelector('#told').textContent !== ''");
    expect(JSON.parse((await tab.locator('#told').textContent()) ?? '')).toEqual({
      data: { source: 'agentcore-session-binding', binding: 'completed' },
      origin: world.url,
    });
  });

  it('in a popup of a page elsewhere tells it nothing [SB-18]', async () => {
    const { world, tab } = await open(() => 'https://app.example.com');
    const popup = await popupOf(tab, await announced(world));
    const closed = popup.waitForEvent('close');
    await walk(popup);
    await closed;
    expect(await tab.locator('#told').textContent()).toBe('');
    expect(world.agentcore.completeCalls).toBe(1);
  });
});
