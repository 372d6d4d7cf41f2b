import { type Config, loadConfig } from '../../src/env/config.ts';
import { SETTINGS } from '../../src/env/settings.ts';
import { fileReader, OTHER_STRONG_SECRET, PLAIN_MACHINE, STRONG_SECRET } from '../env/environment.ts';

/** What every deployment keeps apart from its text. */
export const SECRETS = {
  SESSION_SECRET: STRONG_SECRET,
  STORE_URL: `rediss://session-binding:${OTHER_STRONG_SECRET}@store.example.com:6379`,
} as const;

const KNOWN = Object.values(SETTINGS).flatMap(({ names }) => names.flatMap((name) => [name, `${name}_FILE`]));

/** Variables of the AWS SDK that are no settings of ours. */
const OTHERS = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL',
  'AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER',
];

/** Names that the service would not read: a misspelt one is ignored without a word. */
export function unknownIn(env: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(env).filter((name) => !KNOWN.includes(name) && !OTHERS.includes(name));
}

/** Loads what a deployment sets, as the service in its container would; throws for what it would not know or accept. */
export function loadDeployed(
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): { readonly config: Config; readonly warnings: readonly string[] } {
  const unknown = unknownIn(env);
  if (unknown.length > 0) throw new Error(`not a setting: ${unknown.join(', ')}`);
  const machine = { ...PLAIN_MACHINE, hasDockerenv: true };
  const loaded = loadConfig({ DOCKER_CONTAINER: '1', ...env }, fileReader(files), machine);
  if (loaded.kind === 'invalid') throw new Error(loaded.problems.join('\n'));
  return loaded;
}
