import { Secret } from '../../src/binding/secret.ts';
import { loadConfig } from '../../src/env/config.ts';
import type { Config, LoadedConfig } from '../../src/env/config.ts';
import type { Machine } from '../../src/env/runtime-environment.ts';

type Env = Readonly<Record<string, string | undefined>>;

export const STRONG_SECRET = 'pT0v9cWq3ZrLx7KbYd2HsN8mGfUe4JaR';
export const OTHER_STRONG_SECRET = 'Qm5XzB1wEo6VtCk9RjLh3NyDpAs7FgTu';

export const RANDOM_SECRET = 'mB8uWn3KsEy6PqTj1XhDz9CfLa4RoGv7';

/** A machine with nothing special about it. */
export const PLAIN_MACHINE: Machine = {
  resourceMetadata: undefined,
  hasDockerenv: false,
  space: undefined,
  randomSecret: new Secret(RANDOM_SECRET),
};

/** The smallest environment that starts for several users. */
export const MINIMAL_ENV = {
  AWS_REGION: 'eu-central-1',
  SINGLE_USER: 'false',
  JWT_DISCOVERY_URL: 'https://idp.example.com/pool/.well-known/openid-configuration',
  JWT_ALLOWED_CLIENTS: 'web-client',
  SESSION_SECRET: STRONG_SECRET,
  STORE_URL: 'memory:?replicas=1',
} as const;

/** A file reader that fails as `readFileSync` does. */
export function fileReader(files: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const text = Object.hasOwn(files, path) ? files[path] : undefined;
    if (text !== undefined) return text;
    throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' });
  };
}

/** Loads the minimal environment with some variables changed; undefined takes one away. */
export function load(changes: Env = {}, files: Readonly<Record<string, string>> = {}): LoadedConfig {
  return loadConfig({ ...MINIMAL_ENV, ...changes }, fileReader(files), PLAIN_MACHINE);
}

export function loadValid(
  changes: Env = {},
  files: Readonly<Record<string, string>> = {},
): Extract<LoadedConfig, { readonly kind: 'valid' }> {
  const loaded = load(changes, files);
  if (loaded.kind === 'invalid')
    throw new Error(`expected a valid configuration: ${loaded.problems.join('; ')}`);
  return loaded;
}

export function configOf(changes: Env = {}, files: Readonly<Record<string, string>> = {}): Config {
  return loadValid(changes, files).config;
}

export function problemsOf(
  changes: Env = {},
  files: Readonly<Record<string, string>> = {},
): readonly string[] {
  const loaded = load(changes, files);
  return loaded.kind === 'invalid' ? loaded.problems : [];
}
