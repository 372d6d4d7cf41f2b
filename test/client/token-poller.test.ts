import { describe, expect, it } from 'vitest';
import { createAuthUrlHandler, createTokenPoller } from '../../src/client/client.ts';
import {
  AUTHORIZATION_URL,
  json,
  problem,
  SESSION_URI,
  startScriptedService,
  STORED,
  USER_TOKEN,
} from './scripted-service.ts';

/** AgentCore as an agent sees it: these answers in turn, and how often it was asked. */
function agentCore(...answers: readonly (string | undefined)[]) {
  const asked = { times: 0 };
  const fetchToken = () => Promise.resolve(answers[asked.times++]);
  return { asked, fetchToken };
}

async function startPoller(status: string, ...answers: readonly (string | undefined)[]) {
  const service = await startScriptedService(json({ status }));
  const { asked, fetchToken } = agentCore(...answers);
  const { timers } = service;
  const flow = { userToken: USER_TOKEN, sessionUri: SESSION_URI };
  const poller = createTokenPoller({ client: service.client(), ...flow, fetchToken, timers });
  return { service, asked, poller };
}

describe('the token poller', () => {
  it('asks AgentCore once, when the flow is bound', async () => {
    const { asked, poller } = await startPoller('completed', 'access-token');
    await expect(poller.pollForToken()).resolves.toBe('access-token');
    expect(asked.times).toBe(1);
  });

  it('looks a second time after a moment', async () => {
    const { asked, poller, service } = await startPoller('completed', undefined, 'access-token');
    await expect(poller.pollForToken()).resolves.toBe('access-token');
    expect(asked.times).toBe(2);
    expect(service.pauses).toEqual([1_000]);
  });

  it('never looks a third time', async () => {
    const { asked, poller } = await startPoller('completed', undefined, undefined, 'access-token');
    await expect(poller.pollForToken()).rejects.toMatchObject({ code: 'access_token_missing' });
    expect(asked.times).toBe(2);
  });

  it('does not look again when it is told to stop in between', async () => {
    const service = await startScriptedService(json({ status: 'completed' }));
    const controller = new AbortController();
    let looks = 0;
    const poller = createTokenPoller({
      client: service.client(),
      userToken: USER_TOKEN,
      sessionUri: SESSION_URI,
      signal: controller.signal,
      fetchToken() {
        looks += 1;
        controller.abort(new Error('the user left'));
        return Promise.resolve(undefined);
      },
    });
    await expect(poller.pollForToken()).rejects.toThrow('the user left');
    expect(looks).toBe(1);
  });

  it.each([
    ['denied', 'consent_denied'],
    ['expired', 'authorization_expired'],
    ['refused', 'authorization_refused'],
  ])('does not ask AgentCore about a flow that is %s', async (status, code) => {
    const { asked, poller } = await startPoller(status, 'access-token');
    await expect(poller.pollForToken()).rejects.toMatchObject({ code });
    expect(asked.times).toBe(0);
  });

  it('asks AgentCore where the service cannot know', async () => {
    const { poller } = await startPoller('unknown', 'access-token');
    await expect(poller.pollForToken()).resolves.toBe('access-token');
  });

  it('stays in doubt where AgentCore has nothing', async () => {
    const { asked, poller } = await startPoller('unknown', undefined, 'access-token');
    await expect(poller.pollForToken()).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(asked.times).toBe(1);
  });
});

describe('the handler of authorization URLs', () => {
  it('pins, shows the start link and never the URL itself, and waits [SB-32]', async () => {
    const service = await startScriptedService(json(STORED), json({ status: 'completed' }));
    const shown: string[] = [];
    const onAuthUrl = createAuthUrlHandler({
      client: service.client(),
      userToken: USER_TOKEN,
      label: 'GitHub',
      returnTo: 'https://app.example/',
      // Nothing was waited for yet.
      showLink: (startUrl) => void shown.push(`${startUrl} ${service.arrived.length}`),
    });
    await onAuthUrl(AUTHORIZATION_URL);
    expect(shown).toEqual([`${STORED.start_url} 1`]);
    expect(JSON.parse(service.arrived[0]?.body ?? '')).toEqual({
      user_token: USER_TOKEN,
      authorization_url: AUTHORIZATION_URL,
      return_to: 'https://app.example/',
      label: 'GitHub',
    });
    expect(service.arrived[1]?.path).toContain(encodeURIComponent(SESSION_URI));
  });

  it('shows no link for a flow that is somebody else’s [SB-34]', async () => {
    const service = await startScriptedService(problem(403, 'user_mismatch'));
    const shown: string[] = [];
    const onAuthUrl = createAuthUrlHandler({
      client: service.client(),
      userToken: USER_TOKEN,
      showLink: (startUrl) => void shown.push(startUrl),
    });
    await expect(onAuthUrl(AUTHORIZATION_URL)).rejects.toMatchObject({ code: 'user_mismatch' });
    expect({ shown, calls: service.arrived.length }).toEqual({ shown: [], calls: 1 });
  });

  it('rejects upon a denial, which ends the call of AWS’s SDK that awaits it', async () => {
    const service = await startScriptedService(json(STORED), json({ status: 'denied' }));
    const onAuthUrl = createAuthUrlHandler({
      client: service.client(),
      userToken: USER_TOKEN,
      showLink: () => {},
    });
    await expect(onAuthUrl(AUTHORIZATION_URL)).rejects.toMatchObject({ code: 'consent_denied' });
  });
});
