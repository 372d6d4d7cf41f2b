import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ServiceProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface ServiceProcessOptions {
  readonly port: number;
  readonly agentcoreEndpoint: string;
  readonly discoveryUrl: string;
  readonly clientId: string;
  readonly sessionSecret: string;
  /** Further settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Each line of its log. */
  readonly onLine?: (line: string) => void;
  /** For Node itself, before the command. */
  readonly nodeArguments?: readonly string[];
  /** Where its log goes, if nobody here reads it. */
  readonly stdio?: StdioOptions;
}

const READY_BUDGET_MS = 60_000;

/** Starts the built command, `serve`, in a process of its own, and waits until `/ready` says so. */
export async function startServiceProcess(options: ServiceProcessOptions): Promise<ServiceProcess> {
  const url = `http://localhost:${options.port}`;
  const command = fileURLToPath(new URL('../cli.js', import.meta.url));
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), command, 'serve'], {
    stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
    // Only what the service is told here: nothing of the caller's own AWS settings reaches it.
    env: {
      PATH: process.env['PATH'],
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIDEMO',
      AWS_SECRET_ACCESS_KEY: 'demo',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: options.agentcoreEndpoint,
      RUNTIME_ENVIRONMENT: 'local',
      SINGLE_USER: 'false',
      PORT: String(options.port),
      JWT_DISCOVERY_URL: options.discoveryUrl,
      JWT_ALLOWED_CLIENTS: options.clientId,
      SESSION_SECRET: options.sessionSecret,
      STORE_URL: 'memory:?replicas=1',
      ...options.settings,
    },
  });
  // Whatever ends this process ends the service: no demo leaves one behind on its port.
  process.once('exit', () => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  if (options.onLine !== undefined && child.stdout !== null) {
    createInterface(child.stdout).on('line', options.onLine);
  }
  try {
    await untilReady(url, child);
  } catch {
    throw new Error(`the service did not start:\n${output}`);
  }
  return {
    url,
    child,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit');
        child.kill('SIGTERM');
        await exit;
      }
      return child.exitCode;
    },
  };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const signal = AbortSignal.timeout(READY_BUDGET_MS);
  while (child.exitCode === null) {
    signal.throwIfAborted();
    const response = await fetch(`${url}/ready`, { signal }).catch(() => undefined);
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it exited');
}
