import { describe, expect, it } from 'vitest';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { expectPage, expectProblem } from '../support/answers.ts';
import {
  answerOf,
  beginLogin,
  headerOf,
  loginCookies,
  type LoginWorld,
  newUser,
  openWith,
  passLogin,
  shareLoginWorld,
  startLoginWorld,
  tokenRequests,
} from './login-world.ts';

const shared = shareLoginWorld();

/** A login that somebody has begun in his browser and finished at the provider; nobody has opened the answer yet. */
async function pendingLogin(world: LoginWorld, login: string) {
  const browser = new Browser();
  const answer = await answerOf(world, await beginLogin(world, browser), login);
  return { browser, answer, cookies: loginCookies(browser, world) };
}

/** The answer is refused, its code is sent nowhere, nobody is signed in. */
async function expectRefused(world: LoginWorld, url: string, cookie: string, requests = 0): Promise<Page> {
  const before = tokenRequests(world);
  const page = await openWith(url, cookie);
  expectPage(page, 403, 'state_invalid');
  expect(page.headers.location).toBeUndefined();
  expect([page.headers['set-cookie'] ?? []].flat().join('\n')).not.toMatch(/^session-binding=/m);
  expect(tokenRequests(world) - before).toBe(requests);
  return page;
}

const change = (url: string, parameters: Readonly<Record<string, string | undefined>>) => {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) changed.searchParams.delete(name);
    else changed.searchParams.set(name, value);
  }
  return changed.href;
};

const append = (url: string, name: string, value: string) => `${url}&${name}=${encodeURIComponent(value)}`;

describe('the answer to a login that another browser began', () => {
  it('makes nobody anybody: no cookie, no code exchange [SB-31]', async () => {
    const world = shared();
    const mallory = await pendingLogin(world, newUser('mallory'));
    await expectRefused(world, mallory.answer, '');
    // Nor in a browser with logins and a browser session of its own, which stays whose it was.
    const alice = newUser('alice');
    const victim = new Browser();
    await beginLogin(world, victim);
    await passLogin(victim, await victim.open(`${world.url}/login`), alice);
    await expectRefused(world, mallory.answer, headerOf(victim.cookies(world.url)));
    expect((await victim.open(`${world.url}/sign-in`)).body).toContain(alice);
  });

  it('does not pass under the state of this browser’s own login: PKCE, nonce and issuer disagree [SB-31]', async () => {
    const world = shared();
    const mallory = await pendingLogin(world, newUser('mallory'));
    const victim = new Browser();
    const asked = new URL(await beginLogin(world, victim));
    const injected = change(mallory.answer, { state: String(asked.searchParams.get('state')) });
    // The provider itself refuses the code, since it was made for another challenge.
    await expectRefused(world, injected, headerOf(victim.cookies(world.url)), 1);
  });
});

