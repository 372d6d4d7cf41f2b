import {
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenCommand,
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
import { must } from '../agentcore/stand-in-flow.ts';
import {
  allowReturnUrls,
  createProvider,
  mintFor,
  openFlow,
  requestToken,
  shareEmulatedWorld,
  userTokenOf,
  WORKLOAD,
} from './emulated-world.ts';

const world = shareEmulatedWorld();

afterEach(async () => {
  world().emulator.agentcore.faults.clear();
  await allowReturnUrls(world(), [world().returnUrl]);
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
