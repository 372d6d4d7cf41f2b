import { describe, expect, it } from 'vitest';
import { startWorld } from '../support/world.ts';

describe('a consent comes back', () => {
  it('binds for the user whose browser it is, with the very token that opened the flow', async () => {
    const world = await startWorld();
    const token = await world.tokenOf('alice');
    const flow = await world.agent.open(token);
    const alice = await world.signedIn(token, { session_uri: flow.sessionUri });

    const consent = await alice.open(flow.authorizationUrl);
    expect(consent.status).toBe(200);
    const page = await alice.submit(consent.url, { decision: 'allow' });

    expect(page.body).toContain('You are connected');
    expect(page.status).toBe(200);
    expect(world.agentcore.calls.map(({ userToken }) => userToken)).toEqual([token]);
    expect(await world.agent.accessToken(flow)).toBeTypeOf('string');
  });
});
