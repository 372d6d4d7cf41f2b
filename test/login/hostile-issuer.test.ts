import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { createRelyingParty } from '../../src/issuer/relying-party.ts';
import { createUserTokenVerifier } from '../../src/issuer/user-token-verifier.ts';
import { systemClock, systemRandomness } from '../../src/system.ts';
import { expectPage } from '../support/answers.ts';
import { press } from '../support/forms.ts';
import type { OidcProvider } from '../support/oidc-provider.ts';
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
  signedInBrowser,
  startLoginWorld,
  waitingFlow,
} from './login-world.ts';
import { Browser } from '../../src/demo/browser.ts';

const shared = shareLoginWorld();

type Claims = Record<string, unknown>;

/** The provider's ID token with other claims, signed with its own key. */
function idToken(world: LoginWorld, changes: Claims): OidcProvider['spoil'] {
  return { answers: { '/token': (body) => resigned(world, body, changes) } };
}

async function resigned({ provider }: LoginWorld, body: Claims, changes: Claims): Promise<Claims> {
  const [, payload = ''] = String(body['id_token']).split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
  return { ...body, id_token: await provider.sign({ ...claims, ...changes }) };
}

const said = (change: (body: Claims) => unknown) => (): OidcProvider['spoil'] => ({
  answers: { '/token': change },
});
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The ID token with another header; what was signed stays, so the signature does not hold. */
const withHeader = (header: unknown) =>
  said((body) => {
    const [, payload, signature] = String(body['id_token']).split('.');
    return { ...body, id_token: `${encode(header)}.${payload}.${signature}` };
  });

const refusal = (error: string) => (): OidcProvider['spoil'] => ({
  answers: { '/token': () => ({ error }) },
  tokenAnswer: { status: 400, headers: {} },
});

/** What comes back instead of the right answer, and how the login ends. */
const LIES: readonly (readonly [string, number, string, (world: LoginWorld) => OidcProvider['spoil']])[] = [
  ['a wrong nonce', 403, 'wrong_nonce', (world) => idToken(world, { nonce: 'of-another-login' })],
  ['no nonce', 503, 'wrong_answer', (world) => idToken(world, { nonce: undefined })],
  ['an ID token for another client', 503, 'wrong_answer', (world) => idToken(world, { aud: 'other' })],
  [
    'an ID token of another issuer',
    503,
    'wrong_answer',
    (world) => idToken(world, { iss: 'https://x.example' }),
  ],
  ['an ID token that expires at once', 503, 'expired', (world) => idToken(world, { exp: nowSeconds() - 5 })],
  ['an ID token without its user', 503, 'wrong_answer', (world) => idToken(world, { sub: undefined })],
  ['a user that is no text', 503, 'wrong_answer', (world) => idToken(world, { sub: 7 })],
  ['a user of 129 characters', 503, 'no_user_claim', (world) => idToken(world, { sub: 'x'.repeat(129) })],
  ['no ID token', 503, 'wrong_answer', said((body) => ({ ...body, id_token: undefined }))],
  ['a broken signature', 503, 'bad_signature', said((body) => ({ ...body, id_token: broken(body) }))],
  ['another key', 503, 'unknown_key', withHeader({ alg: 'RS256', kid: 'other' })],
  ['a logout token', 503, 'wrong_typ', withHeader({ alg: 'RS256', kid: 'provider-key', typ: 'logout+jwt' })],
  ['no signature', 503, 'wrong_answer', withHeader({ alg: 'none' })],
  ['a symmetric one', 503, 'wrong_answer', withHeader({ alg: 'HS256', kid: 'provider-key' })],
  ['text', 503, 'wrong_answer', said(() => 'not JSON')],
  ['more than 256 KiB', 503, 'too_large', said((body) => ({ ...body, padding: 'x'.repeat(300_000) }))],
  [
    'a redirect',
    503,
    'wrong_answer',
    () => ({ tokenAnswer: { status: 307, headers: { location: '/jwks' } } }),
  ],
  ['a failure', 503, 'wrong_answer', () => ({ tokenAnswer: { status: 500, headers: {} } })],
  ['a refusal of the code', 403, 'invalid_grant', refusal('invalid_grant')],
  ['a refusal of the client', 503, 'token_endpoint_invalid_client', refusal('invalid_client')],
  ['a refusal of the scopes', 503, 'token_endpoint_invalid_scope', refusal('invalid_scope')],
  ['a refusal that no standard knows', 503, 'token_endpoint_error', refusal('toString')],
  [
    'a challenge',
    503,
    'token_endpoint_invalid_client',
    () => ({ tokenAnswer: { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } } }),
  ],
];

const nowSeconds = () => Math.floor(Date.now() / 1000);

