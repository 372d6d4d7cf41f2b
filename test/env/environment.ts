import { loadConfig } from '../../src/env/config.ts';
import type { Config, LoadedConfig } from '../../src/env/config.ts';

type Env = Readonly<Record<string, string | undefined>>;

export const STRONG_SECRET = 'pT0v9cWq3ZrLx7KbYd2HsN8mGfUe4JaR';
export const OTHER_STRONG_SECRET = 'Qm5XzB1wEo6VtCk9RjLh3NyDpAs7FgTu';

/** The smallest environment that starts. */
export const MINIMAL_ENV = {
  AWS_REGION: 'eu-central-1',
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
  return loadConfig({ ...MINIMAL_ENV, ...changes }, fileReader(files));
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
