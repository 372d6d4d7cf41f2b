import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { userDigest } from '../../src/binding/user.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { systemRandomness } from '../../src/system.ts';
import { newUser, passLogin, signedInBrowser, startLoginWorld } from '../login/login-world.ts';
import { expectPage, expectProblem } from '../support/answers.ts';
import { consent } from '../support/consent.ts';
import { cookieHeader, postToken } from '../support/flows.ts';
import { press } from '../support/forms.ts';
import { startLoadBalancer } from '../support/load-balancer.ts';
import { startWorld, type World } from '../support/world.ts';

const LINEAGE = 'session-binding-lineage';
const SESSION = 'session-binding';
const LONG = 100_000;

const asPerson = { accept: 'text/html' };
const asProgram = { accept: 'application/json' };

/** The app's server announces a flow of this token's user: no browser of ours is in it. */
async function announced(at: World, token: string) {
  const flow = await at.agent.open(token);
  const body = { user_token: token, authorization_url: flow.authorizationUrl };
  const { start_url: startUrl } = JSON.parse((await postToken(at, new Browser(), body)).body) as {
    start_url: string;
  };
  return { startUrl, consented: () => consent(flow) };
}

/** A browser that has started a flow; gives the callback, once consent is given. */
async function started(at: World, username: string, browser = new Browser()) {
  const token = await at.tokenOf(username, LONG);
  await postToken(at, browser, { user_token: token });
  const { startUrl, consented } = await announced(at, token);
  const going = await browser.send(startUrl, { headers: asPerson });
  expect(going.status).toBe(303);
  return { browser, going, startUrl, callback: await consented() };
}

const refresh = async (at: World, browser: Browser, username: string) =>
  postToken(at, browser, { user_token: await at.tokenOf(username, LONG) });

const visit = (url: string, cookies: Readonly<Record<string, string | undefined>>) =>
  new Browser().send(url, {
    headers: {
      ...asProgram,
      cookie: Object.entries(cookies)
        .map(([name, value]) => `${name}=${value}`)
        .join('; '),
    },
  });

/** What an answer sets under that name. */
function valueOf(page: Page, name: string): string {
  const line = [page.headers['set-cookie'] ?? []].flat().find((one) => one.startsWith(`${name}=`));
  return line?.slice(name.length + 1).split(';')[0] ?? '';
}

const cookieOf = (browser: Browser, at: World, name: string) => browser.cookies(at.url).get(name);

describe('a flow that was started in a browser ends there', () => {
  it('when two of its tabs refresh the token with one cookie [SB-32]', async () => {
    const at = await startWorld();
    const { browser, callback } = await started(at, 'alice');
    const before = cookieHeader(browser, at.url);
    const tabs = [];
    for (let tab = 0; tab < 2; tab += 1) {
      const user_token = await at.tokenOf('alice');
      tabs.push(
        await new Browser().send(`${at.url}/userIdentifier/token`, {
          method: 'POST',
          headers: { cookie: before, origin: at.url, 'content-type': 'application/json' },
          body: JSON.stringify({ user_token }),
        }),
      );
    }
    const [, last] = tabs.map((page) => valueOf(page, SESSION));
    const lineage = cookieOf(browser, at, LINEAGE);
    expect((await visit(callback, { [SESSION]: last, [LINEAGE]: lineage })).status).toBe(200);
  });

  it('when SESSION_TTL_SECONDS are over in the middle, and its app refreshes the token [SB-32]', async () => {
    const at = await startWorld({ config: { sessionTtlSeconds: 60 } });
    const { browser, callback } = await started(at, 'alice');
    at.advance(61_000);
    expectPage(await browser.open(callback), 401, 'not_signed_in');
    await refresh(at, browser, 'alice');
    expectPage(await browser.open(callback), 200, 'completed');
  });

  it('when they are over, and its user logs in again [SB-32]', async () => {
    const at = await startLoginWorld({ config: { sessionTtlSeconds: 60 } });
    const alice = newUser('alice');
    const browser = await signedInBrowser(at, alice);
    const { startUrl, consented } = await announced(at, await at.provider.accessToken(alice));
    expect((await browser.send(startUrl, { headers: asPerson })).status).toBe(303);
    at.advance(61_000);
    let page = await browser.open(await consented());
    // The provider may remember him.
    if (page.url.startsWith(at.provider.issuer)) page = await passLogin(browser, page, alice);
    expectPage(page, 200, 'completed');
  });

  it('behind a load balancer, when they are over or two tabs come first at once [SB-20] [SB-32]', async () => {
    const balancer = await startLoadBalancer();
    const at = await startWorld({ config: { ...balancer.config, sessionTtlSeconds: 60 } });
    const go = (browser: Browser, url: string) =>
      browser.send(url, {
        headers: {
          ...asProgram,
          'x-amzn-oidc-data': balancer.identityOf(
            at.issuer.issuer,
            { sub: 'sub-of-alice', username: 'alice' },
            { header: { exp: Math.floor(Date.now() / 1000) + LONG } },
          ),
        },
      });

    const first = await announced(at, await at.tokenOf('alice', LONG));
    const browser = new Browser();
    expect((await go(browser, first.startUrl)).status).toBe(303);
    at.advance(61_000);
    expect((await go(browser, await first.consented())).status).toBe(200);

    const second = await announced(at, await at.tokenOf('alice', LONG));
    const [starting, other] = [new Browser(), new Browser()];
    const going = await go(starting, second.startUrl);
    const elsewhere = await go(other, `${at.url}/oauth2/start?flow=${'A'.repeat(100)}`);
    // Both answers reach one jar; the other tab’s came last.
    const header = [SESSION, LINEAGE].map(
      (name) => `${name}=${valueOf(elsewhere, name) || valueOf(going, name)}`,
    );
    const jar = await new Browser().send(await second.consented(), {
      headers: {
        ...asProgram,
        cookie: header.join('; '),
        'x-amzn-oidc-data': balancer.identityOf(at.issuer.issuer, { sub: 'sub-of-alice', username: 'alice' }),
      },
    });
    expect(jar.status, jar.body).toBe(200);
    await balancer.close();
  });
});

