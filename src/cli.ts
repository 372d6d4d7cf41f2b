#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type LoadedConfig, loadConfig } from './env/config.ts';
import { renderReport } from './env/report.ts';

/** sysexits.h EX_CONFIG: the configuration is at fault, restarting will not help. */
const EXIT_CONFIG = 78;

const USAGE = `Usage: agentcore-session-binding <command> [options]

Finishes AgentCore Identity's OAuth consents in the browser of the user who started them, and in no other.

Commands
  serve    start the service
  check    validate the configuration and print the effective settings, secrets masked

Options
  --help       this text, or a command's own
  --version    the version

Configuration comes from environment variables; \`check\` lists them. Exit code 78: the configuration is wrong.
`;

const SERVE_USAGE = `Usage: agentcore-session-binding serve [options]

Starts the service. Options override the environment:
  --region <region>     AWS_REGION
  --host <address>      HOST
  --port <number>       PORT
  --public-url <url>    PUBLIC_URL

Example
  agentcore-session-binding serve --port 8080 --public-url https://binding.example.com
`;

const CHECK_USAGE = `Usage: agentcore-session-binding check [options]

Validates the configuration and prints the effective settings, secrets masked, and warnings.
Exits 0, or 78 with every problem on a line of its own. Takes the options of serve.
`;

const SETTING_OPTIONS = {
  region: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  'public-url': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** A mistake of the operator: one clear line, no stack. */
class UsageError extends Error {}

/** Runs one command and gives its exit code. */
async function main(argv: readonly string[], env: Environment): Promise<number> {
  const [command, ...rest] = argv;
  switch (command) {
    case 'serve': {
      const settings = parseSettings(rest);
      return settings === 'help' ? print(SERVE_USAGE) : serve({ ...env, ...settings });
    }
    case 'check': {
      const settings = parseSettings(rest);
      return settings === 'help' ? print(CHECK_USAGE) : check({ ...env, ...settings });
    }
    case '--version':
      return print(`${readVersion()}\n`);
    case '--help':
    case '-h':
      return print(USAGE);
    case undefined:
      process.stderr.write(USAGE);
      return 2;
    default:
      throw new UsageError(`unknown command: ${JSON.stringify(command)}`);
  }
}

function check(env: Environment): number {
  const loaded = load(env);
  if (loaded.kind === 'invalid') return reportProblems(loaded.problems);
  return print(renderReport(loaded));
}

async function serve(env: Environment): Promise<number> {
  const loaded = load(env);
  if (loaded.kind === 'invalid') return reportProblems(loaded.problems);
  // The AWS SDK takes its time to load: the commands that do not serve need not wait for it.
  const [{ startServer, ListenError }, { createLogger }] = await Promise.all([
    import('./server.ts'),
    import('./telemetry/logger.ts'),
  ]);
  const logger = createLogger(loaded.config.logLevel, await logDestination());
  for (const warning of loaded.warnings) logger.warn({ event: 'configuration' }, warning);
  try {
    const server = await startServer(loaded.config, logger);
    const signal = await nextSignal();
    logger.info({ event: 'stopping', signal }, 'finishing requests in flight');
    await server.close();
    logger.info({ event: 'stopped' }, 'stopped');
    return 0;
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    process.stderr.write(`agentcore-session-binding: ${error.message}\n`);
    return 1;
  }
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
}

/** People get readable lines, programs JSON. */
async function logDestination() {
  if (!process.stdout.isTTY) return process.stdout;
  const { default: pretty } = await import('pino-pretty');
  return pretty({ ignore: 'event', translateTime: 'SYS:HH:MM:ss', sync: true });
}

function load(env: Environment): LoadedConfig {
  return loadConfig(env, (path) => readFileSync(path, 'utf8'));
}

function reportProblems(problems: readonly string[]): number {
  const lines = problems.map((problem) => `  ${problem}\n`);
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  process.stderr.write(`agentcore-session-binding: the configuration has ${count}\n${lines.join('')}`);
  return EXIT_CONFIG;
}

/** The command line's settings under their variables' names. A flag replaces the variable and its `_FILE`. */
function parseSettings(args: readonly string[]): 'help' | Environment {
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options: SETTING_OPTIONS, allowPositionals: false }));
  } catch (error) {
    // parseArgs names the argument; its own hint about `--` is no help here.
    throw new UsageError(error instanceof Error ? error.message.split('. ')[0] : 'unreadable options');
  }
  if (values.help) return 'help';
  const { region, host, port, 'public-url': publicUrl } = values;
  return {
    ...(region === undefined ? {} : { ...setting('AWS_REGION', region), ...setting('AWS_DEFAULT_REGION') }),
    ...(host === undefined ? {} : setting('HOST', host)),
    ...(port === undefined ? {} : setting('PORT', port)),
    ...(publicUrl === undefined ? {} : setting('PUBLIC_URL', publicUrl)),
  };
}

function setting(name: string, value?: string): Environment {
  return { [name]: value, [`${name}_FILE`]: undefined };
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '';
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

main(process.argv.slice(2), process.env).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const text = error instanceof UsageError ? `${error.message}; see --help` : `unexpected ${String(error)}`;
    process.stderr.write(`agentcore-session-binding: ${text}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