function broken(body: Claims): string {
  const [header, payload, signature = ''] = String(body['id_token']).split('.');
  return `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
}

describe('an issuer that answers with', () => {
  it.each(LIES)(
    '%s signs nobody in: %i, %s [SB-10] [SB-12] [SB-31]',
    async (_what, status, reason, spoil) => {
      const world = shared();
      const browser = new Browser();
      const answer = await answerOf(world, await beginLogin(world, browser), newUser('alice'));
      const asked = world.provider.requests.length;
      world.provider.spoil = spoil(world);
      const page = await openWith(answer, headerOf(loginCookies(browser, world)));
      world.provider.spoil = {};

      expectPage(page, status, status === 403 ? 'state_invalid' : 'issuer_unavailable');
      expect([page.headers['set-cookie'] ?? []].flat().join('\n')).not.toMatch(/^session-binding=/m);
      expect(world.log().at(-1)).toMatchObject({ event: 'refused', reason });
      expect(world.provider.requests.slice(asked)).not.toContain('POST /jwks');
    },
  );
});

describe('an issuer that sends the person back with', () => {
  it.each([
    ['access_denied', 401, 'not_signed_in', 'declined'],
    ['login_required', 401, 'not_signed_in', 'declined'],
    ['toString', 401, 'not_signed_in', 'declined'],
    ['invalid_request', 503, 'issuer_unavailable', 'login_invalid_request'],
    ['unauthorized_client', 503, 'issuer_unavailable', 'login_unauthorized_client'],
    ['server_error', 503, 'issuer_unavailable', 'login_server_error'],
    ['temporarily_unavailable', 503, 'issuer_unavailable', 'login_temporarily_unavailable'],
  ] as const)('%s signs nobody in: %i, %s [SB-12] [SB-31]', async (error, status, code, reason) => {
    const world = shared();
    const browser = new Browser();
    const state = new URL(await beginLogin(world, browser)).searchParams.get('state') ?? '';
    const query = new URLSearchParams({ error, state, iss: world.provider.issuer });
    const page = await openWith(
      `${world.url}/login/callback?${query.toString()}`,
      headerOf(loginCookies(browser, world)),
    );
    expectPage(page, status, code);
    expect(world.log().at(-1)).toMatchObject({ event: 'refused', reason });
  });
});

describe('an issuer that is down', () => {
  it('when a login begins: a page that says so, and lets one try again [SB-12]', async () => {
    const world = await startLoginWorld({ spoil: { down: true } });
    const page = await openWith(`${world.url}/login`, '');
    expectPage(page, 503, 'issuer_unavailable');
    expect(page.headers['retry-after']).toBeDefined();
    expect(page.body).toContain('href="">Try again</a>');
  });

  it('when a login comes back: the way on keeps what it interrupted [SB-31]', async () => {
    const world = shared();
    const alice = newUser('alice');
    const flow = await waitingFlow(world, alice);
    const browser = new Browser();
    let page = await press(browser, await browser.open(flow.callback), 'Sign-in', {
      login: alice,
      password: 'x',
    });
    world.provider.spoil = { tokenAnswer: { status: 500, headers: {} } };
    page = await press(browser, page, 'Continue');
    world.provider.spoil = {};
    expectPage(page, 503, 'issuer_unavailable');
    expect(page.body).not.toContain('urn:');
    expectPage(await browser.open(wayOn(page)), 200, 'completed');
    expect(loginCookies(browser, world)).toEqual([]);
  });

  it('a login that is declined, too [SB-31]', async () => {
    const world = shared();
    const alice = newUser('alice');
    const flow = await waitingFlow(world, alice);
    const browser = new Browser();
    const loginPage = await browser.open(flow.callback);
    const abort = /href="([^"]*\/abort)"/.exec(loginPage.body)?.[1] ?? '';
    const page = await browser.open(new URL(abort, loginPage.url).href);
    expectPage(page, 401, 'not_signed_in');
    expect(page.body).not.toContain('urn:');
    expectPage(await passLogin(browser, await browser.open(wayOn(page)), alice), 200, 'completed');
  });
});

const wayOn = (page: { readonly body: string; readonly url: string }) =>
  new URL(/class="button" href="([^"]*)"/.exec(page.body)?.[1] ?? '', page.url).href;

describe('a discovery document', () => {
  const DOCUMENT = 'https://idp.example/.well-known/openid-configuration';
  const GOOD = {
    issuer: 'https://idp.example',
    jwks_uri: 'https://idp.example/jwks',
    authorization_endpoint: 'https://idp.example/auth',
    token_endpoint: 'https://idp.example/token',
    end_session_endpoint: 'https://idp.example/logout',
  };

  async function relyingPartyOf(changes: Claims, isThere = () => true) {
    const keys = shared().provider;
    const jwks: unknown = await (
      await fetch(keys.discoveryUrl.replace('.well-known/openid-configuration', 'jwks'))
    ).json();
    const verifier = createUserTokenVerifier({
      discoveryUrls: [DOCUMENT],
      allowedClients: ['c'],
      allowedAudience: [],
      allowedScopes: [],
      userClaim: 'sub',
      clock: systemClock,
      fetch: async (url) => {
        if (!isThere()) throw new TypeError('fetch failed');
        return new Response(
          JSON.stringify(new Request(url).url === DOCUMENT ? { ...GOOD, ...changes } : jwks),
          {
            headers: { 'content-type': 'application/json' },
          },
        );
      },
    });
    const [issuerKeys] = verifier.issuers;
    if (issuerKeys === undefined) throw new Error('one issuer is configured');
    await verifier.load();
    return createRelyingParty({
      keys: issuerKeys,
      clientId: 'c',
      clientSecret: new Secret('s'),
      scopes: ['openid'],
      userClaim: 'sub',
      publicUrl: 'https://binding.example',
      clock: systemClock,
      randomness: systemRandomness,
    });
  }

  it.each([
    ['authorization_endpoint', 'http://idp.example/auth'],
    ['authorization_endpoint', 'http://127.0.0.1:1/auth'],
    ['authorization_endpoint', 'javascript:alert(1)'],
    ['authorization_endpoint', undefined],
    ['token_endpoint', 'http://idp.example/token'],
    ['token_endpoint', 'http://localhost/token'],
    ['token_endpoint', 7],
  ])('whose %s is %j sends nobody anywhere [SB-12]', async (name, value) => {
    const relyingParty = await relyingPartyOf({ [name]: value });
    expect(await relyingParty.begin()).toEqual({ kind: 'issuer_unavailable', reason: `${name}_not_https` });
  });

  it.each([
    [{}, 'https://idp.example/logout?client_id=c'],
    [{ end_session_endpoint: undefined }, undefined],
    [{ end_session_endpoint: 'http://idp.example/logout' }, undefined],
    [{ end_session_endpoint: 'javascript:alert(1)' }, undefined],
  ])('with %j signs out at %j', async (changes, url) => {
    const relyingParty = await relyingPartyOf(changes);
    expect(relyingParty.endSessionUrl({ issuer: GOOD.issuer, subject: 'a' })).toBe(url);
    expect(relyingParty.endSessionUrl({ issuer: 'https://other.example', subject: 'a' })).toBeUndefined();
  });

  it.each([
    [{ token_endpoint_auth_methods_supported: 'client_secret_post' }],
    [{ id_token_signing_alg_values_supported: { 0: 'RS256' } }],
  ])('with %j, which is no list, says nothing by it', async (changes) => {
    expect(await (await relyingPartyOf(changes)).begin()).toMatchObject({ kind: 'begun' });
  });

  it('that no replica of this kind has read yet ends a login that another began [SB-12]', async () => {
    const began = await (await relyingPartyOf({})).begin();
    if (began.kind !== 'begun') throw new Error('it began');
    const other = await relyingPartyOf({}, () => false);
    const answer = new URLSearchParams({ code: 'c', state: began.secrets.state });
    expect(await other.finish(answer, began.secrets)).toEqual({
      kind: 'issuer_unavailable',
      reason: 'issuer_never_reached',
    });
  });

  it('of Cognito names the way back that Cognito insists on', async () => {
    const issuer = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Abc123';
    const relyingParty = await relyingPartyOf({ issuer });
    expect(relyingParty.endSessionUrl({ issuer, subject: 'a' })).toBe(
      'https://idp.example/logout?client_id=c&logout_uri=https%3A%2F%2Fbinding.example%2Fsign-in',
    );
  });
});

describe('signing out', () => {
  it('ends here first, and leads on to the issuer', async () => {
    const world = shared();
    const browser = await signedInBrowser(world, newUser('alice'));
    const page = await press(
      browser,
      await browser.open(`${world.url}/sign-in`),
      'Sign out of all my browsers',
    );
    expect(page.status).toBe(200);
    const url = `${world.provider.issuer}/session/end?client_id=public-client`;
    expect(page.body).toContain(`<meta http-equiv="refresh" content="0;url=${url}" />`);
    expectPage(await browser.open(`${world.url}/sign-in`), 401, 'not_signed_in');
  });
});

describe('what a login knows', () => {
  it('is in no line of the log: no code, state, nonce, verifier or token [SB-16]', async () => {
    const world = await startLoginWorld({ client: 'basic' });
    const canaries: string[] = ['basic-secret'];
    world.provider.spoil = {
      answers: {
        '/token': (body) => {
          canaries.push(String(body['access_token']), String(body['id_token']));
          return body;
        },
      },
    };
    const browser = new Browser();
    const asked = await beginLogin(world, browser);
    const answer = await answerOf(world, asked, newUser('alice'));
    for (const url of [asked, answer])
      for (const name of ['state', 'nonce', 'code']) canaries.push(new URL(url).searchParams.get(name) ?? '');
    for (let visit = 0; visit < 2; visit += 1) await openWith(answer, headerOf(loginCookies(browser, world)));
    const log = world.rawLog();
    expect(log).toContain('"by":"login"');
    const told = canaries.filter((canary) => canary.length > 10 && log.includes(canary));
    expect(canaries.length).toBeGreaterThan(6);
    expect(told).toEqual([]);
  });
});
