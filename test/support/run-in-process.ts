import { type Command, UsageError } from '../../src/commands/command.ts';
import type { EndedCommand } from './built-command.ts';

/** Runs a command without a process of its own: what the command line adds to it is tested elsewhere. */
export async function runInProcess(
  command: Command,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<EndedCommand> {
  let stdout = '';
  let stderr = '';
  const io = { env, out: (text: string) => (stdout += text), err: (text: string) => (stderr += text) };
  try {
    return { code: await command.run(args, io), stdout, stderr };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { code: 2, stdout, stderr: `${stderr}${error.message}\n` };
  }
}
