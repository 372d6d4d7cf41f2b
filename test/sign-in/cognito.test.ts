import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { createCognitoFetch, POOL } from '../support/cognito-fetch.ts';
import { press } from '../support/forms.ts';
import { CLIENT_ID } from '../support/world.ts';
import { consent, programPosts, startSingleUser } from './single-user.ts';

/** As it comes on a person's own machine: nobody has configured an issuer, a client or an audience. */
const startUnconfigured = (asked: string[] = []) =>
  startSingleUser({
    config: { discoveryUrls: [], allowedClients: [] },
    issuerFetch: (issuer) => createCognitoFetch(issuer, asked),
  });

describe('a machine on which nobody configured an issuer', () => {
  it('connects the user of a Cognito pool by one click', async () => {
    const world = await startUnconfigured();
    const token = await world.issuer.accessToken({ username: 'alice', claims: { iss: POOL } });
    expect(await programPosts(world, token)).toMatchObject({ user: { username: 'alice' } });
    const { flow, callback } = await consent(world, token);
    const person = new Browser();
    const page = await press(person, await person.open(callback), 'Continue as alice');
    expect(page.body).toContain('You are connected');
    expect(world.agentcore.calls.map(({ userToken }) => userToken)).toEqual([token]);
    expect(await world.agent.accessToken(flow)).toBeTypeOf('string');
  });

  it('says which variable to set for any other issuer, keeps nothing and asks nobody [SB-11] [SB-12]', async () => {
    const asked: string[] = [];
    const world = await startUnconfigured(asked);
    const token = await world.tokenOf('alice');
    const app = new Browser();
    const answer = await app.postJson(`${world.url}/userIdentifier/token`, world.url, { user_token: token });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      401,
      expect.objectContaining({
        code: 'invalid_token',
        detail: expect.stringContaining('JWT_DISCOVERY_URL'),
      }),
    ]);
    expect(answer.body).not.toContain(world.issuer.issuer);
    expect([...app.cookies(world.url)]).toEqual([]);
    expect(await world.store.signInCodes.listCandidates()).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('answers a pool that does not answer with 503, not 401', async () => {
    const world = await startUnconfigured();
    world.issuer.faults = { mode: 'status_500' };
    const token = await world.issuer.accessToken({ claims: { iss: POOL } });
    const body = { user_token: token };
    const answer = await new Browser().postJson(`${world.url}/userIdentifier/token`, world.url, body);
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([503, 'issuer_unavailable']);
    const ping = await new Browser().send(`${world.url}/ping`);
    expect(ping.status).toBe(200);
  });
});

describe('a machine with a configured issuer', () => {
  it('takes no pool besides, and says no more than any other refusal [SB-11]', async () => {
    const world = await startSingleUser();
    const token = await world.issuer.accessToken({ clientId: CLIENT_ID, claims: { iss: POOL } });
    const body = { user_token: token };
    const answer = await new Browser().postJson(`${world.url}/userIdentifier/token`, world.url, body);
    expect([answer.status, answer.body.includes('JWT_DISCOVERY_URL')]).toEqual([401, false]);
  });
});
