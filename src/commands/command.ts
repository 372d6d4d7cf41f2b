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

export interface FlagKinds<Switch extends string, List extends string> {
  /** Flags without a value. */
  readonly switches?: readonly Switch[];
  /** Flags that may come more than once. */
  readonly lists?: readonly List[];
}

type Flags<Name extends string, Switch extends string, List extends string> = Readonly<
  Partial<Record<Name, string>> & Record<Switch, boolean> & Record<List, readonly string[]>
>;

/** The flags of a command, strings unless `kinds` says otherwise; anything else is a {@link UsageError}. */
export function parseFlags<Name extends string, Switch extends string = never, List extends string = never>(
  args: readonly string[],
  names: readonly Name[],
  { switches = [], lists = [] }: FlagKinds<Switch, List> = {},
): 'help' | Flags<Name, Switch, List> {
  const options = Object.fromEntries<{ type: 'string' | 'boolean'; multiple?: boolean }>([
    ...names.map((name) => [name, { type: 'string' }] as const),
    ...switches.map((name) => [name, { type: 'boolean' }] as const),
    ...lists.map((name) => [name, { type: 'string', multiple: true }] as const),
  ]);
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
  const given = Object.fromEntries([
    ...names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]] as const])),
    ...switches.map((name) => [name, values[name] === true] as const),
    ...lists.map((name) => [name, values[name] ?? []] as const),
  ]);
  // parseArgs gives each option the type that it was declared with.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return given as Flags<Name, Switch, List>;
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