describe('a login transaction', () => {
  it('serves once: its cookie goes, and the provider takes no code twice [SB-31]', async () => {
    const world = shared();
    const { browser, answer, cookies } = await pendingLogin(world, newUser('alice'));
    expect((await openWith(answer, headerOf(cookies))).status).toBe(303);
    await expectRefused(world, answer, '');
    // Whoever has kept the cookie itself still meets the provider.
    await expectRefused(world, answer, headerOf(cookies), 1);
    expectPage(await browser.open(answer), 403, 'state_invalid');
  });

  it('is spent by an answer that fails, too [SB-31]', async () => {
    const world = shared();
    const { browser, answer } = await pendingLogin(world, newUser('alice'));
    expectPage(await browser.open(change(answer, { code: 'no-such-code' })), 403, 'state_invalid');
    await expectRefused(world, answer, headerOf(browser.cookies(world.url)));
  });

  it('ends after ten minutes, whatever the browser keeps [SB-31]', async () => {
    const world = await startLoginWorld();
    const { answer, cookies } = await pendingLogin(world, newUser('alice'));
    world.advance(10 * 60_000 + 1);
    await expectRefused(world, answer, headerOf(cookies));
  });

  it('is nothing when it is changed, moved to another state, or there twice [SB-31] [SB-33]', async () => {
    const world = shared();
    const { answer, cookies } = await pendingLogin(world, newUser('alice'));
    const other = await pendingLogin(world, newUser('alice'));
    const [[name, value] = ['', '']] = cookies;
    const [[, otherValue] = ['', '']] = other.cookies;
    const flipped = value.slice(0, 40) + (value[40] === 'A' ? 'B' : 'A') + value.slice(41);
    const forged = ['', 'x', flipped, value.slice(0, -1), otherValue, `${value}=`, 'sb1.forged'];
    for (const bad of forged) await expectRefused(world, answer, `${name}=${bad}`);
    await expectRefused(world, answer, `${name}=${value}; ${name}=${otherValue}`);
    expect((await openWith(answer, `${name}=${value}`)).status).toBe(303);
  });

  it('sealed for another use is nothing [SB-14] [SB-31]', async () => {
    const world = shared();
    const { answer } = await pendingLogin(world, newUser('alice'));
    const state = new URL(answer).searchParams.get('state') ?? '';
    const posted = await new Browser().postJson(`${world.url}/userIdentifier/token`, world.url, {
      user_token: await world.provider.accessToken('alice'),
    });
    const { custom_state: customState } = JSON.parse(posted.body) as { custom_state: string };
    const name = `session-binding-login-${state}`;
    await expectRefused(world, answer, `${name}=${customState.slice('sb1.'.length)}`);
  });

  it('reveals nothing and is of no use to scripts or other sites', async () => {
    const world = shared();
    const answer = await new Browser().send(`${world.url}/login`, { headers: { accept: 'text/html' } });
    const asked = new URL(String(answer.headers.location)).searchParams;
    const [line = '', ...more] = [answer.headers['set-cookie'] ?? []].flat();
    expect(more).toEqual([]);
    expect(line).toMatch(/; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
    const decoded = Buffer.from(line.split('=')[1]?.split(';')[0] ?? '', 'base64url').toString('latin1');
    expect(decoded).not.toContain(String(asked.get('nonce')));
  });
});

describe('the answer of the provider', () => {
  it.each([
    ['names another issuer (RFC 9207)', (url: string) => change(url, { iss: 'https://evil.example' })],
    [
      'names the issuer not quite',
      (url: string) => `${change(url, { iss: undefined })}&iss=http://127.0.0.1`,
    ],
    ['names no issuer, although this one always does', (url: string) => change(url, { iss: undefined })],
    ['names two issuers', (url: string) => append(url, 'iss', 'https://evil.example')],
    ['carries no code', (url: string) => change(url, { code: undefined })],
    ['carries two codes', (url: string) => append(url, 'code', 'another')],
    ['carries two states', (url: string) => append(url, 'state', 'another')],
    ['carries the state twice', (url: string) => append(url, 'state', stateOf(url))],
    ['carries no state', (url: string) => change(url, { state: undefined })],
    ['carries an ID token in the URL', (url: string) => append(url, 'id_token', 'e30.e30.e30')],
    ['carries a packed response', (url: string) => append(url, 'response', 'e30.e30.e30')],
    ['is a parameter with a name like a property', (url: string) => change(url, { state: '__proto__' })],
  ])('is refused before its code is sent anywhere when it %s [SB-31]', async (_when, spoil) => {
    const world = shared();
    const { answer, cookies } = await pendingLogin(world, newUser('alice'));
    await expectRefused(world, spoil(answer), headerOf(cookies));
  });
});

const stateOf = (url: string) => new URL(url).searchParams.get('state') ?? '';

describe('a browser that begins many logins', () => {
  it('holds four at most, the newest, each with what it interrupted [SB-22]', async () => {
    const world = shared();
    const browser = new Browser();
    const begun: string[] = [];
    for (let count = 0; count < 7; count += 1) begun.push(stateOf(await beginLogin(world, browser)));
    const held = loginCookies(browser, world).map(([name]) => name.slice('session-binding-login-'.length));
    expect(held.toSorted()).toEqual(begun.slice(-4).toSorted());
  });

  it('never fills a header line, however long the links [SB-21]', async () => {
    const world = shared();
    const browser = new Browser();
    const urn = `urn:ietf:params:oauth:request_uri:${'a'.repeat(980)}`;
    const query = `?${new URLSearchParams({ session_id: urn, state: `sb1.${'b'.repeat(900)}` }).toString()}`;
    for (let count = 0; count < 4; count += 1) await beginLogin(world, browser, query);
    expect(headerOf(loginCookies(browser, world)).length).toBeLessThan(6_200);
    expect(loginCookies(browser, world).length).toBeGreaterThan(0);

    const huge = `?${new URLSearchParams({ session_id: urn, error: 'e'.repeat(3_000) }).toString()}`;
    const answer = await browser.send(`${world.url}/login${huge}`, { headers: { accept: 'text/html' } });
    expectPage(answer, 400, 'invalid_request');
  });

  it('drops what it cannot read first', async () => {
    const world = shared();
    const { browser, cookies } = await pendingLogin(world, newUser('alice'));
    const junk = ['a', 'b', 'c'].map((name) => [`session-binding-login-${name}`, 'junk'] as const);
    const answer = await openWith(`${world.url}/login`, headerOf([...junk, ...cookies]));
    const dropped = [answer.headers['set-cookie'] ?? []].flat().filter((line) => line.includes('Max-Age=0'));
    expect(dropped.map((line) => line.split('=')[0])).toEqual(['session-binding-login-c']);
    expect(browser).toBeDefined();
  });
});

describe('/login', () => {
  it.each([
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['an iframe', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    ['a prefetch', { 'sec-purpose': 'prefetch' }],
  ])('and its answer are no business of %s [SB-06]', async (_what, headers) => {
    const world = shared();
    const { answer, cookies } = await pendingLogin(world, newUser('alice'));
    const before = tokenRequests(world);
    for (const url of [`${world.url}/login`, answer]) {
      const page = await new Browser().send(url, { headers: { ...headers, cookie: headerOf(cookies) } });
      expectProblem(page, 403, 'not_a_navigation');
      expect(page.headers['set-cookie']).toBeUndefined();
    }
    expect(tokenRequests(world)).toBe(before);
  });

  it.each(['HEAD', 'POST'])('and its answer know no %s [SB-07]', async (method) => {
    const world = shared();
    const { answer, cookies } = await pendingLogin(world, newUser('alice'));
    for (const url of [`${world.url}/login`, answer]) {
      const page = await new Browser().send(url, { method, headers: { cookie: headerOf(cookies) } });
      expect([page.status, page.headers.allow, page.headers['set-cookie']]).toEqual([405, 'GET', undefined]);
    }
    expect((await openWith(answer, headerOf(cookies))).status).toBe(303);
  });

  it.each([
    'https://attacker.example',
    '//attacker.example',
    '/\\attacker.example',
    'javascript:alert(1)',
    '../../x',
    'sign-in\r\nLocation: https://attacker.example',
  ])('leads nowhere else: %j in a parameter [SB-18]', async (hostile) => {
    const world = shared();
    const names = ['return_to', 'next', 'redirect_uri', 'url', 'again', 'callback', 'after_login'];
    const query = names.map((name) => `${name}=${encodeURIComponent(hostile)}`).join('&');
    const browser = new Browser();
    const page = await passLogin(
      browser,
      await browser.open(`${world.url}/login?${query}`),
      newUser('alice'),
    );
    expect(page.url).toBe(`${world.url}/sign-in`);
    for (const name of ['session_id', 'flow', 'error']) {
      const twice = `${name}=${encodeURIComponent(hostile)}&${name}=${encodeURIComponent(hostile)}`;
      const refused = await openWith(`${world.url}/login?${twice}`, '');
      expectPage(refused, 400, 'invalid_request');
    }
  });

  it('does not exist where no login is configured', async () => {
    const world = await startLoginWorld({ config: { login: undefined } });
    for (const path of ['/login', '/login/callback?state=a&code=b'])
      expect((await openWith(world.url + path, '')).status).toBe(404);
    expectPage(
      await openWith(`${world.url}/oauth2/callback?session_id=urn:ietf:params:oauth:request_uri:a`, ''),
      401,
      'not_signed_in',
    );
  });
});
