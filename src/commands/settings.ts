import { type LoadedConfig, loadConfig } from '../env/config.ts';
import { type CommandIo, type Environment, parseFlags } from './command.ts';
import { surroundingsOf, surveyMachine } from './machine.ts';

/** sysexits.h EX_CONFIG: the configuration is at fault, restarting will not help. */
const EXIT_CONFIG = 78;

/** For the `--help` of each command that takes them. */
export const SETTING_FLAGS_USAGE = `  --region <region>     AWS_REGION
  --host <address>      HOST
  --port <number>       PORT
  --public-url <url>    PUBLIC_URL
`;

export const SETTING_FLAGS = ['region', 'host', 'port', 'public-url'] as const;

type SettingFlags = Readonly<Partial<Record<(typeof SETTING_FLAGS)[number], string>>>;

/** The environment as the command line overrides it. A flag replaces the variable and its `_FILE`. */
export function parseSettingFlags(args: readonly string[], env: Environment): 'help' | Environment {
  const flags = parseFlags(args, SETTING_FLAGS);
  return flags === 'help' ? 'help' : overrideSettings(flags, env);
}

export function overrideSettings(flags: SettingFlags, env: Environment): Environment {
  return {
    ...env,
    ...(flags.region === undefined
      ? {}
      : { ...setting('AWS_REGION', flags.region), ...setting('AWS_DEFAULT_REGION') }),
    ...(flags.host === undefined ? {} : setting('HOST', flags.host)),
    ...(flags.port === undefined ? {} : setting('PORT', flags.port)),
    ...(flags['public-url'] === undefined ? {} : setting('PUBLIC_URL', flags['public-url'])),
  };
}

/** In Studio this asks AWS about the space, which may take five seconds (contract §10). */
export async function load(env: Environment): Promise<LoadedConfig> {
  const surroundings = surroundingsOf(env);
  const machine = await surveyMachine(surroundings, ['publicUrl', 'singleUser']);
  return loadConfig(env, surroundings.readFile, machine);
}

/** Every problem on a line of its own; the exit code says that restarting will not help. */
export function reportProblems(problems: readonly string[], io: CommandIo): number {
  const lines = problems.map((problem) => `  ${problem}\n`);
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  io.err(`agentcore-session-binding: the configuration has ${count}\n${lines.join('')}`);
  return EXIT_CONFIG;
}

function setting(name: string, value?: string): Environment {
  return { [name]: value, [`${name}_FILE`]: undefined };
}
