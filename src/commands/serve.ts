import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Command, CommandIo, Environment } from './command.ts';
import { load, parseSettingFlags, reportProblems, SETTING_FLAGS_USAGE } from './settings.ts';

export const serveCommand: Command = {
  name: 'serve',
  summary: 'start the service',
  usage: `Usage: agentcore-session-binding serve [options]

Starts the service. Options override the environment:
${SETTING_FLAGS_USAGE}
Example
  agentcore-session-binding serve --port 8080 --public-url https://binding.example.com
`,
  async run(args, io) {
    const env = parseSettingFlags(args, io.env);
    if (env === 'help') {
      io.out(this.usage);
      return 0;
    }
    return serve(env, io);
  },
};

async function serve(env: Environment, io: CommandIo): Promise<number> {
  // The AWS SDK takes its time to load: the commands that do not serve need not wait for it. First, since while
  // modules load AWS's answer about a Studio space would lie unread, and count as none.
  const [{ startServer }, { ListenError }, { createLogger }] = await Promise.all([
    import('../server.ts'),
    import('../listen.ts'),
    import('../telemetry/logger.ts'),
  ]);
  const loaded = await load(env);
  if (loaded.kind === 'invalid') return reportProblems(loaded.problems, io);
  const { config, warnings } = loaded;
  const logger = createLogger(config.logLevel, await logDestination());
  for (const warning of warnings) logger.warn({ event: 'configuration' }, warning);
  if (config.publicUrlProblem !== undefined) {
    logger.error({ event: 'configuration' }, config.publicUrlProblem);
  }
  const stopped = nextSignal(logger);
  try {
    const server = await startServer(config, logger);
    const signal = await stopped;
    server.drain();
    const drainSeconds = isImpatient(signal) ? 0 : config.drainSeconds;
    logger.info(
      { event: 'stopping', signal, drain_seconds: drainSeconds },
      drainSeconds > 0 ? 'draining: new requests are still served' : 'finishing requests in flight',
    );
    await sleep(drainSeconds * 1000);
    await server.close();
    logger.info({ event: 'stopped' }, 'stopped');
    return 0;
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    io.err(`agentcore-session-binding: ${error.message}\n`);
    return 1;
  }
}

/** Ctrl+C at a terminal: there is no load balancer to tell, and somebody is waiting. */
function isImpatient(signal: NodeJS.Signals): boolean {
  return signal === 'SIGINT' && process.stdin.isTTY;
}

/** `npm start` passes on a Ctrl+C that the terminal has sent us already: that is one wish, not two. */
const SAME_WISH_MS = 500;

/** The first SIGTERM or SIGINT. The next one ends the process at once. */
function nextSignal(logger: Logger): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        firstAtMs ??= performance.now();
        resolve(signal);
        if (performance.now() - firstAtMs < SAME_WISH_MS) return;
        logger.warn(
          { event: 'stopped', signal },
          'stopped by a second signal: requests in flight are cut off',
        );
        process.exit(128 + constants.signals[signal]);
      });
    }
  });
}

/** People get readable lines, programs JSON. */
async function logDestination() {
  if (!process.stdout.isTTY) return process.stdout;
  const { default: pretty } = await import('pino-pretty');
  return pretty({ ignore: 'event', translateTime: 'SYS:HH:MM:ss', sync: true });
}
