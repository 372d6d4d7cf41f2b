import { type AuthFlowType, InitiateAuthCommand } from '@aws-sdk/client-cognito-identity-provider';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { must } from '../agentcore/stand-in-flow.ts';
import { CLIENT_ID, parametersOf, SECRET_CLIENT, shareEmulatedWorld } from './emulated-world.ts';

const HOUR = 3_600_000;
const VERIFIER = 'a-verifier-of-at-least-forty-three-characters-0123456789';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

const world = shareEmulatedWorld();

async function initiate(
  flow: AuthFlowType,
  parameters: Record<string, string>,
  clientId: string = CLIENT_ID,
) {
  const command = new InitiateAuthCommand({
    AuthFlow: flow,
    ClientId: clientId,
    AuthParameters: parameters,
  });
  return must((await world().cognito.send(command)).AuthenticationResult);
}

const alice = { USERNAME: 'alice', PASSWORD: 'alice' };

function hashOf(name: string): string {
  const { clientId, clientSecret } = SECRET_CLIENT;
  return createHmac('sha256', clientSecret).update(`${name}${clientId}`).digest('base64');
}

describe('a token that the emulated user pool signs by itself', () => {
  it('is of the user with that name, as a sign-in is, and of nobody where none is said', async () => {
    const { cognito } = world().emulator;
    const { AccessToken } = await initiate('USER_PASSWORD_AUTH', alice);
    const { sub } = decodeJwt(must(AccessToken));
    expect(decodeJwt(await cognito.accessToken({ username: 'alice' })).sub).toBe(sub);
    expect(decodeJwt(await cognito.accessToken({ username: 'alice', subject: 's' })).sub).toBe('s');
    expect(decodeJwt(await cognito.accessToken({ username: 'nobody' })).sub).not.toBe(sub);
  });
});

