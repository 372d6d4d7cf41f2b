import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { type Issuer, startIssuer } from '../../src/emulator/issuer.ts';
import type { Config } from '../../src/env/config.ts';
import { expectProblem } from '../support/answers.ts';
import { consent, visitAsProgram } from '../support/consent.ts';
import { callsFor, postToken } from '../support/flows.ts';
import { startWorld, type World } from '../support/world.ts';

type Claims = Readonly<Record<string, unknown>>;

/** An identity provider as its documentation shows it; every Cognito claim is left out unless named here. */
interface Provider {
  readonly name: string;
  readonly discoveryUrl: string;
  readonly issuer: string;
  readonly config: Partial<Config>;
  readonly claims: Claims;
  readonly header?: Claims;
  readonly subject: string;
  readonly username: string;
  /** Each of them is no token for this service. */
  readonly refused: Readonly<Record<string, Claims>>;
}

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const APP = '6731de76-14a6-49ae-97bc-6eba6914391e';
const OTHER_APP = '00000000-0000-0000-0000-000000000001';
const OID = '690222be-ff1a-4d56-abd1-7e4f7d38e474';

const PROVIDERS: readonly Provider[] = [
  {
    // https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
    name: 'Cognito, access token',
    discoveryUrl:
      'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI/.well-known/openid-configuration',
    issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI',
    config: { allowedClients: ['1example23456789'], allowedScopes: ['agent/invoke'] },
    claims: {
      sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
      'cognito:groups': ['sales'],
      client_id: '1example23456789',
      token_use: 'access',
      scope: 'openid agent/invoke',
      version: 2,
      username: 'alice',
    },
    subject: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    username: 'alice',
    refused: {
      'of another client': { client_id: '9example87654321' },
      'an ID token of the client': { client_id: undefined, aud: '1example23456789', token_use: 'id' },
      'without the scope': { scope: 'openid' },
    },
  },
  {
    name: 'Cognito, ID token',
    discoveryUrl:
      'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI/.well-known/openid-configuration',
    issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI',
    config: { allowedClients: [], allowedAudience: ['1example23456789'] },
    claims: {
      sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
      'cognito:username': 'alice',
      aud: '1example23456789',
      token_use: 'id',
      email: 'alice@example.com',
      email_verified: true,
    },
    subject: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    username: 'alice',
    refused: {
      'for another client': { aud: '9example87654321' },
      'an access token, which names no audience': { aud: undefined, token_use: 'access' },
    },
  },
  {
    // https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    name: 'Entra ID, version 1 tokens',
    discoveryUrl: `https://login.microsoftonline.com/${TENANT}/.well-known/openid-configuration`,
    issuer: `https://sts.windows.net/${TENANT}/`,
    config: { allowedClients: [APP], allowedAudience: [`api://${APP}`], userClaim: 'oid' },
    claims: {
      aud: `api://${APP}`,
      appid: APP,
      appidacr: '0',
      oid: OID,
      sub: 'pairwise-for-this-app',
      scp: 'user_impersonation',
      tid: TENANT,
      unique_name: 'alice@contoso.com',
      upn: 'alice@contoso.com',
      name: 'Alice',
      ver: '1.0',
    },
    header: { typ: 'JWT', x5t: 'thumbprint' },
    subject: OID,
    username: 'Alice',
    refused: {
      'of another client': { appid: OTHER_APP },
      'for another API': { aud: 'https://graph.microsoft.com' },
      'of an application, which has no user': { oid: undefined },
      'of version 2 at the same tenant': { iss: `https://login.microsoftonline.com/${TENANT}/v2.0` },
      'of an issuer without its slash': { iss: `https://sts.windows.net/${TENANT}` },
    },
  },
  {
    name: 'Entra ID, version 2 tokens',
    discoveryUrl: `https://login.microsoftonline.com/${TENANT}/v2.0/.well-known/openid-configuration`,
    issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
    config: {
      allowedClients: [APP],
      allowedAudience: [APP],
      allowedScopes: ['agent.invoke'],
      userClaim: 'oid',
    },
    claims: {
      aud: APP,
      azp: APP,
      azpacr: '0',
      oid: OID,
      sub: 'pairwise-for-this-app',
      scp: 'agent.invoke openid',
      tid: TENANT,
      preferred_username: 'alice@contoso.com',
      name: 'Alice',
      ver: '2.0',
    },
    header: { typ: 'JWT' },
    subject: OID,
    username: 'alice@contoso.com',
    refused: {
      'of another client': { azp: OTHER_APP },
      'of another tenant': { iss: `https://login.microsoftonline.com/${OTHER_APP}/v2.0` },
      'without the scope': { scp: 'openid' },
    },
  },
  {
    // https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/#access-token-payload
    name: 'Okta',
    discoveryUrl: 'https://dev-123456.okta.com/oauth2/default/.well-known/openid-configuration',
    issuer: 'https://dev-123456.okta.com/oauth2/default',
    config: {
      allowedClients: ['0oabucvyc38HLL1ef0h7'],
      allowedAudience: ['api://default'],
      allowedScopes: ['agent'],
    },
    claims: {
      ver: 1,
      aud: 'api://default',
      cid: '0oabucvyc38HLL1ef0h7',
      uid: '00uid4BxXw6I6TV4m0g3',
      scp: ['openid', 'agent'],
      sub: 'alice@example.com',
    },
    subject: 'alice@example.com',
    username: '',
    refused: {
      'of another client': { cid: '0oaother000000000000' },
      'of a client that only its name fits': { client_id: '0oaother000000000000' },
      'for another authorization server': { aud: 'https://dev-123456.okta.com' },
      'without the scope': { scp: ['openid'] },
    },
  },
  {
    // https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
    name: 'Auth0',
    discoveryUrl: 'https://acme.eu.auth0.com/.well-known/openid-configuration',
    issuer: 'https://acme.eu.auth0.com/',
    config: {
      allowedClients: ['my_client_id'],
      allowedAudience: ['https://agent.example.com'],
      allowedScopes: ['invoke:agent'],
    },
    claims: {
      sub: 'auth0|5f7c8ec7c33c6c004bbafe82',
      aud: ['https://agent.example.com', 'https://acme.eu.auth0.com/userinfo'],
      azp: 'my_client_id',
      scope: 'openid profile invoke:agent',
    },
    header: { typ: 'at+jwt' },
    subject: 'auth0|5f7c8ec7c33c6c004bbafe82',
    username: '',
    refused: {
      'of another client': { azp: 'other_client_id' },
      'for userinfo alone': { aud: ['https://acme.eu.auth0.com/userinfo'] },
      'of an issuer without its slash': { iss: 'https://acme.eu.auth0.com' },
    },
  },
  {
    // https://www.keycloak.org/docs/latest/server_admin/#_audience
    name: 'Keycloak',
    discoveryUrl: 'https://sso.example.com/realms/acme/.well-known/openid-configuration',
    issuer: 'https://sso.example.com/realms/acme',
    config: { allowedClients: ['sales-app'], allowedAudience: ['account'] },
    claims: {
      aud: 'account',
      sub: 'f9f0b1b0-1111-4222-8333-444444444444',
      typ: 'Bearer',
      azp: 'sales-app',
      sid: 'c0ffee',
      acr: '1',
      realm_access: { roles: ['offline_access'] },
      scope: 'openid email profile',
      preferred_username: 'alice',
    },
    header: { typ: 'JWT' },
    subject: 'f9f0b1b0-1111-4222-8333-444444444444',
    username: 'alice',
    refused: {
      'of another client': { azp: 'admin-cli' },
      'of another realm': { iss: 'https://sso.example.com/realms/master' },
      'for another audience': { aud: ['realm-management'] },
    },
  },
];

