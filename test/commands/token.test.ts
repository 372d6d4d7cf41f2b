import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tokenCommand } from '../../src/commands/token.ts';
import { startCognito } from '../../src/emulator/cognito.ts';
import { BUILT_COMMAND, follow } from '../support/built-command.ts';
import { freePort } from '../support/free-port.ts';
import { listenForTest } from '../support/listen-for-test.ts';
import { runInProcess } from '../support/run-in-process.ts';
import { CLIENT_ID, startWorld } from '../support/world.ts';

const PASSWORD = 'canary-Passw0rd!';
const SECRET = 'canary-of-the-client-secret';

function fileWith(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'token-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'token'), content);
  return join(folder, 'token');
}

const envOf = (url: string) => ({ PORT: new URL(url).port, HOST: '127.0.0.1', PUBLIC_URL: url });

describe('token', () => {
  it('posts the token of a file and prints nothing but the sign-in link', async () => {
    const world = await startWorld({ config: { singleUser: true } });
    const file = fileWith(`${await world.tokenOf('alice')}\n`);
    const { code, stdout, stderr } = await runInProcess(tokenCommand, ['--file', file], envOf(world.url));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^http:\/\/localhost:\d+\/sign-in\?code=[\w-]+\n$/);
    expect(stderr).toContain('open this link in your browser');
  });

  it('says why the service refuses, and shows no token [SB-16]', async () => {
    const world = await startWorld();
    const file = fileWith('eyJhbGciOiJub25lIn0.e30.canary');
    const { code, stdout, stderr } = await runInProcess(tokenCommand, ['--file', file], envOf(world.url));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^agentcore-session-binding: invalid_token: The user token is not valid\. [^\n]+ \(request [\w-]{16} in the service's log\)\n$/,
    );
    expect(stderr).not.toContain('canary');
  });

  it('sends a user token to no other machine that HOST may name [SB-28]', async () => {
    const file = fileWith('eyJhbGciOiJub25lIn0.e30.canary');
    for (const HOST of ['build.example.com', '192.0.2.1', '2001:db8::1']) {
      const { code, stderr } = await runInProcess(tokenCommand, ['--file', file], { HOST, PORT: '9090' });
      expect([code, stderr]).toEqual([2, expect.stringContaining('HOST names another machine')]);
    }
  });

  it('reads standard input', async () => {
    const world = await startWorld({ config: { singleUser: true } });
    const child = spawn(process.execPath, [BUILT_COMMAND, 'token', '-'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...envOf(world.url) },
    });
    child.stdin.end(`${await world.tokenOf('alice')}\n`);
    const { code, stdout } = await follow(child).ended;
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\/sign-in\?code=[\w-]+\n$/)]);
  });

  it('prints no link where the service has several users, and says until when the token is kept', async () => {
    const world = await startWorld();
    const file = fileWith(await world.tokenOf('alice'));
    const { code, stdout, stderr } = await runInProcess(tokenCommand, ['--file', file], envOf(world.url));
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(
      /^The user token is kept until 20\d\d-.*Z\. This service signs nobody in by a link/,
    );
  });

  it.each([
    ['/nowhere/token', 'the file cannot be read'],
    ['', 'there is no user token in it'],
  ])('says what is wrong with the file %j', async (path, problem) => {
    const file = path === '' ? fileWith(' \n') : path;
    const ended = await runInProcess(tokenCommand, ['--file', file], envOf('http://localhost:1'));
    expect(ended).toEqual({ code: 1, stdout: '', stderr: `agentcore-session-binding: ${problem}\n` });
  });

  it('asks the port that it is told, and says to start the service where nobody answers', async () => {
    const port = await freePort();
    const args = ['--file', fileWith('e30.e30.canary'), '--port', String(port)];
    const { code, stderr } = await runInProcess(tokenCommand, args, envOf('http://localhost:1'));
    expect([code, stderr]).toEqual([
      1,
      `agentcore-session-binding: http://127.0.0.1:${port}/userIdentifier/token does not answer; start the service first\n`,
    ]);
    const wrong = await runInProcess(tokenCommand, ['--file', 'x', '--port', 'ninety']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('PORT')]);
  });

  it('carries the token nowhere else, whatever answers there says [SB-16]', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      request.resume();
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    const url = await listenForTest(server);
    const { code } = await runInProcess(tokenCommand, ['--file', fileWith('e30.e30.canary')], envOf(url));
    expect([code, asked]).toEqual([1, ['/userIdentifier/token']]);
  });

  /** The command, and a service that refuses with this. */
  async function refusedWith(problem: object) {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(400, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    });
    const url = await listenForTest(server);
    return runInProcess(tokenCommand, ['--file', fileWith('x')], envOf(url));
  }

  it('shows no part of a token that an answer repeats where it is cut [SB-16]', async () => {
    const { stderr } = await refusedWith({ code: 'no', detail: `${'.'.repeat(490)} ${'canary-'.repeat(8)}` });
    expect(stderr).not.toContain('can');
    expect(stderr).toContain('…');
  });

  it('lets nothing of an answer move the cursor of the terminal, or turn its text', async () => {
    const detail = `\u202esuch\u0007 thing${'.'.repeat(1_000)}`;
    const { code, stderr } = await refusedWith({ code: 'no\u001b[2J', detail });
    expect([code, stderr.slice(0, 50)]).toEqual([1, 'agentcore-session-binding: no[2J: such thing......']);
    expect(stderr.length).toBeLessThan(600);
  });

  it('asks for no password where nobody can be asked, or for no client', async () => {
    const env = { AWS_REGION: 'us-east-1' };
    const piped = await runInProcess(tokenCommand, ['--username', 'a', '--client-id', 'b'], env);
    expect([piped.code, piped.stderr]).toEqual([1, expect.stringContaining('asked for at a terminal')]);
    const several = { ...env, JWT_ALLOWED_CLIENTS: 'one,two' };
    const unknown = await runInProcess(tokenCommand, ['--username', 'a'], several);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('--client-id is required')]);
    const nowhere = await runInProcess(tokenCommand, ['--username', 'a', '--client-id', 'b']);
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('--region is required')]);
  });

  it.each([[[]], [['-', '--file', 'x']], [['--file', 'x', '--username', 'y']]])(
    'needs one source: %j',
    async (args) => {
      const { code, stderr } = await runInProcess(tokenCommand, args);
      expect([code, stderr]).toEqual([2, 'name one source: -, --file or --username\n']);
    },
  );

  it('sends a password nowhere in the clear [SB-28]', async () => {
    const { code, stderr } = await runInProcess(tokenCommand, ['--username', 'a', '--client-id', 'b'], {
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: 'http://192.0.2.1',
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining('must be https')]);
  });

  it('signs in at Cognito with a password that is not shown, and the secret of the client [SB-16]', async () => {
    const cognito = await startCognito({
      users: [{ username: 'testuser', password: PASSWORD }],
      clients: [{ clientId: CLIENT_ID, clientSecret: SECRET, redirectUris: [] }],
    });
    onTestFinished(() => cognito.close());
    const world = await startWorld({
      config: { singleUser: true, discoveryUrls: [cognito.discoveryUrl], allowedClients: [CLIENT_ID] },
    });
    // A terminal of its own, as only a terminal hides what is typed.
    const command = `${process.execPath} ${BUILT_COMMAND} token --username testuser --client-id ${CLIENT_ID}`;
    const child = spawn('/usr/bin/script', ['-qec', command, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        ...envOf(world.url),
        COGNITO_CLIENT_SECRET_FILE: fileWith(SECRET),
        AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: cognito.endpoint,
      },
    });
    const running = follow(child);
    await expect.poll(() => running.stdout()).toContain('Password of testuser: ');
    child.stdin.write(`${PASSWORD}\r`);
    const { code, stdout } = await running.ended;
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\/sign-in\?code=[\w-]+/)]);
    expect(stdout).not.toContain('canary');
  });
});