describe('the API of the emulated user pool', () => {
  it('answers USER_PASSWORD_AUTH with an access and an ID token as Cognito makes them', async () => {
    const { issuer } = world().emulator.cognito;
    const tokens = await initiate('USER_PASSWORD_AUTH', alice);
    expect(tokens).toMatchObject({ ExpiresIn: 3600, TokenType: 'Bearer' });
    const access = decodeJwt(must(tokens.AccessToken));
    expect(access).toMatchObject({
      iss: issuer,
      token_use: 'access',
      client_id: CLIENT_ID,
      username: 'alice',
      scope: 'aws.cognito.signin.user.admin',
    });
    expect(access).not.toHaveProperty('aud');
    const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(must(tokens.IdToken), keys, { issuer, audience: CLIENT_ID });
    expect(payload).toMatchObject({
      sub: access.sub,
      token_use: 'id',
      'cognito:username': 'alice',
      email: 'alice@example.com',
    });
    expect(payload).not.toHaveProperty('client_id');
  });

  it.each<[string, AuthFlowType, Record<string, string>, object]>([
    [
      'a wrong password',
      'USER_PASSWORD_AUTH',
      { ...alice, PASSWORD: 'x' },
      { name: 'NotAuthorizedException' },
    ],
    [
      'an unknown user',
      'USER_PASSWORD_AUTH',
      { ...alice, USERNAME: 'x' },
      { name: 'NotAuthorizedException' },
    ],
    ['no password', 'USER_PASSWORD_AUTH', { USERNAME: 'alice' }, { name: 'InvalidParameterException' }],
    ['no name', 'USER_PASSWORD_AUTH', { PASSWORD: 'alice' }, { name: 'InvalidParameterException' }],
    ['another flow', 'CUSTOM_AUTH', alice, { name: 'InvalidParameterException' }],
    [
      'a hash without a secret',
      'USER_PASSWORD_AUTH',
      { ...alice, SECRET_HASH: 'x' },
      { name: 'NotAuthorizedException' },
    ],
    [
      'a forged refresh token',
      'REFRESH_TOKEN_AUTH',
      { REFRESH_TOKEN: 'x' },
      { message: 'Invalid Refresh Token' },
    ],
  ])('refuses %s', async (_, flow, parameters, refusal) => {
    await expect(initiate(flow, parameters)).rejects.toMatchObject(refusal);
  });

  it('wants the secret hash of a client that has a secret', async () => {
    const { clientId } = SECRET_CLIENT;
    const signIn = (more: object = {}) => initiate('USER_PASSWORD_AUTH', { ...alice, ...more }, clientId);
    await expect(signIn()).rejects.toMatchObject({
      message: `Client ${clientId} is configured with secret but SECRET_HASH was not received`,
    });
    await expect(signIn({ SECRET_HASH: hashOf('bob') })).rejects.toMatchObject({
      message: `Unable to verify secret hash for client ${clientId}`,
    });
    const { RefreshToken } = await signIn({ SECRET_HASH: hashOf('alice') });
    const refresh = { REFRESH_TOKEN: must(RefreshToken) };
    await expect(initiate('REFRESH_TOKEN_AUTH', refresh, clientId)).rejects.toMatchObject({
      name: 'NotAuthorizedException',
    });
    const refreshed = await initiate(
      'REFRESH_TOKEN_AUTH',
      { ...refresh, SECRET_HASH: hashOf('alice') },
      clientId,
    );
    expect(refreshed.AccessToken).toBeDefined();
  });

  it('refreshes: another access token of the same user, and no new refresh token', async () => {
    const { AccessToken: first, RefreshToken } = await initiate('USER_PASSWORD_AUTH', alice);
    const refresh = { REFRESH_TOKEN: must(RefreshToken) };
    const { AccessToken: second, RefreshToken: none } = await initiate('REFRESH_TOKEN_AUTH', refresh);
    expect(second).not.toBe(first);
    expect(decodeJwt(must(second)).sub).toBe(decodeJwt(must(first)).sub);
    expect(none).toBeUndefined();
    await expect(initiate('REFRESH_TOKEN_AUTH', refresh, SECRET_CLIENT.clientId)).rejects.toMatchObject({
      message: 'Invalid Refresh Token',
    });
    world().emulator.advance(30 * 24 * HOUR);
    await expect(initiate('REFRESH_TOKEN_AUTH', refresh)).rejects.toMatchObject({
      message: 'Invalid Refresh Token',
    });
  });

  it('knows no other client and no other operation', async () => {
    await expect(initiate('USER_PASSWORD_AUTH', alice, 'nobody')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    const answer = await fetch(world().emulator.cognito.endpoint, { method: 'POST', body: '{}' });
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([
      400,
      'UnknownOperationException',
    ]);
    expect((await fetch(`${world().emulator.cognito.endpoint}/elsewhere`)).status).toBe(404);
  });
});

interface DiscoveryDocument {
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly userinfo_endpoint: string;
  readonly end_session_endpoint: string;
}

async function discover(): Promise<DiscoveryDocument> {
  return (await (await fetch(world().emulator.cognito.discoveryUrl)).json()) as DiscoveryDocument;
}

async function openSignIn(browser: Browser, more: Record<string, string> = {}): Promise<Page> {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: world().returnUrl,
    scope: 'openid profile',
    state: 'st',
    nonce: 'no',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...more,
  });
  return browser.open(`${(await discover()).authorization_endpoint}?${query.toString()}`);
}

async function redeem(more: Record<string, string>, headers: Record<string, string> = {}) {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: CLIENT_ID,
    redirect_uri: world().returnUrl,
    code_verifier: VERIFIER,
    ...more,
  });
  const response = await fetch((await discover()).token_endpoint, { method: 'POST', body, headers });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

async function newCode(more: Record<string, string> = {}): Promise<string> {
  const browser = new Browser();
  const login = await openSignIn(browser, more);
  const page = await browser.submit(login.url, { username: 'alice', password: 'alice' });
  return must(parametersOf(page)['code']);
}

