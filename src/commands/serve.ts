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
  const loaded = load(env);
  if (loaded.kind === 'invalid') return reportProblems(loaded.problems, io);
  // The AWS SDK takes its time to load: the commands that do not serve need not wait for it.
  const [{ startServer, ListenError }, { createLogger }] = await Promise.all([
    import('../server.ts'),
    import('../telemetry/logger.ts'),
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
    io.err(`agentcore-session-binding: ${error.message}\n`);
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
