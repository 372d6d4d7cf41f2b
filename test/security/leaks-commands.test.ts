import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { callbackUrlCommand } from '../../src/commands/callback-url.ts';
import { checkCommand } from '../../src/commands/check.ts';
import { iamCommand } from '../../src/commands/iam.ts';
import { tokenCommand } from '../../src/commands/token.ts';
import { waitCommand } from '../../src/commands/wait.ts';
import { Browser } from '../../src/demo/browser.ts';
import { startRawServer } from '../agentcore/hostile-servers.ts';
import { BUILT_COMMAND, follow, type RunningCommand } from '../support/built-command.ts';
import { CLIENT_ID, startSurroundings, statusOf } from '../support/built-service.ts';
import { Canaries } from '../support/canaries.ts';
import { describeWithCommandLines, watchCommandLines } from '../support/command-lines.ts';
import { describeWithRedis, startRedisForTest } from '../support/redis.ts';
import { runInProcess } from '../support/run-in-process.ts';
import { until } from '../support/until.ts';

const WORKLOAD = 'my_agent-AbCdEfGhIj';
const SECRETS = {
  SESSION_SECRET: 'canary-wV3kZ8rN1xQ6yB4tM9cH2pL7sD5fJ0gA',
  LOGIN_CLIENT_SECRET: 'canary-qL5sD2fJ9gA4wV7kZ1rN8xB3yM6cH0tP',
  COGNITO_CLIENT_SECRET: 'canary-cognito-client-secret-0123456789',
  AWS_SECRET_ACCESS_KEY: 'canary-aws-secret-access-key-0123456789',
  AWS_SESSION_TOKEN: 'canary-aws-session-token-0123456789',
};
const PASSWORD = 'canary-password-in-the-store-url';
const USERNAME = 'canary-username-in-the-store-url';

type Env = Readonly<Record<string, string | undefined>>;

/** A command with something on its standard input, and every command line that it ever had. */
function start(args: readonly string[], env: Env, input = '') {
  const child = spawn(process.execPath, [BUILT_COMMAND, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...env },
  });
  child.stdin.on('error', () => undefined).end(input);
  const command = follow(child);
  return { command, lines: watchCommandLines(command.pid) };
}

/** Whoever listens there says back whatever he is told, as debugging proxies do. */
function echo(status: number) {
  return (request: IncomingMessage, response: ServerResponse) => {
    let told = JSON.stringify(request.headers);
    request.setEncoding('utf8').on('data', (chunk: string) => (told += chunk));
    request.on('end', () => {
      const text = told.match(/eyJ[\w.-]+|canary[\w-]+/g)?.join(' ') ?? told;
      response.writeHead(status, {
        'content-type': 'application/json',
        'x-amzn-errortype': 'AccessDeniedException',
      });
      response.end(
        JSON.stringify({ code: text, detail: text, message: text, title: text, expires_at: text }),
      );
    });
  };
}

describeWithRedis('the commands, given every secret that they take', () => {
  describeWithCommandLines('on a machine where others look', () => {
    it('print none, be all well or nothing, and carry none in their command lines [SB-14] [SB-16]', async () => {
      const [surroundings, redis] = await Promise.all([
        startSurroundings(),
        startRedisForTest({ args: ['--requirepass', 'another-one'], rawPassword: 'another-one' }),
      ]);
      const { issuer, url } = surroundings;
      const hostile = await startRawServer(echo(403));
      onTestFinished(() => hostile.close());
      const hostileService = createServer(echo(400)).listen(0, '127.0.0.1');
      onTestFinished(() => void hostileService.close());
      await until('the hostile service', () => hostileService.address() ?? undefined);
      const address = hostileService.address();
      const hostilePort = String(typeof address === 'object' ? address?.port : undefined);

      const token = await issuer.accessToken({
        subject: 'canary-sub',
        username: 'canary-name',
        clientId: CLIENT_ID,
      });
      const canaries = new Canaries();
      canaries.addAll({ ...SECRETS, PASSWORD, USERNAME, token });
      const folder = mkdtempSync(join(tmpdir(), 'leaks-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const file = join(folder, 'token');
      writeFileSync(file, token);
      const env = {
        ...surroundings.env,
        ...SECRETS,
        LOGIN_CLIENT_ID: 'login-client',
        LOG_LEVEL: 'trace',
        STORE_URL: `redis://${USERNAME}:${PASSWORD}@127.0.0.1:${redis.port}`,
        SINGLE_USER: 'false',
        AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL: hostile.endpoint,
      };
      const twice = `${SECRETS.SESSION_SECRET},${SECRETS.LOGIN_CLIENT_SECRET}`;

      const serving = start(['serve'], env);
      await until('/ping', () =>
        statusOf(`${url}/ping`).then((status) => (status === 200 ? true : undefined)),
      );
      await new Browser().postJson(`${url}/userIdentifier/token`, url, { user_token: token });
      const elsewhere = { ...env, PORT: hostilePort, HOST: '127.0.0.1' };
      const bad = {
        ...env,
        SESSION_SECRET: 'canary-short',
        STORE_URL: `redis://${PASSWORD}@:x`,
        PUBLIC_URL: `http://u:${PASSWORD}@h`,
      };
      const started: readonly { readonly command: RunningCommand; readonly lines: ReadonlySet<string> }[] = [
        start(['check'], { ...env, SESSION_SECRET: twice }),
        start(['doctor', '--workload', WORKLOAD], env),
        start(['register', '--workload', WORKLOAD], env),
        start(['token', '-'], env, token),
        start(['token', '--file', file], elsewhere),
      ];
      const quick = await Promise.all([
        runInProcess(checkCommand, [], bad),
        runInProcess(callbackUrlCommand, [], env),
        runInProcess(
          iamCommand,
          ['--account', '111122223333', '--workload', WORKLOAD, '--provider', 'github'],
          env,
        ),
        runInProcess(tokenCommand, ['--username', 'testuser', '--client-id', 'c'], env),
        runInProcess(waitCommand, ['--timeout', '1'], elsewhere),
      ]);
      const ended = await Promise.all(started.map(({ command }) => command.ended));
      serving.command.kill('SIGTERM');
      const all = [...ended, ...quick, await serving.command.ended];

      expect([...ended, ...quick].map(({ code }) => code)).toEqual([0, 1, 1, 1, 1, 78, 0, 0, 1, 1]);
      expect(serving.command.stdout()).toContain('"reason":"WRONGPASS"');
      expect(all.flatMap(({ stdout, stderr }) => canaries.foundIn(stdout + stderr))).toEqual([]);
      for (const { stdout, stderr } of all)
        expect(stdout + stderr).not.toMatch(/canary|eyJ[\w-]*\.|^ {4}at /im);

      const lines = [...started, serving].map((one) => [...one.lines].join('\n'));
      expect(lines.filter((line) => line.includes('dist/cli.js'))).toHaveLength(started.length + 1);
      for (const line of lines) expect(line).not.toMatch(/canary|eyJ[\w-]*\./i);
    });
  });
});
