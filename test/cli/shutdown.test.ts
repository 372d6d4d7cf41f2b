import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { type BuiltService, CLIENT_ID, startBuiltService, statusOf } from '../support/built-service.ts';
import { until } from '../support/until.ts';

/** A callback that AgentCore answers only after this long. */
async function startSlowCallback(service: BuiltService, slowMs: number) {
  const { issuer, agentcore, agent, url } = service;
  const userToken = await issuer.accessToken({ subject: 'sub-of-alice', clientId: CLIENT_ID });
  const flow = await agent.open(userToken);
  const browser = new Browser();
  const body = { user_token: userToken, authorization_url: flow.authorizationUrl };
  const posted = await browser.postJson(`${url}/userIdentifier/token`, url, body);
  expect(posted.status).toBe(200);
  agentcore.faults.inject({ slowMs });
  return { answer: browser.submit(flow.authorizationUrl, { decision: 'allow' }) };
}

describe('serve', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finishes the callback in flight after %s, and exits 0 as soon as it has',
    async (signal) => {
      const service = await startBuiltService();
      const { command, agentcore, url } = service;
      const { answer } = await startSlowCallback(service, 1200);
      await until('the call of AgentCore', () => (agentcore.completeCalls > 0 ? true : undefined));

      command.kill(signal);
      const page = await answer;

      expect([page.status, page.body]).toEqual([200, expect.stringContaining('You are connected')]);
      expect(agentcore.completeCalls).toBe(1);
      const answeredMs = performance.now();
      const { code, stdout, stderr } = await command.ended;
      expect([code, stderr]).toEqual([0, '']);
      // Nothing is left to wait for: the budget of ten seconds is for requests that do not end.
      expect(performance.now() - answeredMs).toBeLessThan(8_000);
      expect(stdout).toContain(`"signal":"${signal}"`);
      expect(await statusOf(`${url}/ping`)).toBeUndefined();
    },
  );

  it('exits 0 at once when it is idle', async () => {
    const { command } = await startBuiltService();
    const stoppedMs = performance.now();
    command.kill('SIGTERM');
    expect((await command.ended).code).toBe(0);
    expect(performance.now() - stoppedMs).toBeLessThan(8_000);
  });

  it('does not wait for a browser that keeps its connection open', async () => {
    const { command, url } = await startBuiltService();
    // fetch keeps the connection alive after the answer.
    expect((await fetch(`${url}/ping`)).status).toBe(200);
    command.kill('SIGTERM');
    const stoppedMs = performance.now();
    expect((await command.ended).code).toBe(0);
    expect(performance.now() - stoppedMs).toBeLessThan(8_000);
  });
});
