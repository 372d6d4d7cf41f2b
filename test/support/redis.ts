import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { describeWithProgram, findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';

/** Valkey where it is installed, else Redis. */
const PROGRAM = findProgram('valkey-server') ?? findProgram('redis-server');

/** A suite that needs a server of its own. */
export function describeWithRedis(name: string, suite: () => void): void {
  describeWithProgram(PROGRAM, 'neither valkey-server nor redis-server is installed', name, suite);
}

/** A private server on an ephemeral loopback port, with no configuration file and nothing on disk. */
export interface RedisServer {
  readonly port: number;
  /** A client for the test's own eyes. */
  readonly raw: Redis;
  /** Starts it, empty, on the same port. */
  start(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

export interface RedisServerOptions {
  /** Command line arguments besides those of every test server. */
  readonly args?: readonly string[];
  /** With what the test's own client signs in. */
  readonly rawPassword?: string;
}

const START_BUDGET_MS = 10_000;

/** Starts a server that ends with the test, or with `close` when started outside of one. */
export async function startRedis({ args = [], rawPassword }: RedisServerOptions = {}): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'session-binding-redis-'));
  let child = await launch();
  const raw = new Redis({
    host: '127.0.0.1',
    port,
    lazyConnect: true,
    protocol: 2,
    retryStrategy: (times) => Math.min(20 * times, 200),
    maxRetriesPerRequest: null,
    ...(rawPassword === undefined ? {} : { password: rawPassword }),
  });
  raw.on('error', () => undefined);

  async function launch(): Promise<ChildProcess> {
    const common = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    const started = spawn(PROGRAM ?? '', ['--port', String(port), ...common, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    const ready = new Promise<boolean>((resolve) => {
      started.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.includes('Ready to accept connections')) resolve(true);
      });
      started.once('error', () => resolve(false));
      started.once('exit', () => resolve(false));
      setTimeout(() => resolve(false), START_BUDGET_MS).unref();
    });
    if (!(await ready)) {
      started.kill('SIGKILL');
      throw new Error(`the server did not start:\n${output}`);
    }
    return started;
  }

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  return {
    port,
    raw,
    async start() {
      child = await launch();
    },
    kill,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async close() {
      raw.disconnect();
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** {@link startRedis} for one test. */
export async function startRedisForTest(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.close());
  return server;
}
