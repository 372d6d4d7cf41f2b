import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { BUILT_COMMAND, follow } from '../support/built-command.ts';
import {
  type BuiltService,
  CLIENT_ID,
  startBuiltService,
  startSurroundings,
  statusOf,
} from '../support/built-service.ts';
import { until } from '../support/until.ts';

// Each waits for a process to start, to drain and to end.
vi.setConfig({ testTimeout: 60_000 });

/** A consent up to its last step: the visit of the callback. */
async function prepareCallback({ issuer, agent, url }: BuiltService) {
  const userToken = await issuer.accessToken({ subject: 'sub-of-alice', clientId: CLIENT_ID });
  const flow = await agent.open(userToken);
  const browser = new Browser();
  const body = { user_token: userToken, authorization_url: flow.authorizationUrl };
  expect((await browser.postJson(`${url}/userIdentifier/token`, url, body)).status).toBe(200);
  return {
    visit: () => browser.submit(flow.authorizationUrl, { decision: 'allow' }),
    accessToken: () => agent.accessToken(flow),
  };
}

/** The same, with AgentCore taking its time, and its call under way. */
async function startSlowCallback(service: BuiltService, slowMs: number) {
  const callback = await prepareCallback(service);
  service.agentcore.faults.inject({ slowMs });
  const answer = callback.visit();
  answer.catch(() => undefined);
  await until('the call of AgentCore', () => (service.agentcore.completeCalls > 0 ? true : undefined));
  return { answer, accessToken: callback.accessToken };
}

describe('serve, told to stop', () => {
  it('says 503 at /ready, serves what still comes for DRAIN_SECONDS, then exits 0', async () => {
    const service = await startBuiltService({ DRAIN_SECONDS: '3' });
    const { command, url, agentcore } = service;
    const callback = await prepareCallback(service);
    command.kill('SIGTERM');
    const stoppedMs = performance.now();

    const draining = await until('/ready to say 503', async () => {
      const response = await fetch(`${url}/ready`);
      return response.status === 503 ? response : undefined;
    });
    expect(await draining.json()).toMatchObject({ status: 'draining' });
    expect(draining.headers.get('connection')).toBe('close');
    const page = await callback.visit();
    expect([page.status, page.headers['connection']]).toEqual([200, 'close']);
    expect(page.body).toContain('You are connected');
    expect(agentcore.completeCalls).toBe(1);
    expect(await callback.accessToken()).toBeTypeOf('string');

    const { code, stdout } = await command.ended;
    expect(code).toBe(0);
    expect(performance.now() - stoppedMs).toBeGreaterThan(2_900);
    expect(stdout).toContain('"drain_seconds":3');
    expect(await statusOf(`${url}/ping`)).toBeUndefined();
  });

  it('finishes the callback in flight, which is bound and says so', async () => {
    const service = await startBuiltService({ DRAIN_SECONDS: '0' });
    const { answer, accessToken } = await startSlowCallback(service, 1500);
    service.command.kill('SIGTERM');
    const page = await answer;
    expect([page.status, page.headers['connection']]).toEqual([200, 'close']);
    expect(page.body).toContain('You are connected');
    expect(await accessToken()).toBeTypeOf('string');
    expect((await service.command.ended).code).toBe(0);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('ends at once with a line by a second signal: %s', async (signal, exitCode) => {
    const service = await startBuiltService({ DRAIN_SECONDS: '600' });
    const { command } = service;
    const { answer } = await startSlowCallback(service, 2_500);
    command.kill('SIGTERM');
    await sleep(700);
    expect(command.hasEnded()).toBe(false);
    command.kill(signal);
    const { code, stdout } = await command.ended;
    expect(code).toBe(exitCode);
    expect(stdout).toMatch(/"msg":"stopped by a second signal: requests in flight are cut off"\}\n$/);
    await expect(answer).rejects.toThrow();
  });

  it('takes two signals at once for one: npm passes on the Ctrl+C that the terminal has sent already', async () => {
    const service = await startBuiltService();
    const { answer } = await startSlowCallback(service, 1_000);
    service.command.kill('SIGINT');
    service.command.kill('SIGINT');
    expect((await answer).status).toBe(200);
    expect((await service.command.ended).code).toBe(0);
  });

  it('does not wait for DRAIN_SECONDS after a Ctrl+C at a terminal', async () => {
    const { env, url } = await startSurroundings();
    // util-linux gives the command a terminal of its own, on which the byte of Ctrl+C becomes a SIGINT.
    const terminal = spawn(
      '/usr/bin/script',
      ['-qec', `exec "${process.execPath}" "${BUILT_COMMAND}" serve`, '/dev/null'],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'], ...env, DRAIN_SECONDS: '600' },
      },
    );
    const command = follow(terminal);
    await until('/ready', async () => ((await statusOf(`${url}/ready`)) === 200 ? true : undefined));
    terminal.stdin.write('\u0003');
    const { code } = await command.ended;
    expect(code).toBe(0);
    expect(command.stdout()).toContain('finishing requests in flight');
    expect(await statusOf(`${url}/ping`)).toBeUndefined();
  });
});
