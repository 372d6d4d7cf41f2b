import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { runCommand, startCommand } from '../support/built-command.ts';
import {
  AWS_SECRET,
  CLIENT_ID,
  SESSION_SECRET,
  startBuiltService,
  startSurroundings,
  statusOf,
} from '../support/built-service.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

const ONE_LINE = /^agentcore-session-binding: [^\n]+\n$/;

function parseLines(text: string): readonly Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

describe('serve', () => {
  it('finishes a whole consent, logs JSON where nobody looks, and prints no secret [SB-16]', async () => {
    const { issuer, agentcore, agent, url, command } = await startBuiltService({ LOG_LEVEL: 'trace' });
    const userToken = await issuer.accessToken({ username: 'alice', clientId: CLIENT_ID });
    const flow = await agent.open(userToken);
    const browser = new Browser();
    const body = { user_token: userToken, authorization_url: flow.authorizationUrl };
    const posted = await browser.postJson(`${url}/userIdentifier/token`, url, body);
    const page = await browser.submit(flow.authorizationUrl, { decision: 'allow' });
    expect([posted.status, page.status, agentcore.completeCalls]).toEqual([200, 200, 1]);

    command.kill('SIGTERM');
    const { code, stdout, stderr } = await command.ended;

    expect([code, stderr]).toEqual([0, '']);
    const events = parseLines(stdout).map(({ event }) => event);
    expect(events).toEqual(expect.arrayContaining(['listening', 'user_token', 'callback', 'stopped']));
    const answer = JSON.parse(posted.body) as { readonly custom_state: string };
    const [, signature = ''] = /\.([^.]+)$/.exec(userToken) ?? [];
    const secrets = [
      SESSION_SECRET,
      AWS_SECRET,
      userToken,
      signature,
      flow.sessionUri,
      answer.custom_state,
      ...browser.cookies(url).values(),
    ];
    expect(secrets.filter((secret) => secret.length < 20)).toEqual([]);
    expect(secrets.filter((secret) => stdout.includes(secret))).toEqual([]);
  });

  it('says at the start where it listens, where AWS calls go and what the callback URL is', async () => {
    const { url, agentcore, port, command } = await startBuiltService();
    expect(parseLines(command.stdout())).toContainEqual(
      expect.objectContaining({
        event: 'listening',
        port,
        public_url: url,
        agentcore: agentcore.endpoint,
        msg: `listening; callback URL: ${url}/oauth2/callback`,
      }),
    );
  });

  it('lets flags win over the environment', async () => {
    const { env } = await startSurroundings();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const args = ['serve', '--port', String(port), '--host', '127.0.0.1', '--public-url', url];
    const command = startCommand(args, { ...env, PORT: '1', HOST: '192.0.2.1' });
    await until('the log', () => (command.stdout().includes(`${url}/oauth2/callback`) ? true : undefined));
    expect(await statusOf(`${url}/ping`)).toBe(200);
  });

  it('exits 1 with one line when the port is taken', async () => {
    const { env, port } = await startSurroundings();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { code, stderr, stdout } = await runCommand(['serve', '--host', '127.0.0.1'], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toContain(`port ${port} on 127.0.0.1 is taken`);
    expect(stdout).not.toContain('listening');
  });

  it.each(['192.0.2.1', 'no-such-host.invalid'])(
    'exits 1 with one line when %s is no address of this machine',
    async (host) => {
      const { env } = await startSurroundings();
      const { code, stderr } = await runCommand(['serve', '--host', host], env);
      expect(code).toBe(1);
      expect(stderr).toMatch(ONE_LINE);
      expect(stderr).toContain(host);
      expect(stderr).toContain('HOST');
    },
  );

  it('exits 78 with every problem, before it listens [SB-28]', async () => {
    const { env, url } = await startSurroundings();
    const changes = {
      JWT_DISCOVERY_URL: 'http://idp.example.com/',
      SESSION_SECRET: 'short',
      STORE_URL: 'files:/tmp',
    };
    const { code, stdout, stderr } = await runCommand(['serve'], { ...env, ...changes });
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toMatch(/^agentcore-session-binding: the configuration has 3 problems\n/);
    for (const name of Object.keys(changes)) expect(stderr).toContain(`\n  ${name}: `);
    expect(await statusOf(`${url}/ping`)).toBeUndefined();
  });

  it('starts while the issuer is down, says so at /ready, and is ready once the issuer is', async () => {
    const { env, url, issuer } = await startSurroundings();
    issuer.faults = { mode: 'down' };
    const command = startCommand(['serve'], env);
    expect(await until('/ping', () => statusOf(`${url}/ping`))).toBe(200);
    expect(await statusOf(`${url}/ready`)).toBe(503);
    // The issuer is at fault once it was asked, a moment after the service began to listen.
    const starting = await until('the fault', async () => {
      const text = await fetch(`${url}/ready`).then((response) => response.text());
      return text.includes('"jwks":"failing"') ? text : undefined;
    });
    expect(JSON.parse(starting)).toEqual({
      status: 'starting',
      checks: { store: 'ok', jwks: 'failing', credentials: 'ok' },
    });
    expect(command.hasEnded()).toBe(false);

    issuer.faults = {};
    const ready = await until('/ready', async () => {
      const response = await fetch(`${url}/ready`);
      return response.status === 200 ? response.json() : undefined;
    });
    expect(ready).toEqual({ status: 'ready', checks: { store: 'ok', jwks: 'ok', credentials: 'ok' } });
  });
});
