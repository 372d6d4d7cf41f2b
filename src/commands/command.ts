import { parseArgs } from 'node:util';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a command may touch of the process that runs it. */
export interface CommandIo {
  readonly env: Environment;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** One word of the command line. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole answer to `--help`. */
  readonly usage: string;
  /** Gives the exit code. `args` are those behind the command's name. */
  run(args: readonly string[], io: CommandIo): Promise<number>;
}

/** A mistake of the operator: one clear line, no stack, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The flags of a command, all of them strings except `--help`; anything else is a {@link UsageError}. */
export function parseFlags<Name extends string>(
  args: readonly string[],
  names: readonly Name[],
): 'help' | Readonly<Partial<Record<Name, string>>> {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  let values: Readonly<Record<string, unknown>>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: false,
    }));
  } catch (error) {
    throw new UsageError(describe(error));
  }
  if (values['help'] === true) return 'help';
  const flags: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = values[name];
    if (typeof value === 'string') flags[name] = value;
  }
  return flags;
}

/** One line that names the option. parseArgs would add hints about `--`, and echo a token typed in the wrong place. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unreadable options';
  if ('code' in error && error.code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') {
    return 'only options are expected here';
  }
  const [sentence = ''] = error.message.split(/\.?\s*\n|\. /);
  return sentence.replaceAll(/\p{Cc}/gu, '').replace(/\.$/, '');
}
