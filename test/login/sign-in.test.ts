import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { expectPage, expectProblem } from '../support/answers.ts';
import { consent, visitAsProgram } from '../support/consent.ts';
import { press } from '../support/forms.ts';
import { CLIENTS } from '../support/oidc-provider.ts';
import {
  answerOf,
  beginLogin,
  headerOf,
  locationOf,
  loginCookies,
  newUser,
  openWith,
  passLogin,
  shareLoginWorld,
  signedInBrowser,
  startLoginWorld,
  waitingFlow,
} from './login-world.ts';

const shared = shareLoginWorld();

/** The provider names one way to show a secret. */
const only = (method: string) => ({
  answers: {
    '/.well-known/openid-configuration': (body: Record<string, unknown>) => ({
      ...body,
      token_endpoint_auth_methods_supported: [method],
    }),
  },
});

describe('a stranger at the callback', () => {
  it.each([
    ['a public client', 'public', {}],
    ['a client with a secret', 'basic', {}],
    ['a client that shows its secret in the body', 'post', only('client_secret_post')],
    ['a client whose issuer knows other ways besides', 'basic', only('private_key_jwt')],
  ] as const)('signs in with %s, and the flow goes on by itself [SB-31]', async (_name, client, spoil) => {
    const world = client === 'public' ? shared() : await startLoginWorld({ client, spoil });
    const alice = newUser('alice');
    const flow = await waitingFlow(world, alice);
    const browser = new Browser();

    const loginPage = await browser.open(flow.callback);
    expect(new URL(loginPage.url).origin).toBe(world.provider.issuer);
    const page = await passLogin(browser, loginPage, alice);

    expectPage(page, 200, 'completed');
    expect(page.url).toContain(`${world.url}/oauth2/callback?session_id=`);
    // The original token of the flow, which the login has never seen: no token of the login would do.
    expect(await world.agent.accessToken(flow)).toBeDefined();
    expect(loginCookies(browser, world)).toEqual([]);
    // The provider would take it either way.
    const { client_secret: secretInBody } = world.provider.tokenForms.at(-1) ?? {};
    expect(secretInBody).toBe(client === 'post' ? CLIENTS.post.clientSecret : undefined);
  });

  it('is asked for no more once signed in, and reads his name', async () => {
    const world = shared();
    const alice = newUser('alice');
    const browser = await signedInBrowser(world, alice);
    expect((await browser.open(`${world.url}/sign-in`)).body).toContain(`${alice} of the provider`);
    expectPage(await browser.open((await waitingFlow(world, alice)).callback), 200, 'completed');
  });

  it('is told so, if it is a program: 401, and no login begins', async () => {
    const world = shared();
    const flow = await waitingFlow(world, newUser('alice'));
    const program = new Browser();
    expectProblem(await visitAsProgram(program, flow.callback), 401, 'not_signed_in');
    expect(program.cookies(world.url).size).toBe(0);
  });

  it('who turns out to be somebody else ends there, AgentCore is not called, and nothing goes round [SB-01]', async () => {
    const world = shared();
    const flow = await waitingFlow(world, newUser('alice'));
    const calls = world.agentcore.completeCalls;
    const browser = new Browser();
    const page = await passLogin(browser, await browser.open(flow.callback), newUser('bob'));
    expectPage(page, 403, 'user_mismatch');
    expectPage(await browser.open(flow.callback), 403, 'user_mismatch');
    expect(world.agentcore.completeCalls).toBe(calls);
  });

  it('whose app has stored no token is sent back to it', async () => {
    const world = shared();
    const alice = newUser('alice');
    const token = await world.provider.accessToken(alice);
    const { sessionUri } = await world.agent.open(token);
    const browser = new Browser();
    const page = await browser.open(`${world.url}/oauth2/callback?session_id=${sessionUri}`);
    expectPage(await passLogin(browser, page, alice), 401, 'token_missing');
  });

  it('whose browser keeps no cookie of ours is not sent round [SB-33]', async () => {
    const world = shared();
    const alice = newUser('alice');
    const flow = await waitingFlow(world, alice);
    const browser = new Browser();
    const page = await passLogin(browser, await browser.open(flow.callback), alice);
    // Somebody on this host has planted a second one: neither counts, and another login would not help.
    const cookie = 'session-binding=planted; session-binding=twice';
    const again = await openWith(page.url, cookie);
    expect(again.headers.location).toBeUndefined();
    expectPage(again, 401, 'not_signed_in');
  });
});

