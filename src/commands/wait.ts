import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Parsed } from '../env/parsed.ts';
import { parseWholeNumber } from '../env/parse-values.ts';
import { SETTINGS } from '../env/settings.ts';
import { type Reading, readSetting, type Surroundings } from '../env/variables.ts';
import { type Command, type CommandIo, parseFlags, UsageError } from './command.ts';
import { surroundingsOf } from './machine.ts';
import { localServiceUrl } from './service-url.ts';
import { reportProblems } from './settings.ts';

const DEFAULT_TIMEOUT_SECONDS = 40;
const MAX_TIMEOUT_SECONDS = 3600;
const POLL_MS = 200;
/** A service that accepts and then hangs is asked again, not waited for. */
const ATTEMPT_MS = 2_000;

const NO_ANSWER = 'no answer';

export const waitCommand: Command = {
  name: 'wait',
  summary: 'wait until the service answers',
  usage: `Usage: agentcore-session-binding wait [options]

Polls /ping on this machine until it answers 200. Exits 0, or 1 when it has not by then. The address is the one
that \`serve\` listens on by HOST and PORT; nothing else of the configuration is read.
  --port <number>       PORT
  --timeout <seconds>   how long to try, 1 to ${MAX_TIMEOUT_SECONDS} (default ${DEFAULT_TIMEOUT_SECONDS})
`,
  async run(args, io) {
    const flags = parseFlags(args, ['port', 'timeout']);
    if (flags === 'help') {
      io.out(this.usage);
      return 0;
    }
    const timeoutSeconds =
      flags.timeout === undefined
        ? DEFAULT_TIMEOUT_SECONDS
        : flagValue('--timeout', parseWholeNumber(flags.timeout, 1, MAX_TIMEOUT_SECONDS));
    const surroundings = surroundingsOf(io.env);
    const port =
      flags.port === undefined
        ? readPort(surroundings)
        : ({ kind: 'value', value: flagValue('--port', parsePort(flags.port)), source: '--port' } as const);
    const host = readSetting(SETTINGS.host, surroundings);
    const problems = [port, host].flatMap((reading) => (reading.kind === 'wrong' ? reading.problems : []));
    if (problems.length > 0) return reportProblems(problems, io);
    return waitFor(`${localServiceUrl(host, port)}/ping`, timeoutSeconds, io);
  },
};

async function waitFor(url: string, timeoutSeconds: number, io: CommandIo): Promise<number> {
  const deadlineMs = performance.now() + timeoutSeconds * 1000;
  let last = NO_ANSWER;
  for (;;) {
    const leftMs = Math.max(Math.ceil(deadlineMs - performance.now()), 1);
    const answer = await ping(url, Math.min(ATTEMPT_MS, leftMs));
    if (answer === '200') {
      io.out(`${url} answers\n`);
      return 0;
    }
    // An attempt that the deadline cut short says less than the one before it.
    if (answer !== NO_ANSWER || leftMs >= ATTEMPT_MS) last = answer;
    if (performance.now() + POLL_MS >= deadlineMs) {
      io.err(`agentcore-session-binding: ${url} did not answer 200 within ${timeoutSeconds} s: ${last}\n`);
      return 1;
    }
    await sleep(POLL_MS);
  }
}

/** The status of one answer, or why there was none. `fetch` would cost each health check its own start-up time. */
function ping(url: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    // An agent of its own: the shared one may have been told to go through a proxy.
    const request = get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      response.destroy();
      resolve(String(response.statusCode));
    });
    request.on('error', (error) => resolve('code' in error ? reasonOf(error.code) : NO_ANSWER));
  });
}

function reasonOf(code: unknown): string {
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  return typeof code === 'string' && /^E[A-Z_]+$/.test(code) ? code : NO_ANSWER;
}

function readPort(surroundings: Surroundings): Reading<number> {
  const port = readSetting(SETTINGS.port, surroundings);
  if (port.kind !== 'value' || port.value !== 0) return port;
  return { kind: 'wrong', problems: [`${port.source}: 0 names no port to wait for; write it with --port`] };
}

function parsePort(text: string): Parsed<number> {
  return parseWholeNumber(text, 1, 65_535);
}

function flagValue<T>(flag: string, outcome: Parsed<T>): T {
  if (outcome.kind === 'parsed') return outcome.value;
  throw new UsageError(`${flag} ${outcome.problems.join('; ')}`);
}
