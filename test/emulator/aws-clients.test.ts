import {
  CompleteResourceTokenAuthCommand,
  GetWorkloadAccessTokenForJWTCommand,
  GetWorkloadAccessTokenForUserIdCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import {
  CreateOauth2CredentialProviderCommand,
  CreateWorkloadIdentityCommand,
  DeleteWorkloadIdentityCommand,
  GetWorkloadIdentityCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import { afterEach, describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { must } from '../agentcore/stand-in-flow.ts';
import {
  allowReturnUrls,
  ask,
  complete,
  decide,
  mintFor,
  openFlow,
  parametersOf,
  poll,
  requestToken,
  shareEmulatedWorld,
  userTokenOf,
  WORKLOAD,
} from './emulated-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DRIVE = 'https://www.googleapis.com/auth/drive.metadata.readonly';
const ALICES_REPOSITORIES = ['alice/rabbit-hole', 'alice/tea-party'];
const INVALID = { name: 'AccessDeniedException', message: 'Invalid or expired session' };

const world = shareEmulatedWorld();

afterEach(async () => {
  world().emulator.agentcore.faults.clear();
  await allowReturnUrls(world(), [world().returnUrl]);
});

describe('a whole flow with the real AWS clients', () => {
  it('ends with alice’s private repositories on GitHub', async () => {
    const { emulator, returnUrl } = world();
    const flow = await openFlow(world(), 'alice', { customState: 'opaque&state' });
    expect(await poll(world(), flow)).toMatchObject({ sessionStatus: 'IN_PROGRESS' });

    const page = await decide(flow, 'Allow');

    expect(page.url.startsWith(`${returnUrl}?`)).toBe(true);
    expect(parametersOf(page)).toEqual({ session_id: flow.sessionUri, state: 'opaque&state' });
    expect(await poll(world(), flow)).toMatchObject({ sessionStatus: 'IN_PROGRESS' });
    const completed = await complete(world(), flow);
    expect(completed.$metadata.requestId).toBeDefined();

    const { accessToken } = await poll(world(), flow);
    const { origin } = emulator.github;
    expect(await ask(`${origin}/user`, accessToken)).toMatchObject({ status: 200, body: { login: 'alice' } });
    const found = await ask(
      `${origin}/search/repositories?q=${encodeURIComponent('user:alice is:private')}`,
      accessToken,
    );
    expect(found).toMatchObject({ body: { total_count: 2, items: [{ private: true }, { private: true }] } });
    const { items } = found.body as { items: { full_name: string }[] };
    expect(items.map(({ full_name }) => full_name)).toEqual(ALICES_REPOSITORIES);
    expect(await ask(`${origin}/user`, 'gho_forged')).toMatchObject({ status: 401 });
    expect(await ask(`${origin}/elsewhere`, accessToken)).toMatchObject({ status: 404 });
  });

  it('ends with the files of a user id on Google, whose access token AgentCore refreshes after an hour', async () => {
    const { data, emulator } = world();
    const minted = await data.send(
      new GetWorkloadAccessTokenForUserIdCommand({ workloadName: WORKLOAD, userId: 'user-7' }),
    );
    const workloadAccessToken = must(minted.workloadAccessToken);
    const google = {
      resourceCredentialProviderName: 'google',
      scopes: [DRIVE],
      // A caller's parameters add to AgentCore's own, and override none.
      customParameters: { access_type: 'offline', state: 'overridden', client_id: 'overridden' },
    };
    const opened = await requestToken(world(), workloadAccessToken, google);
    const sessionUri = must(opened.sessionUri);
    const page = await decide({ authorizationUrl: must(opened.authorizationUrl) }, 'Allow');
    expect(parametersOf(page)).toEqual({ session_id: sessionUri });

    const completion = (userIdentifier: { userId: string } | { userToken: string }) =>
      data.send(new CompleteResourceTokenAuthCommand({ sessionUri, userIdentifier }));
    await expect(completion({ userId: 'user-8' })).rejects.toMatchObject(INVALID);
    await expect(completion({ userToken: 'user-7' })).rejects.toMatchObject(INVALID);
    await completion({ userId: 'user-7' });

    const { accessToken } = await requestToken(world(), workloadAccessToken, google);
    const list = `${emulator.google.origin}/drive/v3/files`;
    expect(await ask(list, accessToken)).toMatchObject({
      status: 200,
      body: { files: [{ name: 'Croquet scores' }, { name: 'Letter to the Queen' }] },
    });

    emulator.advance(HOUR);
    expect(await ask(list, accessToken)).toMatchObject({ status: 401 });
    const refreshed = await requestToken(world(), workloadAccessToken, google);
    expect(refreshed.accessToken).not.toBe(accessToken);
    expect(await ask(list, refreshed.accessToken)).toMatchObject({ status: 200 });

    emulator.google.revoke('alice');
    expect(await ask(list, refreshed.accessToken)).toMatchObject({ status: 401 });
    emulator.advance(HOUR);
    const again = await requestToken(world(), workloadAccessToken, google);
    expect(again).toMatchObject({ sessionStatus: 'IN_PROGRESS' });
  });

  it('gives a fresh JWT of the same user the stored token, and nobody else and no other agent', async () => {
    const flow = await openFlow(world());
    await decide(flow, 'Allow');
    await complete(world(), flow);
    const { accessToken } = await poll(world(), flow);
    const tokenFor = async (username: string, more = {}) =>
      requestToken(world(), await mintFor(world(), await userTokenOf(world(), username)), more);
    expect(await tokenFor('alice')).toMatchObject({ accessToken });
    expect(await tokenFor('bob')).not.toHaveProperty('accessToken');
    const { control, data, returnUrl } = world();
    const agent = { name: 'other-agent', allowedResourceOauth2ReturnUrls: [returnUrl] };
    await control.send(new CreateWorkloadIdentityCommand(agent));
    const other = await data.send(
      new GetWorkloadAccessTokenForJWTCommand({ workloadName: agent.name, userToken: flow.userToken }),
    );
    const asked = await requestToken(world(), must(other.workloadAccessToken));
    expect(asked).not.toHaveProperty('accessToken');
    await control.send(new DeleteWorkloadIdentityCommand({ name: agent.name }));
    expect(await tokenFor('alice', { forceAuthentication: true })).not.toHaveProperty('accessToken');
  });

  it('takes any authorization server that a custom provider names by its discovery document', async () => {
    const { control, emulator, returnUrl } = world();
    const clientId = 'custom-provider';
    const clientSecret = 'custom-secret';
    const created = await control.send(
      new CreateOauth2CredentialProviderCommand({
        name: 'pool',
        credentialProviderVendor: 'CustomOauth2',
        oauth2ProviderConfigInput: {
          customOauth2ProviderConfig: {
            oauthDiscovery: { discoveryUrl: emulator.cognito.discoveryUrl },
            clientId,
            clientSecret,
          },
        },
      }),
    );
    emulator.cognito.addClient({ clientId, clientSecret, redirectUris: [must(created.callbackUrl)] });
    const pool = { resourceCredentialProviderName: 'pool', scopes: ['openid'] };
    const flow = await openFlow(world(), 'bob', pool);
    const browser = new Browser();
    const login = await browser.open(flow.authorizationUrl);
    const page = await browser.submit(login.url, { username: 'alice', password: 'alice' });
    expect(page.url.startsWith(returnUrl)).toBe(true);
    await complete(world(), flow);
    const { accessToken } = await requestToken(world(), flow.workloadAccessToken, pool);
    expect(await ask(`${emulator.cognito.endpoint}/oauth2/userInfo`, accessToken)).toMatchObject({
      body: { username: 'alice' },
    });
  });

  it('shows by itself what it was asked, and no secret', async () => {
    const { emulator } = world();
    const before = emulator.calls.length;
    const flow = await openFlow(world());
    await decide(flow, 'Allow');
    await complete(world(), flow);
    const calls = emulator.calls.slice(before);
    expect(calls.map(({ to, what, answer }) => `${to} ${what} ${answer}`)).toEqual([
      'cognito InitiateAuth ok',
      'agentcore GetWorkloadAccessTokenForJWT ok',
      'agentcore GetResourceOauth2Token ok',
      'agentcore authorize 302',
      'github /login/oauth/authorize 200',
      'github /login/oauth/authorize 302',
      'github /login/oauth/authorize 200',
      'github /login/oauth/authorize 302',
      'agentcore callback 302',
      'github /login/oauth/access_token 200',
      'agentcore CompleteResourceTokenAuth ok',
    ]);
    expect(JSON.stringify(calls)).not.toContain(flow.sessionUri);
  });
});

describe('time and faults', () => {
  it('ends an authorization session after ten minutes', async () => {
    const { emulator } = world();
    const flow = await openFlow(world());
    const unopened = await openFlow(world());
    await decide(flow, 'Allow');
    emulator.advance(10 * MINUTE);
    await expect(complete(world(), flow)).rejects.toMatchObject(INVALID);
    expect(await poll(world(), flow)).toMatchObject({ sessionStatus: 'FAILED' });
    expect((await new Browser().open(unopened.authorizationUrl)).status).toBe(400);
  });

  it('binds nothing while the authorization server is down, and all is well afterwards', async () => {
    const { emulator } = world();
    const flow = await openFlow(world());
    await decide(flow, 'Allow');
    emulator.github.outage = 'token';
    await expect(complete(world(), flow)).rejects.toMatchObject({ name: 'ValidationException' });
    emulator.github.outage = 'none';
    expect(emulator.agentcore.vaultOwnerOf(flow.sessionUri)).toBeUndefined();
    await complete(world(), flow);

    emulator.github.outage = 'api';
    const { accessToken } = await poll(world(), flow);
    expect(await ask(`${emulator.github.origin}/user`, accessToken)).toMatchObject({ status: 503 });
    emulator.github.outage = 'none';
  });

  it('redeems the code once, of however many completions at once', async () => {
    const flow = await openFlow(world());
    await decide(flow, 'Allow');
    const answers = await Promise.allSettled([1, 2, 3].map(() => complete(world(), flow)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  it('lets any call fail, as often as it is told', async () => {
    const { faults } = world().emulator.agentcore;
    faults.inject('throttled', 1, 'GetResourceOauth2Token');
    faults.inject('internal_error', 1, 'GetWorkloadIdentity');
    await expect(openFlow(world())).rejects.toMatchObject({ name: 'ThrottlingException' });
    const read = new GetWorkloadIdentityCommand({ name: WORKLOAD });
    await expect(world().control.send(read)).rejects.toMatchObject({ name: 'InternalServerException' });
    await world().control.send(read);

    const flow = await openFlow(world());
    await decide(flow, 'Allow');
    faults.inject('no_request_id', 1);
    expect((await complete(world(), flow)).$metadata.requestId).toBeUndefined();
    expect(await poll(world(), flow)).toHaveProperty('accessToken');
  });

  it('takes no callback that is not the authorization server’s answer to this very flow', async () => {
    const flow = await openFlow(world());
    const toProvider = await new Browser().send(flow.authorizationUrl);
    const asked = new URL(String(toProvider.headers['location'])).searchParams;
    const back = (query: Record<string, string>) =>
      fetch(`${asked.get('redirect_uri') ?? ''}?${new URLSearchParams(query).toString()}`, {
        redirect: 'manual',
      });
    const state = asked.get('state') ?? '';
    expect(asked.get('client_id')).toBe('id-of-github');
    expect((await back({ code: 'c', state: 'forged' })).status).toBe(400);
    expect((await back({ state })).status).toBe(400);
    const other = new URL(asked.get('redirect_uri') ?? '');
    other.pathname = other.pathname.replace(/[^/]+$/, 'other');
    other.search = new URLSearchParams({ code: 'c', state }).toString();
    expect((await fetch(other, { redirect: 'manual' })).status).toBe(400);
    expect((await back({ code: 'c', state })).status).toBe(302);
    await expect(complete(world(), flow)).rejects.toMatchObject({ name: 'ValidationException' });
    world().emulator.advance(10 * MINUTE);
    expect((await back({ code: 'c', state })).status).toBe(400);
  });
});