describe('a stranger at a start link', () => {
  it('signs in, is led on to the consent, and comes back as whoever started the flow [SB-32]', async () => {
    const world = shared();
    const alice = newUser('alice');
    const token = await world.provider.accessToken(alice);
    const flow = await world.agent.open(token);
    const { authorizationUrl } = flow;
    const posted = await new Browser().postJson(`${world.url}/userIdentifier/token`, world.url, {
      user_token: token,
      authorization_url: authorizationUrl,
    });
    const { start_url: startUrl } = JSON.parse(posted.body) as { readonly start_url: string };
    const browser = new Browser();

    const consentPage = await passLogin(browser, await browser.open(startUrl), alice);
    expect(consentPage.url).toBe(authorizationUrl);
    expectPage(await browser.open(await consent(flow)), 200, 'completed');
  });

  it('who turns out to be somebody else is not shown where it leads [SB-32]', async () => {
    const world = shared();
    const token = await world.provider.accessToken(newUser('alice'));
    const { authorizationUrl } = await world.agent.open(token);
    const posted = await new Browser().postJson(`${world.url}/userIdentifier/token`, world.url, {
      user_token: token,
      authorization_url: authorizationUrl,
    });
    const { start_url: startUrl } = JSON.parse(posted.body) as { readonly start_url: string };
    const browser = new Browser();
    expectPage(await passLogin(browser, await browser.open(startUrl), newUser('bob')), 403, 'user_mismatch');
  });
});

