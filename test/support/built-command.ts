import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { SentAnswer } from './complain-about.mjs';
import { checkAnswer, throwUndescribed } from './described-answers.ts';

/** The command as it is shipped; the global setup has built it. */
export const BUILT_COMMAND = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

const RECORDER = new URL('answer-recorder.mjs', import.meta.url).href;

type Env = Readonly<Record<string, string | undefined>>;

export interface EndedCommand {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  hasEnded(): boolean;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<EndedCommand>;
}

/**
 * Starts the built command with this environment and nothing of the caller's but `PATH`; it ends with the test. What
 * `serve` answers is held to the committed document.
 */
export function startCommand(args: readonly string[], env: Env = {}): RunningCommand {
  return follow(
    spawn(process.execPath, [BUILT_COMMAND, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        ...(args[0] === 'serve' ? recordAnswers() : {}),
        ...env,
      },
    }),
  );
}

/** Variables for a process that serves, or starts one that does: when it has ended its answers are held to the document. */
export function recordAnswers(
  afterwards: (hold: () => void) => void = onTestFinished,
): Readonly<Record<'NODE_OPTIONS' | 'RECORDED_ANSWERS', string>> {
  const folder = mkdtempSync(join(tmpdir(), 'session-binding-answers-'));
  const path = join(folder, 'answers');
  afterwards(() => {
    // A process that was killed may have left half a line at the end.
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    rmSync(folder, { recursive: true });
    for (const line of lines) checkAnswer(JSON.parse(line) as SentAnswer);
    throwUndescribed();
  });
  return { NODE_OPTIONS: `--import ${RECORDER}`, RECORDED_ANSWERS: path };
}

/** Runs the built command to its end. */
export function runCommand(args: readonly string[], env: Env = {}): Promise<EndedCommand> {
  return startCommand(args, env).ended;
}

/** Gathers what a process says; ends it with the test, together with all it started if it leads a group. */
export function follow(child: ChildProcess): RunningCommand {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  onTestFinished(async () => {
    if (!hasEnded()) child.kill('SIGKILL');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    hasEnded,
    kill: (signal) => void child.kill(signal),
    ended,
  };
}
