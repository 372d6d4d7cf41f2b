import { constants } from 'node:os';
import { parseWholeNumber } from '../env/parse-values.ts';
import { type Command, parseFlags, UsageError } from './command.ts';

const DEFAULT_PORT = 9080;

export const demoCommand: Command = {
  name: 'demo',
  summary: 'the whole flow on this machine, without an AWS account',
  usage: `Usage: agentcore-session-binding demo [options]

Starts a world to try the service in, on loopback: AgentCore Identity, Cognito, GitHub and Google as stand-ins, the
service itself, and an agent's page to open in a browser. Ctrl+C ends it, and leaves nothing behind.

  --port PORT   of the agent's page, ${DEFAULT_PORT} by default; another one is taken where it is not free
  --scripted    no page: a scripted browser plays every ending, with a verdict each, also when standard output is no
                terminal; exit code 1 when one of them is not the contract's

Example
  agentcore-session-binding demo --scripted
`,
  async run(args, io) {
    const flags = parseFlags(args, ['port'], { switches: ['scripted'] });
    if (flags === 'help') {
      io.out(this.usage);
      return 0;
    }
    const port = flags.port === undefined ? DEFAULT_PORT : parsePort(flags.port);
    // Lines about Node versions in the middle of the story help nobody here; `serve` still says it.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
    const isScripted = flags.scripted || !process.stdout.isTTY;
    try {
      if (!isScripted) {
        const { runInteractive } = await import('../demo/interactive.ts');
        return await runInteractive({ port });
      }
      const { runScripted } = await import('../demo/scripted.ts');
      // The service's process is ended when this one exits.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.once(signal, () => process.exit(128 + constants.signals[signal]));
      }
      return await runScripted();
    } catch (error) {
      if (isMissing(error)) {
        io.err('agentcore-session-binding: the demo is not part of the image; it is in the package\n');
        return 1;
      }
      io.out(`\n  the demo broke off: ${error instanceof Error ? error.message : String(error)}\n`);
      return process.exit(1);
    }
  },
};

function parsePort(text: string): number {
  const port = parseWholeNumber(text, 0, 65_535);
  if (port.kind === 'parsed') return port.value;
  throw new UsageError(`--port ${port.problems.join('; ')}`);
}

/**
 * The image holds neither the demo nor the emulator: what signs tokens for whoever asks has no business there. Any other
 * module that is missing is a broken installation, and its name is worth reading.
 */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') return false;
  return /[\\/]demo[\\/](?:interactive|scripted)\.js' imported from /.test(error.message);
}