describe('the lineage cookie', () => {
  it('is set by a start link alone, for ten minutes, and shows nothing [SB-32]', async () => {
    const at = await startWorld();
    const { browser, going } = await started(at, 'alice');
    const [line = '', ...more] = [going.headers['set-cookie'] ?? []].flat();
    expect(more).toEqual([]);
    expect(line).toMatch(/^session-binding-lineage=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
    const bytes = Buffer.from(cookieOf(browser, at, LINEAGE) ?? '', 'base64url').toString('latin1');
    expect(bytes).not.toContain(userDigest({ issuer: at.issuer.issuer, subject: 'sub-of-alice' }));
    expect((await refresh(at, browser, 'alice')).headers['set-cookie']).toHaveLength(1);
    expect(cookieOf(browser, at, LINEAGE)).toBe(valueOf(going, LINEAGE));
  });

  it('has the prefix of the browser session’s on https [SB-33]', async () => {
    const at = await startWorld({ config: { publicUrl: 'https://localhost' } });
    const token = await at.tokenOf('alice');
    const flow = await at.agent.open(token);
    const posted = await new Browser().send(`${at.url}/userIdentifier/token`, {
      method: 'POST',
      headers: { host: 'localhost', 'content-type': 'application/json' },
      body: JSON.stringify({ user_token: token, authorization_url: flow.authorizationUrl }),
    });
    const { start_url: startUrl } = JSON.parse(posted.body) as { start_url: string };
    const { pathname, search } = new URL(startUrl);
    const name = '__Host-session-binding';
    const going = await new Browser().send(at.url + pathname + search, {
      headers: { ...asPerson, host: 'localhost', cookie: `${name}=${valueOf(posted, name)}` },
    });
    expect(going.status).toBe(303);
    expect(String(going.headers['set-cookie'])).toMatch(/^__Host-session-binding-lineage=.*; Secure; /);
  });

  it('of another user, forged, sealed for another use, or there twice counts as none [SB-32] [SB-33]', async () => {
    const at = await startWorld();
    const { browser, callback } = await started(at, 'alice');
    const own = cookieOf(browser, at, LINEAGE) ?? '';
    const mallory = await started(at, 'mallory');
    const secrets = [new Secret('a-test-secret-that-is-long-enough-0123456789')] as const;
    const text = createSealer(secrets, 'lineage', systemRandomness).open(own) ?? '';
    expect(text).not.toBe('');
    const asMallory = `${userDigest({ issuer: at.issuer.issuer, subject: 'sub-of-mallory' })} ${text.split(' ')[1]}`;
    const sealed = (purpose: string, plain: string) =>
      createSealer(secrets, purpose, systemRandomness).seal(plain);
    const phone = await at.signedIn(await at.tokenOf('alice'));
    const signedIn = cookieOf(phone, at, SESSION);
    for (const [what, value] of [
      ['another user’s', cookieOf(mallory.browser, at, LINEAGE)],
      ['the lineage, for another user', sealed('lineage', asMallory)],
      ['forged', 'x'],
      ['in clear', text],
      ['cut off', own.slice(0, -1)],
      ['sealed for another use', sealed('login-transaction', text)],
      ['twice', `${own}; ${LINEAGE}=${sealed('lineage', 'planted')}`],
    ] as const) {
      const page = await visit(callback, { [SESSION]: signedIn, [LINEAGE]: value });
      expect([what, page.status, JSON.parse(page.body)]).toMatchObject([
        what,
        403,
        { code: 'browser_mismatch' },
      ]);
    }
    expect((await visit(callback, { [SESSION]: signedIn, [LINEAGE]: own })).status).toBe(200);
  });

  it('opens nothing by itself, nor in the hands of another user [SB-01] [SB-32]', async () => {
    const at = await startWorld();
    const { browser, callback } = await started(at, 'alice');
    const own = cookieOf(browser, at, LINEAGE);
    expectProblem(await visit(callback, { [LINEAGE]: own }), 401, 'not_signed_in');
    expectProblem(await visit(callback, { [LINEAGE]: own, [SESSION]: own }), 401, 'not_signed_in');
    const mallory = cookieOf(await at.signedIn(await at.tokenOf('mallory')), at, SESSION);
    expectProblem(await visit(callback, { [LINEAGE]: own, [SESSION]: mallory }), 403, 'user_mismatch');
  });

  it('goes at sign-out [SB-32]', async () => {
    const at = await startWorld();
    const { browser, callback } = await started(at, 'alice');
    await press(browser, await browser.open(`${at.url}/sign-in`), 'Sign out of all my browsers');
    expect(cookieOf(browser, at, LINEAGE)).toBeUndefined();
    await refresh(at, browser, 'alice');
    expectPage(await browser.open(callback), 403, 'browser_mismatch');
  });

  it('goes when somebody else signs in, also if its user comes back [SB-32]', async () => {
    const at = await startWorld();
    const { browser, startUrl, callback } = await started(at, 'alice');
    await refresh(at, browser, 'bob');
    expect(cookieOf(browser, at, LINEAGE)).toBeUndefined();
    await refresh(at, browser, 'alice');
    expectPage(await browser.open(callback), 403, 'browser_mismatch');
    await browser.send(startUrl, { headers: asPerson });
    expectPage(await browser.open(callback), 200, 'completed');
  });
});