/** Claims of the emulated issuer's own shape that a provider must name to have them. */
const NOT_COGNITO: Claims = Object.fromEntries(
  ['client_id', 'origin_jti', 'token_use', 'scope', 'auth_time', 'username'].map((name) => [name, undefined]),
);

/** Puts the emulated issuer under that provider's names: its documents arrive from its socket and say the provider's. */
function fetchAs({ discoveryUrl, issuer }: Provider): (emulated: Issuer) => typeof globalThis.fetch {
  const keysUrl = new URL('/keys', discoveryUrl).href;
  return (emulated) => async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (url === keysUrl) return fetch(`${emulated.issuer}/.well-known/jwks.json`, init);
    if (url !== discoveryUrl) throw new TypeError(`nothing answers at ${url}`);
    const document: unknown = await (await fetch(emulated.discoveryUrl, init)).json();
    return Response.json({ ...Object(document), issuer, jwks_uri: keysUrl });
  };
}

describe.each(PROVIDERS)('$name', (provider) => {
  let world: World;
  let end = async () => {};

  beforeAll(async () => {
    const { config, discoveryUrl } = provider;
    world = await startWorld(
      { config: { ...config, discoveryUrls: [discoveryUrl] }, issuerFetch: fetchAs(provider) },
      (close) => (end = close),
    );
  });
  afterAll(() => end());

  const tokenWith = (changes: Claims = {}) =>
    world.issuer.accessToken({
      claims: { ...NOT_COGNITO, iss: provider.issuer, ...provider.claims, ...changes },
      ...(provider.header && { header: provider.header }),
    });

  it('names its user, whose flow is bound with this very token', async () => {
    const token = await tokenWith();
    const flow = await world.agent.open(token);
    const browser = new Browser();
    const posted = await postToken(world, browser, { user_token: token, session_uri: flow.sessionUri });
    expect(posted.status).toBe(200);
    const { subject, username } = provider;
    expect(JSON.parse(posted.body)).toMatchObject({
      user: username === '' ? { subject } : { subject, username },
    });
    expect((await visitAsProgram(browser, await consent(flow))).body).toBe('{"status":"completed"}');
    expect(world.agentcore.calls.at(-1)).toMatchObject({ userToken: token, answer: 'bound' });
  });

  it.each(Object.entries(provider.refused))('is refused a token %s [SB-11]', async (_, changes) => {
    const posted = await postToken(world, new Browser(), { user_token: await tokenWith(changes) });
    expectProblem(posted, 401, 'invalid_token');
  });
});

