import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BUILT_COMMAND, follow, runCommand, startCommand } from '../support/built-command.ts';
import { freePort } from '../support/free-port.ts';

describe('wait', () => {
  it('exits 0 as soon as /ping answers 200, and says which address did', async () => {
    const port = await freePort();
    const waiting = startCommand(['wait'], { PORT: String(port) });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(waiting.hasEnded()).toBe(false);

    await answering(200, { port });

    expect(await waiting.ended).toEqual({
      code: 0,
      stdout: `http://localhost:${port}/ping answers\n`,
      stderr: '',
    });
  });

  it('exits 1 with one line when nothing listens by the end of --timeout', async () => {
    const port = await freePort();

    expect(await runCommand(['wait', '--timeout', '1'], { PORT: String(port) })).toEqual({
      code: 1,
      stdout: '',
      stderr: `agentcore-session-binding: http://localhost:${port}/ping did not answer 200 within 1 s: nothing listens there\n`,
    });
  });

  it.each([204, 302, 404, 503])('does not take %i for an answer', async (status) => {
    const { port } = await answering(status);

    const { code, stderr } = await runCommand(['wait', '--timeout', '1', '--port', String(port)]);

    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^[^\\n]* within 1 s: ${status}\\n$`));
  });

  it('asks for /ping and nothing else', async () => {
    const asked: string[] = [];
    const port = await listening((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end();
    });

    expect((await runCommand(['wait', '--port', String(port)])).code).toBe(0);
    expect(asked).toEqual(['GET /ping']);
  });

  it('gives up in time on a service that accepts and never answers', async () => {
    const port = await listening(() => {});
    const startedMs = performance.now();

    const { code, stderr } = await runCommand(['wait', '--timeout', '1'], { PORT: String(port) });

    expect(code).toBe(1);
    expect(stderr).toContain('within 1 s: no answer');
    expect(performance.now() - startedMs).toBeLessThan(8_000);
  });

  it('asks again when the first connection hangs', async () => {
    let connections = 0;
    const port = await listening((_request, response) => {
      connections += 1;
      if (connections > 1) response.end();
    });

    expect((await runCommand(['wait', '--timeout', '15'], { PORT: String(port) })).code).toBe(0);
    expect(connections).toBe(2);
  });

  it('says what it was told, where the deadline cuts the last question short', async () => {
    let questions = 0;
    const port = await listening((_request, response) => {
      questions += 1;
      if (questions === 1) response.writeHead(503).end();
    });

    const { stderr } = await runCommand(['wait', '--timeout', '2'], { PORT: String(port) });

    expect(stderr).toContain('within 2 s: 503');
    expect(questions).toBe(2);
  });

  it('takes the port from a mounted file, and --port before both', async () => {
    const { port } = await answering(200);
    const elsewhere = String(await freePort());
    const folder = temporaryFolder();
    const portFile = join(folder, 'port');
    writeFileSync(portFile, `${port}\n`);

    expect((await runCommand(['wait', '--timeout', '5'], { PORT_FILE: portFile })).code).toBe(0);
    const flag = ['wait', '--timeout', '5', '--port', String(port)];
    expect((await runCommand(flag, { PORT: elsewhere })).code).toBe(0);
    expect((await runCommand(flag, { PORT_FILE: join(folder, 'nothing-here') })).code).toBe(0);
  });

  it('asks at the address that HOST names, and on loopback where HOST is every address', async () => {
    const { port } = await answering(200, { host: '127.0.0.2' });

    const env = { PORT: String(port) };
    expect((await runCommand(['wait', '--timeout', '5'], { ...env, HOST: '127.0.0.2' })).code).toBe(0);
    const everywhere = await runCommand(['wait', '--timeout', '1'], { ...env, HOST: '0.0.0.0' });
    expect(everywhere.stderr).toContain(`http://localhost:${port}/ping did not answer`);
  });

  it.each([
    [['--timeout', '0'], '--timeout must be a whole number from 1 to 3600, digits only'],
    [['--timeout', '1s'], '--timeout must be a whole number from 1 to 3600, digits only'],
    [['--port', '0'], '--port must be a whole number from 1 to 65535, digits only'],
    [['--port', '99999'], '--port must be a whole number from 1 to 65535, digits only'],
    [['--url', 'http://localhost:1'], "Unknown option '--url'"],
  ])('refuses %j in one line', async (args, problem) => {
    expect(await runCommand(['wait', ...args])).toEqual({
      code: 2,
      stdout: '',
      stderr: `agentcore-session-binding: ${problem}; see --help\n`,
    });
  });

  it('exits 78 when the environment names no port to wait for', async () => {
    const wrong = await runCommand(['wait'], { PORT: 'https', HOST: 'not a host' });
    expect(wrong.code).toBe(78);
    expect(wrong.stderr).toMatch(/^[^\n]*2 problems\n {2}PORT: must be [^\n]*\n {2}HOST: must be [^\n]*\n$/);

    const ephemeral = await runCommand(['wait'], { PORT: '0' });
    expect(ephemeral.code).toBe(78);
    expect(ephemeral.stderr).toContain('PORT: 0 names no port to wait for; write it with --port');
  });

  // Every few seconds a health check starts this command on the service's own core: the AWS SDK alone would cost
  // it 125 ms. A copy of the build without node_modules can load nothing but Node's own modules.
  it('loads no dependency', async () => {
    const { port } = await answering(200);
    const folder = temporaryFolder();
    cpSync(dirname(BUILT_COMMAND), join(folder, 'dist'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');

    const waited = await follow(
      spawn(process.execPath, [join(folder, 'dist/cli.js'), 'wait', '--port', String(port)]),
    ).ended;

    expect(waited).toMatchObject({ code: 0, stderr: '' });
  });
});

async function answering(status: number, where: { port?: number; host?: string } = {}) {
  return { port: await listening((_request, response) => response.writeHead(status).end(), where) };
}

async function listening(
  listener: RequestListener,
  { port = 0, host = '127.0.0.1' }: { port?: number; host?: string } = {},
): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wait-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
