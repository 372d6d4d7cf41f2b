import { describe, expect, it, onTestFinished } from 'vitest';
import { callTool, elicitedUrls } from '../../examples/gateway-elicitation.ts';
import { startGateway } from '../../scripts/example/gateway.mjs';
import { shareWorld } from '../support/shared-world.ts';
import { awsClient, clientOf, decide } from './connecting.ts';

const world = shareWorld();

async function invoke(username: string, decision: 'allow' | 'deny', streams = false) {
  const gateway = await startGateway({
    agentcore: awsClient(world()),
    workloadName: 'gateway-abc',
    provider: 'linkedin',
    scopes: ['profile'],
    callTarget: (name) => `called ${name}`,
  });
  onTestFinished(() => gateway.close());
  gateway.streams = streams;
  const userToken = await world().tokenOf(username);
  const browser = await world().signedIn(userToken);
  const { sessionBinding } = clientOf(world());
  const leave = new AbortController();
  onTestFinished(() => leave.abort());
  const links: string[] = [];
  const options = {
    gatewayUrl: gateway.url,
    sessionBinding,
    userToken,
    label: 'LinkedIn for the sales agent',
    signal: leave.signal,
    showLink(startUrl: string) {
      links.push(startUrl);
      void decide(browser, startUrl, decision);
    },
  };
  const call = () => callTool(options, 'LinkedIn3LO___getUserInfo', {});
  return { gateway, call, links };
}

describe('a tool of AgentCore Gateway that needs consent', () => {
  it.each([
    ['alone', 'frank', false],
    ['in a stream of events', 'grace', true],
  ])(
    'is called again once its user has consented through a start link; answers come %s [SB-32]',
    async (_how, username, streams) => {
      const { gateway, call, links } = await invoke(username, 'allow', streams);
      await expect(call()).resolves.toMatchObject({
        content: [{ text: 'called LinkedIn3LO___getUserInfo' }],
      });
      expect(links).toEqual([expect.stringMatching(/^http:\/\/localhost:\d+\/oauth2\/start\?flow=[\w.-]+$/)]);
      expect(gateway.calls).toBe(2);

      await expect(call()).resolves.toMatchObject({ isError: false });
      expect({ calls: gateway.calls, links: links.length }).toEqual({ calls: 3, links: 1 });
    },
  );

  it('is not called again when its user declines', async () => {
    const { gateway, call } = await invoke('heidi', 'deny');
    await expect(call()).rejects.toMatchObject({ code: 'consent_denied' });
    expect(gateway.calls).toBe(1);
  });

  it.each([
    'https://mcp.example.com/connect?elicitationId=550e8400',
    'https://evil.example/identities/oauth2/authorize?request_uri=urn:ietf:params:oauth:request_uri:x',
  ])('makes no start link of a URL that is not AgentCore’s: %s [SB-18]', async (url) => {
    const { gateway, call, links } = await invoke('ivan', 'allow');
    gateway.elicits = url;
    await expect(call()).rejects.toMatchObject({ code: 'invalid_request' });
    expect({ links, calls: gateway.calls }).toEqual({ links: [], calls: 1 });
  });
});

describe('elicited URLs', () => {
  const url = 'https://authorize.example/?request_uri=x';
  const entry = { mode: 'url', elicitationId: '1', url, message: 'Please' };

  it.each([
    [{ code: -32_042, data: { elicitations: [entry, { ...entry, mode: 'form' }, entry] } }, [url, url]],
    [{ code: -32_042, data: { elicitations: [null, { mode: 'url' }, { mode: 'url', url: 1 }] } }, []],
    [{ code: -32_042, data: { elicitations: 'none' } }, []],
    [{ code: -32_042 }, []],
    [{ code: -32_603, data: { elicitations: [entry] } }, []],
  ])('are read from %j', (error, expected) => {
    expect(elicitedUrls({ message: 'This request requires more information.', ...error })).toEqual(expected);
  });
});
