import {
  CompleteResourceTokenAuthCommand,
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenCommand,
  GetWorkloadAccessTokenForJWTCommand,
  GetWorkloadAccessTokenForUserIdCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import {
  CreateOauth2CredentialProviderCommand,
  CreateWorkloadIdentityCommand,
  DeleteOauth2CredentialProviderCommand,
  DeleteWorkloadIdentityCommand,
  GetOauth2CredentialProviderCommand,
  GetWorkloadIdentityCommand,
  ListOauth2CredentialProvidersCommand,
  ListWorkloadIdentitiesCommand,
  UpdateOauth2CredentialProviderCommand,
  UpdateWorkloadIdentityCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import { afterEach, describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { must } from '../agentcore/stand-in-flow.ts';
import {
  allowReturnUrls,
  ask,
  complete,
  createProvider,
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

describe('workload identities of the control plane', () => {
  it('are created, read, listed page by page, and deleted', async () => {
    const { control } = world();
    const returnUrls = ['https://app.example/oauth2/callback'];
    const name = 'gateway-1';
    const created = await control.send(
      new CreateWorkloadIdentityCommand({ name, allowedResourceOauth2ReturnUrls: returnUrls }),
    );
    expect(created).toMatchObject({
      name,
      workloadIdentityArn: expect.stringMatching(
        /^arn:aws:bedrock-agentcore:.*workload-identity\/gateway-1$/,
      ),
      allowedResourceOauth2ReturnUrls: returnUrls,
    });
    const read = await control.send(new GetWorkloadIdentityCommand({ name }));
    expect(read).toMatchObject({ name, allowedResourceOauth2ReturnUrls: returnUrls });
    expect(read.createdTime?.getTime()).toBeGreaterThan(0);

    const first = await control.send(new ListWorkloadIdentitiesCommand({ maxResults: 1 }));
    const { nextToken } = first;
    const second = await control.send(new ListWorkloadIdentitiesCommand({ maxResults: 1, nextToken }));
    expect(second.nextToken).toBeUndefined();
    const listed = [first, second].flatMap(({ workloadIdentities = [] }) => workloadIdentities);
    expect(listed.map((workload) => workload.name)).toEqual([WORKLOAD, name]);

    await control.send(new DeleteWorkloadIdentityCommand({ name }));
    const gone = { name: 'ResourceNotFoundException' };
    await expect(control.send(new GetWorkloadIdentityCommand({ name }))).rejects.toMatchObject(gone);
    await expect(control.send(new UpdateWorkloadIdentityCommand({ name }))).rejects.toMatchObject(gone);
    await expect(control.send(new DeleteWorkloadIdentityCommand({ name }))).rejects.toMatchObject(gone);
  });

  it('lose every return URL that an update does not name', async () => {
    const { control, returnUrl } = world();
    await allowReturnUrls(world(), [returnUrl, 'https://app.example/callback']);
    const updated = await allowReturnUrls(world(), ['https://app.example/callback']);
    expect(updated.allowedResourceOauth2ReturnUrls).toEqual(['https://app.example/callback']);
    await expect(openFlow(world())).rejects.toMatchObject({ name: 'ValidationException' });

    const { allowedResourceOauth2ReturnUrls: left } = await control.send(
      new UpdateWorkloadIdentityCommand({ name: WORKLOAD }),
    );
    expect(left).toEqual([]);
  });

  it('are refused where AWS refuses them', async () => {
    const { control } = world();
    const create = (name: string, urls: string[] = []) =>
      control.send(new CreateWorkloadIdentityCommand({ name, allowedResourceOauth2ReturnUrls: urls }));
    await expect(create(WORKLOAD)).rejects.toMatchObject({
      name: 'ValidationException',
      message: `WorkloadIdentity with name '${WORKLOAD}' already exists.`,
    });
    await expect(create('a b')).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(create('gateway', ['not a URL'])).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(control.send(new ListWorkloadIdentitiesCommand({ maxResults: 21 }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });

  it('must be there before anybody acts in their name', async () => {
    const { data } = world();
    const mint = new GetWorkloadAccessTokenForUserIdCommand({ workloadName: 'unheard-of', userId: 'u' });
    await expect(data.send(mint)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const nobodys = await data.send(new GetWorkloadAccessTokenCommand({ workloadName: WORKLOAD }));
    await expect(requestToken(world(), must(nobodys.workloadAccessToken))).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });

  it('must name the return URL of a flow', async () => {
    const { data, returnUrl } = world();
    const workloadIdentityToken = await mintFor(world(), await userTokenOf(world(), 'alice'));
    const elsewhere = { resourceOauth2ReturnUrl: `${returnUrl}/elsewhere`, forceAuthentication: true };
    const unregistered = {
      name: 'ValidationException',
      message: expect.stringMatching(/^You must register and use at least one ResourceOauth2ReturnUrl/),
    };
    await expect(requestToken(world(), workloadIdentityToken, elsewhere)).rejects.toMatchObject(unregistered);
    const without = new GetResourceOauth2TokenCommand({
      workloadIdentityToken,
      resourceCredentialProviderName: 'github',
      scopes: [],
      oauth2Flow: 'USER_FEDERATION',
      forceAuthentication: true,
    });
    await expect(data.send(without)).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'You must provide a ResourceOauth2ReturnUrl to proceed with this flow',
    });
    await allowReturnUrls(world(), []);
    await expect(data.send(without)).rejects.toMatchObject(unregistered);
  });
});

describe('credential providers of the control plane', () => {
  it('are created, read, updated without a new callback URL, listed and deleted, and keep their secret', async () => {
    const { control, emulator } = world();
    const name = 'github-2';
    await createProvider(world(), name, 'GithubOauth2');
    const read = await control.send(new GetOauth2CredentialProviderCommand({ name }));
    expect(read).toMatchObject({
      name,
      credentialProviderVendor: 'GithubOauth2',
      credentialProviderArn: expect.stringMatching(
        /token-vault\/default\/oauth2credentialprovider\/github-2$/,
      ),
      clientSecretArn: {
        secretArn: expect.stringContaining('bedrock-agentcore-identity!default/oauth2/github-2'),
      },
      callbackUrl: expect.stringMatching(/\/identities\/oauth2\/callback\/[0-9a-f-]{36}$/),
      oauth2ProviderConfigOutput: { githubOauth2ProviderConfig: { clientId: 'id-of-github-2' } },
    });
    expect(JSON.stringify(read)).not.toContain('secret-of');
    expect(read.createdTime?.getTime()).toBeLessThanOrEqual(emulator.nowMs());

    const updated = await control.send(
      new UpdateOauth2CredentialProviderCommand({
        name,
        credentialProviderVendor: 'GoogleOauth2',
        oauth2ProviderConfigInput: { googleOauth2ProviderConfig: { clientId: 'b', clientSecret: 'c' } },
      }),
    );
    expect(updated).toMatchObject({
      credentialProviderVendor: 'GoogleOauth2',
      callbackUrl: read.callbackUrl,
      oauth2ProviderConfigOutput: { googleOauth2ProviderConfig: { clientId: 'b' } },
    });
    const { credentialProviders = [] } = await control.send(new ListOauth2CredentialProvidersCommand({}));
    expect(credentialProviders.map((provider) => provider.name)).toContain(name);

    await control.send(new DeleteOauth2CredentialProviderCommand({ name }));
    await expect(control.send(new GetOauth2CredentialProviderCommand({ name }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(openFlow(world(), 'alice', { resourceCredentialProviderName: name })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('are refused where AWS refuses them', async () => {
    const { control } = world();
    await expect(createProvider(world(), 'github', 'GithubOauth2')).rejects.toMatchObject({
      name: 'ConflictException',
    });
    const github = { clientId: 'a', clientSecret: 'b' };
    const google = { clientId: 'c', clientSecret: 'd' };
    const create = (union: object) =>
      control.send(
        new CreateOauth2CredentialProviderCommand({
          name: 'mixed-up',
          credentialProviderVendor: 'GithubOauth2',
          oauth2ProviderConfigInput: union as { githubOauth2ProviderConfig: typeof github },
        }),
      );
    const refusal = { name: 'ValidationException' };
    await expect(create({ googleOauth2ProviderConfig: google })).rejects.toMatchObject(refusal);
    const both = { githubOauth2ProviderConfig: github, googleOauth2ProviderConfig: google };
    await expect(create(both)).rejects.toMatchObject(refusal);
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