describe('the hosted sign-in of the emulated user pool', () => {
  it('asks for name and password, and comes back with a code that PKCE protects', async () => {
    const browser = new Browser();
    const login = await openSignIn(browser);
    expect(new URL(login.url).pathname).toBe('/login');
    const wrong = await browser.submit(login.url, { username: '<b>', password: 'x' });
    expect(wrong.body).toContain('Incorrect username or password.');
    expect(wrong.body).not.toContain('<b>');

    const page = await browser.submit(login.url, { username: 'alice', password: 'alice' });

    expect(parametersOf(page)).toEqual({ code: expect.any(String), state: 'st' });
    const { body } = await redeem({ code: must(parametersOf(page)['code']) });
    expect(decodeJwt(must(body['id_token']))).toMatchObject({ nonce: 'no', aud: CLIENT_ID });
    expect(decodeJwt(must(body['access_token']))).toMatchObject({
      scope: 'openid profile',
      username: 'alice',
    });

    const { userinfo_endpoint: userInfo } = await discover();
    const ask = (bearer: string | undefined) =>
      fetch(userInfo, { headers: { authorization: `Bearer ${bearer}` } });
    expect(await (await ask(body['access_token'])).json()).toMatchObject({ username: 'alice' });
    expect((await ask('forged')).status).toBe(401);
    const refreshed = await redeem({
      grant_type: 'refresh_token',
      refresh_token: must(body['refresh_token']),
    });
    expect(refreshed.body).toHaveProperty('access_token');
    world().emulator.advance(HOUR);
    expect((await ask(body['access_token'])).status).toBe(401);
  });

  it('knows a browser again until it is logged out, and asks again where it must', async () => {
    const browser = new Browser();
    const login = await openSignIn(browser);
    await browser.submit(login.url, { username: 'alice', password: 'alice' });
    expect(parametersOf(await openSignIn(browser))).toHaveProperty('code');
    expect(new URL((await openSignIn(browser, { prompt: 'login' })).url).pathname).toBe('/login');

    const { end_session_endpoint: logout } = await discover();
    const out = (uri: string) => {
      const query = new URLSearchParams({ client_id: CLIENT_ID, logout_uri: uri });
      return browser.open(`${logout}?${query.toString()}`);
    };
    expect((await out('https://evil.example')).status).toBe(400);
    const kept = browser.cookies(logout).get('cognito') ?? '';
    expect((await out(world().returnUrl)).url).toBe(world().returnUrl);
    expect(new URL((await openSignIn(browser, { login_hint: 'bob' })).url).pathname).toBe('/login');
    // A copy of the cookie is worth nothing either.
    const { url } = await openSignIn(browser);
    const authorize = url.replace('/login', '/oauth2/authorize');
    const copied = await new Browser().send(authorize, { headers: { cookie: `cognito=${kept}` } });
    expect(copied.headers['location']).toMatch(/^\/login/);
  });

  it.each([
    ['an unknown client', { client_id: 'nobody' }, 'invalid_client'],
    ['another redirect URI', { redirect_uri: 'https://evil.example' }, 'redirect_mismatch'],
  ])('redirects nobody for %s', async (_, more, word) => {
    const page = await openSignIn(new Browser(), more);
    expect(page.status).toBe(400);
    expect(page.body).toContain(word);
  });

  it.each([
    ['another response type', { response_type: 'token' }],
    ['a plain challenge', { code_challenge_method: 'plain' }],
  ])('tells the application of %s', async (_, more) => {
    const page = await openSignIn(new Browser(), more);
    expect(parametersOf(page)).toEqual({ error: 'invalid_request', state: 'st' });
  });

  it('redeems a code once, with its verifier, for its client and its redirect URI', async () => {
    const refused = { status: 400, body: { error: 'invalid_grant' } };
    const code = await newCode();
    expect(await redeem({ code })).toMatchObject({ status: 200 });
    expect(await redeem({ code })).toEqual(refused);
    expect(await redeem({ code: await newCode(), code_verifier: 'x' })).toEqual(refused);
    expect(await redeem({ code: await newCode(), redirect_uri: 'https://x.example' })).toEqual(refused);
    const secret = { client_id: SECRET_CLIENT.clientId, client_secret: SECRET_CLIENT.clientSecret };
    expect(await redeem({ code: await newCode(), ...secret })).toEqual(refused);
    const late = await newCode();
    world().emulator.advance(5 * 60_000);
    expect(await redeem({ code: late })).toEqual(refused);
    expect(await redeem({ grant_type: 'password' })).toMatchObject({
      body: { error: 'unsupported_grant_type' },
    });
  });

  it('wants the secret of a client that has one, in the form or in the header', async () => {
    const { clientId: client_id, clientSecret } = SECRET_CLIENT;
    const code = await newCode({ client_id });
    const refused = { status: 400, body: { error: 'invalid_client' } };
    expect(await redeem({ client_id, code })).toEqual(refused);
    expect(await redeem({ client_id, code, client_secret: 'wrong' })).toEqual(refused);
    const authorization = `Basic ${Buffer.from(`${client_id}:${clientSecret}`).toString('base64')}`;
    expect(await redeem({ code }, { authorization })).toMatchObject({ status: 200 });
  });
});
