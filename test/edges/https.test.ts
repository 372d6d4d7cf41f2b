import { describe, expect, it, onTestFinished } from 'vitest';
import { Agent } from '../../src/demo/agent.ts';
import { Browser } from '../../src/demo/browser.ts';
import type { Config } from '../../src/env/config.ts';
import { startWorld, type World } from '../support/world.ts';
import { sendTls, startTlsProxy, type TlsProxy, type TlsProxyOptions } from './tls-proxy.ts';

interface Site {
  readonly proxy: TlsProxy;
  readonly world: World;
  readonly publicUrl: string;
}

/** The service behind a proxy that ends TLS, reached at `publicUrl`. */
async function startSite(options: TlsProxyOptions = {}, config: Partial<Config> = {}): Promise<Site> {
  const proxy = await startTlsProxy(options);
  onTestFinished(() => proxy.close());
  const publicUrl = `${proxy.origin}${options.prefix ?? ''}`;
  const world = await startWorld({ config: { publicUrl, allowedOrigins: [proxy.origin], ...config } });
  world.agentcore.returnUrls.add(`${publicUrl}/oauth2/callback`);
  proxy.upstream = world.url;
  return { proxy, world, publicUrl };
}

/** Takes a cookie as browsers do (RFC 6265bis section 5.7): the prefix binds it to https, the host and the root. */
function takeCookie(lines: readonly string[]): string {
  const [pair = '', ...attributes] = (lines[0] ?? '').split(';').map((part) => part.trim());
  expect(lines).toHaveLength(1);
  expect(pair).toMatch(/^__Host-session-binding/);
  expect(attributes).toEqual(expect.arrayContaining(['Secure', 'Path=/', 'HttpOnly', 'SameSite=Lax']));
  expect(attributes.some((attribute) => /^domain=/i.test(attribute))).toBe(false);
  return pair;
}

async function signIn(site: Site, username: string, userToken: string, sessionUri: string): Promise<string> {
  const answer = await sendTls(site.proxy, `${site.publicUrl}/userIdentifier/token`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      origin: site.proxy.origin,
      'sec-fetch-site': 'same-origin',
    },
    body: JSON.stringify({ user_token: userToken, session_uri: sessionUri }),
  });
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body)).toMatchObject({
    user: { username },
    callback_url: `${site.publicUrl}/oauth2/callback`,
  });
  return takeCookie([answer.headers['set-cookie'] ?? []].flat());
}

/** Sign-in, consent and callback, all as the browser sees them; gives the callback's page. */
async function bindThrough(site: Site, headers: Readonly<Record<string, string>> = {}) {
  const { world, proxy, publicUrl } = site;
  const agent = new Agent({ endpoint: world.agentcore.endpoint, returnUrl: `${publicUrl}/oauth2/callback` });
  onTestFinished(() => agent.close());
  const userToken = await world.tokenOf('alice');
  const flow = await agent.open(userToken);
  const cookie = await signIn(site, 'alice', userToken, flow.sessionUri);

  const atProvider = new Browser();
  const consent = await atProvider.open(flow.authorizationUrl);
  const { headers: allowed } = await atProvider.send(consent.url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'decision=allow',
  });
  const location = String(allowed['location']);
  expect(location.startsWith(`${publicUrl}/oauth2/callback?`)).toBe(true);
  return sendTls(proxy, location, {
    headers: {
      accept: 'text/html',
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      cookie,
      ...headers,
    },
  });
}

describe('behind a proxy that ends TLS', () => {
  it.each([
    ['at the root', {}],
    ['at the root, with the upstream as Host', { hostOf: 'upstream' }],
    ['below a prefix that it leaves', { prefix: '/auth' }],
    ['below a prefix that it strips', { prefix: '/auth', stripsPrefix: true }],
    [
      'below a long prefix that it strips',
      { prefix: '/a/b/proxy/9090', stripsPrefix: true, hostOf: 'upstream' },
    ],
  ] as const)('a consent is bound with a __Host- cookie: %s [SB-33]', async (_, options) => {
    const site = await startSite(options);
    const page = await bindThrough(site);
    expect(page.status).toBe(200);
    expect(page.body).toContain('You are connected');
    expect(site.world.agentcore.completeCalls).toBe(1);
  });

  it.each([
    ['nobody', []],
    ['a proxy elsewhere', ['10.0.0.0/8']],
  ])('forwarded headers are noise while %s is trusted [SB-20]', async (_, trustedProxies) => {
    const spoofed = {
      'x-forwarded-host': 'attacker.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '10.0.0.1',
      forwarded: 'host=attacker.example;proto=http',
    };
    const site = await startSite({ headers: spoofed }, { trustedProxies });
    const page = await bindThrough(site);
    expect(page.status).toBe(200);
    expect(page.body).not.toContain('attacker');
    expect(site.world.agentcore.completeCalls).toBe(1);
  });

  it('a trusted proxy that was asked for somebody else is refused [SB-19]', async () => {
    const site = await startSite({}, { trustedProxies: ['127.0.0.1'] });
    const asked = await bindThrough(site, { 'x-forwarded-host': 'attacker.example' });
    expect(asked.status).toBe(421);
    expect(site.world.agentcore.completeCalls).toBe(0);
    const rebound = await sendTls(site.proxy, 'https://attacker.example/oauth2/callback');
    expect(rebound.status).toBe(421);
  });

  it('each client has refusals of his own, whatever he says of himself [SB-20, SB-35]', async () => {
    const site = await startSite({}, { trustedProxies: ['127.0.0.1/32'], rateLimitPerMinute: 2 });
    // The proxy sees all of them on loopback, which it is trusted on: so the hop before it is the client here.
    const visit = (client: string) =>
      sendTls(site.proxy, `${site.publicUrl}/oauth2/callback`, { headers: { 'x-forwarded-for': client } });
    const statuses = [];
    for (const client of ['198.51.100.1', '203.0.113.5, 198.51.100.1', '198.51.100.1', '198.51.100.2']) {
      statuses.push((await visit(client)).status);
    }
    expect(statuses).toEqual([400, 400, 429, 400]);
  });

  it('a cookie without its prefix, or of plain http, is no browser session [SB-33]', async () => {
    const site = await startSite();
    const token = await site.world.tokenOf('alice');
    const cookie = await signIn(site, 'alice', token, 'urn:ietf:params:oauth:request_uri:plain');
    const visit = (sent: string) =>
      sendTls(
        site.proxy,
        `${site.publicUrl}/oauth2/callback?session_id=urn:ietf:params:oauth:request_uri:plain`,
        {
          headers: { cookie: sent },
        },
      );
    expect((await visit(cookie.replace('__Host-', ''))).status).toBe(401);
    expect((await visit(cookie.replace('__Host-', '__Secure-'))).status).toBe(401);
    expect((await visit(`${cookie}; ${cookie.slice(0, -1)}`)).status).toBe(401);
    expect(site.world.agentcore.completeCalls).toBe(0);
  });
});
