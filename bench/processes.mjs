import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cpuMs, residentBytes } from '../scripts/measure/process-figures.mjs';
import { CLIENT_ID } from './people.mjs';

/** Servers have one core for themselves; the stand-in and the generator share another. */
const SERVER_CORE = 0;
export const OTHER_CORE = availableParallelism() > 1 ? 1 : 0;

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a server on a core of its own and waits for its first answer to `/ping`.
 * @param {readonly string[]} argv of node
 * @param {Record<string, string>} env
 */
export async function startServer(argv, env) {
  const port = await freePort();
  const startedMs = performance.now();
  const child = spawn('taskset', ['-c', String(SERVER_CORE), process.execPath, ...argv], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, ...env, PORT: String(port) },
  });
  running.add(child);
  child.on('exit', () => running.delete(child));
  await untilPing(port, child);
  return {
    port,
    pid: child.pid,
    startMs: performance.now() - startedMs,
    cpuMs: () => cpuMs(child.pid),
    residentBytes: () => residentBytes(child.pid),
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** What all of them are told; the reference servers read the SDK's variables only. */
export function serviceEnvironment(agentcore, issuer) {
  return {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIABENCH',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: agentcore.endpoint,
    RUNTIME_ENVIRONMENT: 'local',
    SINGLE_USER: 'false',
    JWT_DISCOVERY_URL: issuer.discoveryUrl,
    JWT_ALLOWED_CLIENTS: CLIENT_ID,
    SESSION_SECRET: 'a-secret-of-the-benchmark-that-is-long-enough',
    STORE_URL: 'memory:?replicas=1',
    NODE_ENV: 'production',
  };
}

/** A private Redis (or Valkey) with nothing on disk, on the core of the stand-in. */
export async function startRedis() {
  const port = await freePort();
  const program = ['valkey-server', 'redis-server'].find(
    (name) => spawnSync(name, ['--version']).status === 0,
  );
  if (program === undefined) throw new Error('neither valkey-server nor redis-server is installed');
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('taskset', ['-c', String(OTHER_CORE), program, ...args], { stdio: 'ignore' });
  running.add(child);
  child.on('exit', () => running.delete(child));
  return {
    url: `redis://127.0.0.1:${port}`,
    cpuMs: () => cpuMs(child.pid),
    stop: () => child.kill('SIGKILL'),
  };
}

export async function startAgentCore() {
  const child = fork(fileURLToPath(new URL('agentcore.mjs', import.meta.url)));
  running.add(child);
  const [{ port }] = await once(child, 'message');
  pinToCore(child.pid, OTHER_CORE);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async delay(delayMs) {
      child.send({ delayMs });
      await once(child, 'message');
    },
    stop: () => child.disconnect(),
  };
}

/** Every thread of a process that runs already. */
export function pinToCore(pid, core) {
  spawn('taskset', ['-a', '-p', '-c', String(core), String(pid)], { stdio: 'ignore' });
}

async function untilPing(port, child) {
  while (child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/ping`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`a server did not start: ${child.spawnargs.join(' ')}`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