describe('users of two issuers with the same subject', () => {
  let first: Issuer;
  let second: Issuer;
  let world: World;
  let end = async () => {};

  beforeAll(async () => {
    [first, second] = await Promise.all([startIssuer(), startIssuer({ path: '/second' })]);
    const discoveryUrls = [first.discoveryUrl, second.discoveryUrl];
    world = await startWorld({ config: { discoveryUrls } }, (close) => (end = close));
  });
  afterAll(async () => {
    await end();
    await Promise.all([first.close(), second.close()]);
  });

  const tokenOf = (issuer: Issuer) => issuer.accessToken({ subject: 'one-subject', clientId: 'demo-client' });

  it('are two: neither can bind what the other’s app has pinned [SB-01] [SB-11]', async () => {
    const token = await tokenOf(first);
    const flow = await world.agent.open(token);
    const owner = await world.signedIn(token, { session_uri: flow.sessionUri });
    const other = await world.signedIn(await tokenOf(second));
    const url = await consent(flow);
    expectProblem(await visitAsProgram(other, url), 403, 'user_mismatch');
    expect(callsFor(world, flow.sessionUri)).toBe(0);
    const posted = await postToken(world, other, {
      user_token: await tokenOf(second),
      session_uri: flow.sessionUri,
    });
    expectProblem(posted, 403, 'user_mismatch');

    expect((await visitAsProgram(owner, url)).status).toBe(200);
    expectProblem(await visitAsProgram(other, url), 403, 'user_mismatch');
    expect(world.agentcore.vaultOwnerOf(flow.sessionUri)).toMatchObject({ issuer: first.issuer });
  });

  it('are two: of an unpinned flow each sends his own tokens alone [SB-01] [SB-11]', async () => {
    const token = await tokenOf(first);
    const flow = await world.agent.open(token);
    const owner = await world.signedIn(token);
    const others = await tokenOf(second);
    const other = await world.signedIn(others);
    const url = await consent(flow);
    expectProblem(await visitAsProgram(other, url), 410, 'authorization_expired');
    const sent = world.agentcore.calls.filter(({ sessionUri }) => sessionUri === flow.sessionUri);
    expect(sent.length).toBeGreaterThan(0);
    for (const { userToken } of sent) expect(userToken).not.toBe(token);
    expect((await visitAsProgram(owner, url)).status).toBe(200);
  });

  it('are two: signing one in ends the browser session of the other, in the same browser [SB-05]', async () => {
    const browser = await world.signedIn(await tokenOf(first));
    const flow = await world.agent.open(await tokenOf(first));
    const posted = await postToken(world, browser, { user_token: await tokenOf(second) });
    expect(posted.status).toBe(200);
    const { custom_state: state } = JSON.parse(
      (await postToken(world, new Browser(), { user_token: await tokenOf(first) })).body,
    ) as { custom_state: string };
    const url = new URL(await consent(flow));
    url.searchParams.set('state', state);
    expectProblem(await visitAsProgram(browser, url.href), 403, 'user_mismatch');
  });
});
