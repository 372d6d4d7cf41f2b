import { misspeltSettings } from './misspelt.ts';
import { ephemeralPort } from './problems.ts';
import { decidePublicUrl, detectEnvironment, type Machine } from './runtime-environment.ts';
import { SETTINGS } from './settings.ts';
import { readSetting, type Surroundings } from './variables.ts';
import { unnamedContainer } from './warnings.ts';

export type LoadedCallbackUrl =
  | {
      readonly kind: 'valid';
      readonly callbackUrl: string;
      /** Why the user's browser will not reach it, and the fix. */
      readonly problem: string | undefined;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/**
 * The URL to register with the workload identity. Reads only the settings that decide it, so that it can be had
 * before anything else is set up (contract §9). Pure; never throws.
 */
export function loadCallbackUrl(surroundings: Surroundings, machine: Machine): LoadedCallbackUrl {
  const region = readSetting(SETTINGS.region, surroundings);
  const environment = readSetting(SETTINGS.environment, surroundings);
  const port = readSetting(SETTINGS.port, surroundings);
  const publicUrl = readSetting(SETTINGS.publicUrl, surroundings);
  const problems = [
    ...[region, environment, port, publicUrl].flatMap((reading) =>
      reading.kind === 'wrong' ? reading.problems : [],
    ),
    ...ephemeralPort({ port, publicUrl }),
  ];
  const misspelt = misspeltSettings(surroundings.env);
  if (problems.length > 0) return { kind: 'invalid', problems: [...problems, ...misspelt] };
  const name = detectEnvironment({ environment }, surroundings.env, machine);
  const decided = decidePublicUrl({ publicUrl, port }, name, machine);
  return {
    kind: 'valid',
    callbackUrl: `${decided.publicUrl}/oauth2/callback`,
    problem: decided.publicUrlProblem,
    warnings: [...misspelt, ...unnamedContainer({ publicUrl }, { name, publicUrl: decided.publicUrl })],
  };
}
