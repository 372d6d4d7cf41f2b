import type { Parsed } from './parsed.ts';
import type { Setting } from './settings.ts';

/** The environment and mounted secret files, passed in. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gives the text of a file, or throws. */
  readonly readFile: (path: string) => string;
}

/** What the environment says about one setting. `source` is the variable that said it; a required one is never `unset`. */
export type Reading<T> =
  | { readonly kind: 'unset' }
  | { readonly kind: 'value'; readonly value: T; readonly source: string }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

export function readSetting<T>(setting: Setting<T>, surroundings: Surroundings): Reading<T> {
  const variables = setting.names.map((name) => readVariable(name, surroundings));
  const faulty = variables.find((variable) => variable.kind === 'wrong');
  if (faulty !== undefined) return faulty;
  const first = variables.find((variable) => variable.kind === 'value');
  if (first !== undefined) return reading(first.source, setting.parse(first.value));
  const { names, whenUnset } = setting;
  return whenUnset.kind === 'required' ? wrongly(names[0], whenUnset.problem) : { kind: 'unset' };
}

/** An empty variable is unset: that is how compose files and task definitions pass on what nobody said. */
export function isSet(name: string, env: Surroundings['env']): boolean {
  // Own properties only: a name such as `constructor` is not in the environment.
  return Object.hasOwn(env, name) && env[name] !== undefined && env[name] !== '';
}

function readVariable(name: string, { env, readFile }: Surroundings): Reading<string> {
  const fileVariable = `${name}_FILE`;
  if (!isSet(fileVariable, env)) {
    return isSet(name, env) ? { kind: 'value', value: env[name] ?? '', source: name } : { kind: 'unset' };
  }
  if (isSet(name, env)) return wrongly(name, `is set beside ${fileVariable}; keep one of them`);
  let text: string;
  try {
    text = readFile(env[fileVariable] ?? '').replace(/\r?\n$/, '');
  } catch (error) {
    return wrongly(fileVariable, `the file cannot be read${systemCode(error)}`);
  }
  // Not "unset": a mounted file that is empty is an accident, and for a list it would lift a restriction.
  if (text === '') return wrongly(fileVariable, 'the file is empty');
  return { kind: 'value', value: text, source: fileVariable };
}

function reading<T>(source: string, outcome: Parsed<T>): Reading<T> {
  if (outcome.kind === 'parsed') return { kind: 'value', value: outcome.value, source };
  return { kind: 'wrong', problems: outcome.problems.map((problem) => `${source}: ${problem}`) };
}

function wrongly(name: string, problem: string): Reading<never> {
  return { kind: 'wrong', problems: [`${name}: ${problem}`] };
}

/** ` (ENOENT)` and the like. The message of a caught error may quote what it met, so only its code is shown. */
function systemCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' && /^E[A-Z]{2,20}$/.test(error.code) ? ` (${error.code})` : '';
}
