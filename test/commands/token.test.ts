import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tokenCommand } from '../../src/commands/token.ts';
import { startCognito } from '../../src/emulator/cognito.ts';
import { BUILT_COMMAND, follow } from '../support/built-command.ts';
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
    expect(stderr).toMatch(/^agentcore-session-binding: invalid_token: [^\n]+\n$/);
    expect(stderr).not.toContain('canary');
  });

  it('sends a user token to no other machine that HOST may name [SB-28]', async () => {
    const file = fileWith('eyJhbGciOiJub25lIn0.e30.canary');
    for (const HOST of ['build.example.com', '192.0.2.1', '2001:db8::1']) {
      const { code, stderr } = await runInProcess(tokenCommand, ['--file', file], { HOST, PORT: '9090' });
      expect([code, stderr]).toEqual([2, expect.stringContaining('HOST names another machine')]);
    }
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
