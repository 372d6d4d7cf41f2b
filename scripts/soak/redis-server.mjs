import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { freePort } from '../../dist/demo/free-port.js';

/** A server on a free loopback port that loses nothing it has confirmed when it is killed. Valkey, else Redis. */
export async function startRedis() {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'session-binding-soak-'));
  let child = await launch();
  const client = new Redis({ port, host: '127.0.0.1', protocol: 2, maxRetriesPerRequest: null });
  client.on('error', () => undefined);

  async function launch() {
    const files = ['--dir', folder, '--save', '', '--appendonly', 'yes'];
    for (const program of ['valkey-server', 'redis-server']) {
      const started = spawn(program, ['--bind', '127.0.0.1', '--port', String(port), ...files], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      if (await isReady(started)) return started;
    }
    throw new Error('neither valkey-server nor redis-server could be started');
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    /** Answers nobody for so long. */
    pause: (ms) => client.call('CLIENT', 'PAUSE', String(ms), 'ALL'),
    async kill() {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
    async start() {
      child = await launch();
    },
    async close() {
      client.disconnect();
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function isReady(child) {
  // Whatever ends this process ends it.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
  try {
    const failed = once(child, 'close').then(() => false);
    const lines = createInterface(child.stdout);
    return await Promise.race([
      failed,
      new Promise((resolve) => {
        lines.on('line', (line) => line.includes('Ready to accept connections') && resolve(true));
      }),
    ]);
  } catch {
    return false;
  }
}
