import { GetResourceOauth2TokenCommand } from '@aws-sdk/client-bedrock-agentcore';
import { describe, expect, it } from 'vitest';
import type { Unknowns } from '../../src/emulator/agentcore-unknowns.ts';
import { must } from '../agentcore/stand-in-flow.ts';
import {
  complete,
  decide,
  mintFor,
  openFlow,
  parametersOf,
  poll,
  requestToken,
  shareEmulatedWorld,
  userTokenOf,
} from './emulated-world.ts';

const MINUTE = 60_000;
const INVALID = { name: 'AccessDeniedException', message: 'Invalid or expired session' };

const world = shareEmulatedWorld();

describe('what nobody knows about AgentCore', () => {
  it.each([
    ['error_and_session_id', { error: 'access_denied', session_id: expect.any(String), state: 's' }],
    ['error_alone', { error: 'access_denied', state: 's' }],
  ] as const)('returns a denial as %s', async (denial, parameters) => {
    await withUnknown({ denial }, async () => {
      const flow = await openFlow(world(), 'alice', { customState: 's' });
      expect(parametersOf(await decide(flow, 'Deny'))).toEqual(parameters);
      expect(await poll(world(), flow)).toMatchObject({ sessionStatus: 'FAILED' });
      await expect(complete(world(), flow)).rejects.toMatchObject(INVALID);
    });
  });

  it('returns nothing of a denial where it is told so, and goes on polling', async () => {
    await withUnknown({ denial: 'nothing', statusAfterDenial: 'IN_PROGRESS' }, async () => {
      const flow = await openFlow(world());
      const page = await decide(flow, 'Deny');
      expect(page.status).toBe(400);
      expect(page.url).toContain('/identities/oauth2/callback/');
      expect(await poll(world(), flow)).toMatchObject({ sessionStatus: 'IN_PROGRESS' });
    });
  });

  it.each([
    ['state', { state: 's' }],
    ['customState', { customState: 's' }],
    ['custom_state', { custom_state: 's' }],
    ['none', {}],
  ] as const)('returns customState as %s', async (customStateName, parameters) => {
    await withUnknown({ customStateName }, async () => {
      const flow = await openFlow(world(), 'alice', { customState: 's' });
      const page = await decide(flow, 'Allow');
      expect(parametersOf(page)).toEqual({ session_id: flow.sessionUri, ...parameters });
    });
  });

  it('refuses a second completion, or accepts it without a second binding', async () => {
    const flow = await openFlow(world());
    await decide(flow, 'Allow');
    await complete(world(), flow);
    await expect(complete(world(), flow)).rejects.toMatchObject(INVALID);
    await withUnknown({ secondCompletion: 'accepted' }, async () => {
      await complete(world(), flow);
      const bobs = await userTokenOf(world(), 'bob');
      await expect(complete(world(), flow, bobs)).rejects.toMatchObject(INVALID);
    });
    const { bindings } = world().emulator.agentcore;
    expect(bindings.filter(({ sessionUri }) => sessionUri === flow.sessionUri)).toHaveLength(1);
  });

  it('keeps the session after a failed attempt, or burns it', async () => {
    const bobs = await userTokenOf(world(), 'bob');
    const kept = await openFlow(world());
    await decide(kept, 'Allow');
    await expect(complete(world(), kept, bobs)).rejects.toMatchObject(INVALID);
    await complete(world(), kept);
    await withUnknown({ failedAttempt: 'burns_session' }, async () => {
      const burnt = await openFlow(world());
      await decide(burnt, 'Allow');
      await expect(complete(world(), burnt, bobs)).rejects.toMatchObject(INVALID);
      await expect(complete(world(), burnt)).rejects.toMatchObject(INVALID);
    });
  });

  it.each([
    ['invalid_session', INVALID],
    ['unauthorized', { name: 'UnauthorizedException' }],
  ] as const)('takes an expired original JWT, or answers %s', async (expiredOriginalJwt, refusal) => {
    const { emulator } = world();
    const { cognito } = emulator;
    const minute = { subject: 'minute', expiresInSeconds: 60 };
    const userToken = await cognito.accessToken(minute);
    const workloadAccessToken = await mintFor(world(), userToken);
    const opened = await requestToken(world(), workloadAccessToken, { forceAuthentication: true });
    const { authorizationUrl, sessionUri } = opened;
    const flow = {
      userToken,
      workloadAccessToken,
      authorizationUrl: must(authorizationUrl),
      sessionUri: must(sessionUri),
    };
    await decide(flow, 'Allow');
    const early = await openFlow(world());
    await decide(early, 'Allow');
    emulator.advance(2 * MINUTE);
    await withUnknown({ expiredOriginalJwt }, async () => {
      await complete(world(), early);
      await expect(complete(world(), flow)).rejects.toMatchObject(refusal);
    });
    await complete(world(), flow);
  });

  it('compares return URLs exactly, or takes what begins with a registered one', async () => {
    const { returnUrl } = world();
    const more = { resourceOauth2ReturnUrl: `${returnUrl}?app=1` };
    await expect(openFlow(world(), 'alice', more)).rejects.toMatchObject({ name: 'ValidationException' });
    await withUnknown({ returnUrls: 'prefix' }, async () => {
      const flow = await openFlow(world(), 'alice', more);
      expect(parametersOf(await decide(flow, 'Allow'))).toEqual({ app: '1', session_id: flow.sessionUri });
    });
  });

  it('ignores customState where a consent is stored, or asks again', async () => {
    const flow = await openFlow(world());
    await decide(flow, 'Allow');
    await complete(world(), flow);
    const more = { customState: 's' };
    expect(await requestToken(world(), flow.workloadAccessToken, more)).toHaveProperty('accessToken');
    await withUnknown({ customStateWithStoredConsent: 'asks_again' }, async () => {
      const again = await requestToken(world(), flow.workloadAccessToken, more);
      expect(again).toMatchObject({ sessionStatus: 'IN_PROGRESS' });
    });
  });

  it('asks again for scopes that the stored consent lacks, or gives what it has', async () => {
    const flow = await openFlow(world());
    await decide(flow, 'Allow');
    await complete(world(), flow);
    const more = { scopes: ['repo', 'gist'] };
    const again = await requestToken(world(), flow.workloadAccessToken, more);
    expect(again).toMatchObject({ sessionStatus: 'IN_PROGRESS' });
    await withUnknown({ scopesBeyondStoredConsent: 'ignored' }, async () => {
      expect(await requestToken(world(), flow.workloadAccessToken, more)).toHaveProperty('accessToken');
    });
  });

  it('refuses polling without the return URL, or answers it', async () => {
    const { data } = world();
    const { workloadAccessToken: workloadIdentityToken, sessionUri } = await openFlow(world());
    const bare = new GetResourceOauth2TokenCommand({
      workloadIdentityToken,
      resourceCredentialProviderName: 'github',
      scopes: ['repo'],
      oauth2Flow: 'USER_FEDERATION',
      sessionUri,
    });
    await expect(data.send(bare)).rejects.toMatchObject({ name: 'ValidationException' });
    await withUnknown({ pollingWithoutReturnUrl: 'accepted' }, async () => {
      expect(await data.send(bare)).toMatchObject({ sessionStatus: 'IN_PROGRESS' });
    });
  });

  async function withUnknown(turned: Partial<Unknowns>, play: () => Promise<void>): Promise<void> {
    const { unknowns } = world().emulator.agentcore;
    const before = { ...unknowns };
    Object.assign(unknowns, turned);
    await play().finally(() => Object.assign(unknowns, before));
  }
});
