import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import {
  answerOf,
  beginLogin,
  headerOf,
  loginCookies,
  type LoginWorld,
  openWith,
  startLoginWorld,
  waitingFlow,
} from '../login/login-world.ts';
import { Canaries, expectNoneIn, expectSilentLog } from '../support/canaries.ts';
import { CLIENTS, type OidcProvider } from '../support/oidc-provider.ts';

const SESSION_SECRET = 'canary-session-secret-of-the-logins-0123456789';
const { clientId, clientSecret } = CLIENTS.basic;

type Body = Record<string, unknown>;

/** The token endpoint says something else, made of everything that it was told and was about to tell. */
function lie(status: number, change: (body: Body, told: string) => unknown, headers = {}) {
  return ({ provider }: LoginWorld): OidcProvider['spoil'] => ({
    answers: {
      '/token': (body) => {
        const { code = '', code_verifier: verifier = '' } = provider.tokenForms.at(-1) ?? {};
        return change(
          body,
          `${String(code)} ${String(verifier)} ${clientSecret} ${String(body['id_token'])}`,
        );
      },
    },
    tokenAnswer: { status, headers },
  });
}

/** Each of these ways was taken. */
const OUTCOMES = [
  'login',
  'no_login_transaction',
  'wrong_response',
  'wrong_answer',
  'invalid_grant',
  'token_endpoint_error',
  'token_endpoint_invalid_client',
];

const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An ID token whose header or claims carry what was told. */
const idToken = (make: (told: string) => readonly [unknown, unknown]) =>
  lie(200, (body, told) => ({ ...body, id_token: `${make(told).map(segment).join('.')}.c2lnbmF0dXJl` }));

const LIES: Readonly<Record<string, (world: LoginWorld) => OidcProvider['spoil']>> = {
  'the truth': () => ({}),
  'an error made of it': lie(400, (_body, told) => ({
    error: told,
    error_description: told,
    error_uri: told,
  })),
  'a known error that describes it': lie(400, (_body, told) => ({
    error: 'invalid_grant',
    error_description: told,
  })),
  'a challenge made of it': lie(401, (_body, told) => told, {
    'www-authenticate': `Basic realm="${clientSecret}"`,
  }),
  'a page made of it': lie(200, (_body, told) => `<p>${told}`, { 'content-type': 'text/html' }),
  'half of JSON': lie(200, (_body, told) => `{"id_token": "${told}`, { 'content-type': 'application/json' }),
  'a redirect that takes it along': lie(307, (_body, told) => told, {
    location: `/jwks?secret=${clientSecret}`,
  }),
  'a failure': lie(500, (_body, told) => told),
  'an ID token with it as an algorithm': idToken((told) => [{ alg: told, kid: told }, { sub: told }]),
  'an ID token with it as a kid': idToken((told) => [
    { alg: 'RS256', kid: told },
    { iss: told, sub: told, aud: told },
  ]),
  'an ID token with it as claims': lie(200, (body, told) => {
    const [header, , signature] = String(body['id_token']).split('.');
    return {
      ...body,
      id_token: `${header}.${segment({ iss: told, sub: told, aud: told, nonce: told, exp: told })}.${signature}`,
    };
  }),
  'no ID token, and it as a type': lie(200, (_body, told) => ({ access_token: told, token_type: told })),
};

describe('what a login knows', () => {
  it('is in no line and in no answer, whatever the issuer makes of it [SB-16] [SB-25] [SB-31]', async () => {
    const canaries = new Canaries();
    // A state goes back into a page of the browser that it is worth something to.
    const states = new Canaries();
    const pages: Page[] = [];
    canaries.addAll({
      SESSION_SECRET,
      'the client secret': clientSecret,
      'the Basic credentials': Buffer.from(`${clientId}:${encodeURIComponent(clientSecret)}`).toString(
        'base64',
      ),
    });
    const world = await startLoginWorld({
      client: 'basic',
      config: { sessionSecrets: [new Secret(SESSION_SECRET)] },
    });

    for (const [index, spoilFor] of Object.values(LIES).entries()) {
      const login = `canary-login-${index}`;
      const flow = await waitingFlow(world, login);
      const browser = new Browser();
      const asked = new URL(await beginLogin(world, browser, new URL(flow.callback).search));
      const answer = await answerOf(world, asked.href, login);
      const transactions = loginCookies(browser, world).map(([, value]) => value);

      // Another browser, then the right one while the issuer lies, then the right one once more.
      pages.push(await openWith(answer, ''));
      world.provider.spoil = spoilFor(world);
      const cookies = headerOf(browser.cookies(world.url));
      const arrived = await openWith(answer, cookies);
      world.provider.spoil = {};
      const own = headerOf(valuesIn(arrived));
      pages.push(arrived, await openWith(answer, cookies), await openWith(flow.callback, own));

      const { state, code } = Object.fromEntries(new URL(answer).searchParams);
      states.add(`state ${index}`, state);
      canaries.addAll({
        [`user token ${index}`]: flow.userToken,
        [`flow ${index}`]: flow.sessionUri,
        [`code ${index}`]: code,
        [`nonce ${index}`]: asked.searchParams.get('nonce') ?? '',
        [`verifier ${index}`]: String(world.provider.tokenForms.at(-1)?.['code_verifier']),
        ...Object.fromEntries(transactions.map((value) => [`transaction ${index}`, value])),
        ...Object.fromEntries(valuesIn(arrived).map(([name, value]) => [`${name} ${index}`, value])),
      });
      const { href } = new URL(
        `/login/callback?state=${state}&error=canary-${code}&error_description=${code}`,
        world.url,
      );
      pages.push(await openWith(href, ''), await openWith(href, cookies));
    }

    const outcomes = world.log().filter(({ event }) => event === 'sign_in' || event === 'refused');
    expect(new Set(outcomes.map(({ reason, by }) => reason ?? by))).toEqual(new Set(OUTCOMES));
    expectSilentLog(world.rawLog(), canaries);
    expectSilentLog(world.rawLog(), states);
    expectNoneIn(pages, canaries);
  });
});

/** Cookies that an answer sets, not those it takes away. */
function valuesIn({ headers }: Page): readonly (readonly [string, string])[] {
  const lines = [headers['set-cookie'] ?? []].flat().filter((line) => !line.includes('Max-Age=0'));
  return lines.map((line) => {
    const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
    return [name, value];
  });
}