describe('a login', () => {
  it('stands in for the click where there is a single user [SB-04]', async () => {
    const world = await startLoginWorld({ config: { singleUser: true } });
    const alice = newUser('alice');
    const posted = await new Browser().postJson(`${world.url}/userIdentifier/token`, world.url, {
      user_token: await world.provider.accessToken(alice),
    });
    expect(JSON.parse(posted.body)).not.toHaveProperty('sign_in_url');
    const browser = new Browser();
    const page = await browser.open(`${world.url}/sign-in`);
    expectPage(page, 401, 'not_signed_in');
    expect(page.body).toContain('href="login">Sign in</a>');
    expect((await browser.submit(`${world.url}/sign-in`, { candidate: 'any' })).status).toBe(404);
  });

  it('ends the forms that the browser held before it [SB-03]', async () => {
    const world = shared();
    const alice = newUser('alice');
    const browser = new Browser();
    const answer = await answerOf(world, await beginLogin(world, browser), alice);
    // Another tab was faster.
    await passLogin(browser, await browser.open(`${world.url}/login`), alice);
    const csrf = browser.cookies(world.url).get('session-binding-form');
    await browser.open(answer);
    expect(csrf).toBeDefined();
    expect(browser.cookies(world.url).get('session-binding-form')).not.toBe(csrf);
  });

  it('makes a new browser session and ends the one that was here before [SB-05]', async () => {
    const world = shared();
    const alice = newUser('alice');
    const former = (await signedInBrowser(world, alice)).cookies(world.url);
    const browser = new Browser();
    const answer = await answerOf(world, await beginLogin(world, browser), alice);
    const cookie = headerOf([...former, ...browser.cookies(world.url)]);

    const done = await openWith(answer, cookie);
    expect([done.status, done.headers.location]).toEqual([303, '../sign-in']);
    const lines = [done.headers['set-cookie'] ?? []].flat();
    const own = lines.filter((line) => line.startsWith('session-binding='));
    expect(own).toHaveLength(1);
    expect(own[0]).not.toContain(String(former.get('session-binding')));
    expectPage(await openWith(`${world.url}/sign-in`, headerOf(former)), 401, 'not_signed_in');
  });

  it('knows its user by USER_CLAIM, as user tokens do', async () => {
    const world = await startLoginWorld({ config: { userClaim: 'oid' } });
    const alice = newUser('alice');
    await signedInBrowser(world, alice);
    const [line] = world.log().filter(({ event }) => event === 'sign_in');
    expect(line).toMatchObject({ by: 'login' });
    const claims = { iss: world.provider.issuer, aud: 'https://agent.example', oid: `oid-of-${alice}` };
    const exp = Math.floor(Date.now() / 1000) + 600;
    const posted = await new Browser().postJson(`${world.url}/userIdentifier/token`, world.url, {
      user_token: await world.provider.sign({ ...claims, exp }),
    });
    expect(posted.status).toBe(200);
    expect(world.log().findLast(({ event }) => event === 'user_token')).toMatchObject({
      user: line?.['user'],
    });
  });

  it('of one tab does not fight with that of another', async () => {
    const world = shared();
    const alice = newUser('alice');
    const [first, second] = [await waitingFlow(world, alice), await waitingFlow(world, alice)];
    const browser = new Browser();
    await passLogin(browser, await browser.open(`${world.url}/login`), alice);
    await press(browser, await browser.open(`${world.url}/sign-in`), 'Sign out of all my browsers');

    const begin = async (url: string) =>
      locationOf(await browser.send(locationOf(await browser.send(url, HTML)), HTML));
    const [tabOne, tabTwo] = [await begin(first.callback), await begin(second.callback)];
    expect(loginCookies(browser, world)).toHaveLength(2);
    // Still signed in at the provider: it sends both back at once.
    expectPage(await browser.open(tabTwo), 200, 'completed');
    expectPage(await browser.open(tabOne), 200, 'completed');
    for (const flow of [first, second]) expect(await world.agent.accessToken(flow)).toBeDefined();
    expect(loginCookies(browser, world)).toEqual([]);
  });

  it('asks with PKCE, a nonce and a state, and comes back to PUBLIC_URL whatever the request says [SB-19] [SB-31]', async () => {
    const world = await startLoginWorld({ config: { publicUrl: 'https://localhost/auth' } });
    for (const path of ['/login', '/auth/login']) {
      const answer = await new Browser().send(`${world.url}${path}`, {
        headers: { accept: 'text/html', 'x-forwarded-host': 'attacker.example', host: 'localhost' },
      });
      expect(answer.status).toBe(303);
      const asked = Object.fromEntries(new URL(locationOf(answer)).searchParams);
      expect(asked).toEqual({
        client_id: 'public-client',
        response_type: 'code',
        redirect_uri: 'https://localhost/auth/login/callback',
        scope: 'openid profile',
        state: expect.stringMatching(/^[\w-]{43}$/),
        nonce: expect.stringMatching(/^[\w-]{43}$/),
        code_challenge: expect.stringMatching(/^[\w-]{43}$/),
        code_challenge_method: 'S256',
      });
      const [cookie = ''] = [answer.headers['set-cookie'] ?? []].flat();
      expect(cookie).toMatch(
        /^__Host-session-binding-[0-9a-f]{8}-login-[\w-]{43}=[\w-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
    }
  });
});

describe('a browser that is somebody', () => {
  it('is not made somebody else by a login: /login begins none [SB-31]', async () => {
    const world = shared();
    const vera = newUser('vera');
    const victim = await signedInBrowser(world, vera);
    const before = victim.cookies(world.url).get('session-binding');
    const { callback } = await waitingFlow(world, vera);
    for (const [query, location] of [
      ['', 'sign-in'],
      ['?return_to=https://attacker.example', 'sign-in'],
      [new URL(callback).search, `oauth2/callback${new URL(callback).search}&after_login=1`],
      ['?flow=abc', 'oauth2/start?flow=abc&after_login=1'],
    ] as const) {
      const page = await victim.send(`${world.url}/login${query}`, HTML);
      expect([page.status, page.headers['set-cookie']]).toEqual([303, undefined]);
      expect(decodeURIComponent(String(page.headers.location))).toBe(decodeURIComponent(location));
    }
    expect(victim.cookies(world.url).get('session-binding')).toBe(before);
    expectPage(await victim.open(`${world.url}/login${new URL(callback).search}`), 200, 'completed');
  });

  it('is not made somebody else by a login that began before: it stays who it is, and may sign out [SB-31]', async () => {
    const world = shared();
    const [vera, mallory] = [newUser('vera'), newUser('mallory')];
    const victim = new Browser();
    const begun = await beginLogin(world, victim);
    await passLogin(victim, await victim.open(`${world.url}/login`), vera);
    const before = victim.cookies(world.url).get('session-binding');
    // The provider's session in this browser has become the attacker's meanwhile.
    const answer = await answerOf(world, begun, mallory);

    const page = await victim.open(answer);
    expectPage(page, 403, 'user_mismatch');
    expect(page.body).not.toContain(mallory);
    expect(loginCookies(victim, world)).toEqual([]);
    expect(victim.cookies(world.url).get('session-binding')).toBe(before);
    expect((await victim.open(`${world.url}/sign-in`)).body).toContain(vera);
    expect(world.log().findLast(({ reason }) => reason === 'signed_in_as_another')).toBeDefined();

    expect((await press(victim, page, 'Sign out of all my browsers')).status).toBe(200);
    expectPage(await victim.open(`${world.url}/sign-in`), 401, 'not_signed_in');
  });

  it('goes on with what a failed login had interrupted, and begins no other [SB-31]', async () => {
    const world = shared();
    const vera = newUser('vera');
    const { callback } = await waitingFlow(world, vera);
    const browser = new Browser();
    const begun = new URL(await beginLogin(world, browser, new URL(callback).search));
    const state = begun.searchParams.get('state') ?? '';
    await browser.open(
      `${world.url}/login/callback?error=access_denied&state=${state}&iss=${encodeURIComponent(world.provider.issuer)}`,
    );
    await passLogin(browser, await browser.open(`${world.url}/login`), vera);
    expectPage(await browser.open(`${world.url}/login?again=${state}`), 200, 'completed');
    expect(loginCookies(browser, world)).toEqual([]);
  });
});

const HTML = { headers: { accept: 'text/html' } };
