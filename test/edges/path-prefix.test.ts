import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { startWorld, type World } from '../support/world.ts';
import { cookieHeader, sendRaw } from './raw-socket.ts';

const PUBLIC_URL = 'https://localhost/auth';
const URN = 'urn:ietf:params:oauth:request_uri:prefix';

function startBelowPrefix(publicUrl = PUBLIC_URL): Promise<World> {
  return startWorld({ config: { publicUrl } });
}

async function post(world: World, browser: Browser, path: string) {
  const userToken = await world.tokenOf('alice');
  return browser.postJson(`${world.url}${path}`, world.url, { user_token: userToken });
}

/** What a browser asks, and the proxy passes on: some strip the prefix, some do not. */
const FORMS = ['/auth', ''];

const NOT_OURS = [
  '/authx/oauth2/callback',
  '/AUTH/oauth2/callback',
  '/auth%2Foauth2/callback',
  '/auth%2foauth2%2fcallback',
  '/%61uth/oauth2/callback',
  '//auth/oauth2/callback',
  '/auth//oauth2/callback',
  '/auth/../oauth2/callback',
  '/auth/./oauth2/callback',
  '/auth/..%2foauth2/callback',
  '/other/../auth/oauth2/callback',
  '/auth;x/oauth2/callback',
  '/auth\\oauth2/callback',
  '/auth/auth/auth/oauth2/callback',
  '/auth',
  '/auth/',
  '/oauth2/callback/',
  '/oauth2/callbackx',
  '/x/auth/oauth2/callback',
];

describe('below a path prefix', () => {
  it.each(FORMS.flatMap((signIn) => FORMS.map((callback) => [signIn, callback] as const)))(
    'a browser signs in at %j and binds at %j, whichever the proxy strips [SB-19]',
    async (signIn, callback) => {
      const world = await startBelowPrefix();
      const browser = new Browser();
      const signedIn = await post(world, browser, `${signIn}/userIdentifier/token`);
      expect(signedIn.status).toBe(200);
      expect(JSON.parse(signedIn.body)).toMatchObject({ callback_url: `${PUBLIC_URL}/oauth2/callback` });
      const [cookie = ''] = [signedIn.headers['set-cookie'] ?? []].flat();
      expect(cookie).toMatch(/^__Host-session-binding-[0-9a-f]{8}=/);
      expect(cookie).toMatch(/; Path=\/;.*; Secure/);

      const flow = await world.agent.open(await world.tokenOf('alice'));
      await browser.open(`${world.url}${callback}/oauth2/callback?session_id=${flow.sessionUri}`);

      // The stand-in refuses, for want of a consent: what counts is that this browser got as far as AWS.
      expect(world.agentcore.completeCalls).toBe(1);
    },
  );

  it.each(['/ping', '/ready', '/oauth2/callback', '/userIdentifier/token'])(
    '%s answers a wrong method alike in both forms',
    async (route) => {
      const world = await startBelowPrefix();
      const answers = await Promise.all(
        FORMS.map((form) => new Browser().send(`${world.url}${form}${route}`, { method: 'DELETE' })),
      );
      expect(answers.map(({ status }) => status)).toEqual([405, 405]);
      expect(answers[0]?.headers['allow']).toBe(answers[1]?.headers['allow']);
    },
  );

  it('only the prefix itself is the prefix, and what is not the prefix reaches nothing', async () => {
    const world = await startBelowPrefix();
    const cookie = await cookieHeader(world);
    const visit = async (path: string) => {
      const target = `${path}?session_id=${URN}`;
      const headers = `Host: localhost\r\nCookie: ${cookie}\r\nConnection: close\r\n`;
      // Byte for byte: clients mend such paths before they send them.
      return (await sendRaw(world.url, `GET ${target} HTTP/1.1\r\n${headers}\r\n`)).statuses;
    };
    for (const path of NOT_OURS)
      expect({ path, statuses: await visit(path) }).toEqual({ path, statuses: [404] });
    expect(world.agentcore.completeCalls).toBe(0);

    expect(await visit('/auth/oauth2/callback')).toEqual([410]);
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('a prefix of several segments is one prefix', async () => {
    const world = await startBelowPrefix('https://localhost/jupyterlab/default/proxy/9090');
    const statuses = await Promise.all(
      ['/jupyterlab/default/proxy/9090/ping', '/ping', '/proxy/9090/ping', '/jupyterlab/ping'].map(
        async (path) => (await new Browser().send(`${world.url}${path}`)).status,
      ),
    );
    expect(statuses).toEqual([200, 200, 404, 404]);
  });

  it('pages link relative to where they are', async () => {
    const world = await startBelowPrefix();
    world.agentcore.faults.inject('throttled');
    const browser = new Browser();
    await post(world, browser, '/auth/userIdentifier/token');
    const page = await browser.open(`${world.url}/auth/oauth2/callback?session_id=${URN}`);
    expect(page.status).toBe(503);
    const links = [...page.body.matchAll(/(?:href|action|src)="([^"]*)"/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) expect(link).not.toMatch(/^(?:\/|[a-z]+:)/i);
  });
});

describe('without a path prefix', () => {
  it('nothing is stripped', async () => {
    const world = await startWorld();
    expect((await new Browser().send(`${world.url}/auth/ping`)).status).toBe(404);
    expect((await new Browser().send(`${world.url}//ping`)).status).toBe(404);
  });
});
