import { parseResourceMetadata } from './resource-metadata.ts';
import { detectEnvironment, type MachineFacts } from './runtime-environment.ts';
import { SETTINGS } from './settings.ts';
import { readSetting, type Surroundings } from './variables.ts';

/** A DescribeSpace call to make before the configuration can be loaded. */
export interface SpaceQuestion {
  readonly domainId: string;
  readonly spaceName: string;
  readonly region: string;
}

/** What can follow from the answer. */
export type DecidedBySpace = 'publicUrl' | 'singleUser';

/** What must be asked of AWS so that these can be decided; undefined where they are said. Pure, as loading is. */
export function findSpaceQuestion(
  surroundings: Surroundings,
  facts: MachineFacts,
  toDecide: readonly DecidedBySpace[],
): SpaceQuestion | undefined {
  const isSaid = (key: DecidedBySpace) => readSetting<unknown>(SETTINGS[key], surroundings).kind !== 'unset';
  const environment = readSetting(SETTINGS.environment, surroundings);
  if (detectEnvironment({ environment }, surroundings.env, facts) !== 'sagemaker') return undefined;
  if (toDecide.every(isSaid)) return undefined;
  const space = parseResourceMetadata(facts.resourceMetadata);
  const region = readSetting(SETTINGS.region, surroundings);
  if (space === undefined || region.kind !== 'value') return undefined;
  // AgentCore may be used in another region than Studio: the space is known in its own only.
  return { ...space, region: space.region ?? region.value };
}
