import { describe, expect, it, onTestFinished } from 'vitest';
import type { OpenedFlow } from '../../src/demo/agent.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import type { Config } from '../../src/env/config.ts';
import { passLogin, startLoginWorld, waitingFlow } from '../login/login-world.ts';
import { consent } from '../support/consent.ts';
import { type LoadBalancer, startLoadBalancer } from '../support/load-balancer.ts';
import { startWorld, type World } from '../support/world.ts';

/** The user opens the link of his agent, consents, and comes back in this browser. */
async function consentIn(browser: Browser, flow: OpenedFlow): Promise<Page> {
  const page = await browser.open(flow.authorizationUrl);
  return browser.submit(page.url, { decision: 'allow' });
}

async function expectConnected(world: World, flow: OpenedFlow, page: Page, owner: object): Promise<void> {
  expect(page.body).toContain('You are connected');
  expect(page.status).toBe(200);
  expect(world.agentcore.completeCalls).toBe(1);
  expect(world.agentcore.vaultOwnerOf(flow.sessionUri)).toEqual(owner);
  expect(await world.agent.accessToken(flow)).toBeTypeOf('string');
}

/** A browser that reaches the service through the load balancer, where this user has signed in. */
function visitThrough(
  loadBalancer: LoadBalancer,
  world: World,
  username: string,
  url: string,
  browser = new Browser(),
): Promise<Page> {
  const identity = loadBalancer.identityOf(world.issuer.issuer, { sub: `sub-of-${username}`, username });
  return browser.send(url, { headers: { accept: 'text/html', 'x-amzn-oidc-data': identity } });
}

async function startBehindLoadBalancer(config: Partial<Config> = {}) {
  const loadBalancer = await startLoadBalancer();
  onTestFinished(() => loadBalancer.close());
  const world = await startWorld({ config: { ...config, ...loadBalancer.config } });
  return { loadBalancer, world };
}

const ofAlice = (world: World) => ({ kind: 'jwt', issuer: world.issuer.issuer, subject: 'sub-of-alice' });

describe('from the call of the agent to its resource token, where the user is known', () => {
  it('by the user token that his single-page app posts', async () => {
    const world = await startWorld();
    const token = await world.tokenOf('alice');
    const flow = await world.agent.open(token);
    const browser = await world.signedIn(token, { authorization_url: flow.authorizationUrl });
    await expectConnected(world, flow, await consentIn(browser, flow), ofAlice(world));
  });

  it('by his sign-in at the callback, while a back end posts his user token', async () => {
    const world = await startLoginWorld();
    const { callback, ...flow } = await waitingFlow(world, 'alice');
    const browser = new Browser();
    const page = await passLogin(browser, await browser.open(callback), 'alice');
    const { issuer } = world.provider;
    await expectConnected(world, flow, page, { kind: 'jwt', issuer, subject: expect.any(String) });
  });

  it('by his sign-in at the callback alone, while his agent passes his user id', async () => {
    const world = await startLoginWorld({ config: { userIdentifier: 'id' } });
    const claims = (await world.provider.accessToken('alice')).split('.')[1] ?? '';
    const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string };
    const flow = await world.agent.openForUserId(sub);
    const browser = new Browser();
    const page = await passLogin(browser, await browser.open(await consent(flow)), 'alice');
    await expectConnected(world, flow, page, { kind: 'user_id', userId: sub });
  });

  it('by his load balancer, while a back end posts his user token', async () => {
    const { loadBalancer, world } = await startBehindLoadBalancer();
    const token = await world.tokenOf('alice');
    const flow = await world.agent.open(token);
    const posted = await new Browser().send(`${world.url}/userIdentifier/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user_token: token, authorization_url: flow.authorizationUrl }),
    });
    expect(posted.status).toBe(200);
    const page = await visitThrough(loadBalancer, world, 'alice', await consent(flow));
    await expectConnected(world, flow, page, ofAlice(world));
  });

  it('by his load balancer, from a start link on: the browser that started is the one that ends [SB-32]', async () => {
    const { loadBalancer, world } = await startBehindLoadBalancer();
    const token = await world.tokenOf('alice');
    const flow = await world.agent.open(token);
    const posted = await new Browser().send(`${world.url}/userIdentifier/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user_token: token, authorization_url: flow.authorizationUrl }),
    });
    const { start_url: startUrl } = JSON.parse(posted.body) as { start_url: string };
    const mallory = await visitThrough(loadBalancer, world, 'mallory', startUrl);
    expect([mallory.status, mallory.headers.location]).toEqual([403, undefined]);
    expect((await new Browser().open(startUrl)).status).toBe(401);

    const browser = new Browser();
    const started = await visitThrough(loadBalancer, world, 'alice', startUrl, browser);
    expect([started.status, started.headers.location]).toEqual([303, flow.authorizationUrl]);
    const callback = await consent(flow);
    expect((await visitThrough(loadBalancer, world, 'alice', callback)).status).toBe(403);
    const page = await visitThrough(loadBalancer, world, 'alice', callback, browser);
    await expectConnected(world, flow, page, ofAlice(world));
  });

  it('by his load balancer alone, while his agent runs on IAM and passes his user id', async () => {
    const { loadBalancer, world } = await startBehindLoadBalancer({ userIdentifier: 'id' });
    const flow = await world.agent.openForUserId('sub-of-alice');
    const page = await visitThrough(loadBalancer, world, 'alice', await consent(flow));
    await expectConnected(world, flow, page, { kind: 'user_id', userId: 'sub-of-alice' });
  });

  it('by the user token that his app posts, while his agent passes his user id', async () => {
    const world = await startWorld({ config: { userIdentifier: 'id' } });
    const flow = await world.agent.openForUserId('sub-of-alice');
    const browser = await world.signedIn(await world.tokenOf('alice'), { session_uri: flow.sessionUri });
    const page = await consentIn(browser, flow);
    await expectConnected(world, flow, page, { kind: 'user_id', userId: 'sub-of-alice' });
  });
});

describe('the same, where somebody else opens the callback', () => {
  it('nothing of his is bound to her flow: neither his user token nor his id [SB-01]', async () => {
    for (const userIdentifier of ['token', 'id'] as const) {
      const { loadBalancer, world } = await startBehindLoadBalancer({ userIdentifier });
      const flow =
        userIdentifier === 'id'
          ? await world.agent.openForUserId('sub-of-mallory')
          : await world.agent.open(await world.tokenOf('mallory'));
      await world.signedIn(await world.tokenOf('alice'));
      const page = await visitThrough(loadBalancer, world, 'alice', await consent(flow));
      expect(page.status).toBe(410);
      expect(world.agentcore.bindings).toEqual([]);
    }
  });
});
