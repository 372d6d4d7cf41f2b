import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { Secret } from '../binding/secret.ts';
import { RESOURCE_METADATA_FILE } from '../env/resource-metadata.ts';
import type { Machine, MachineFacts } from '../env/runtime-environment.ts';
import { type DecidedBySpace, findSpaceQuestion, type SpaceQuestion } from '../env/space-question.ts';
import { isSet, type Surroundings } from '../env/variables.ts';

/** Asks this machine, and AWS where something hangs on it, what {@link Machine} must say. Never rejects. */
export async function surveyMachine(
  surroundings: Surroundings,
  toDecide: readonly DecidedBySpace[],
): Promise<Machine> {
  const facts = readFacts(surroundings);
  const question = findSpaceQuestion(surroundings, facts, toDecide);
  const space = question === undefined ? undefined : await ask(question);
  return { ...facts, space, randomSecret: new Secret(randomBytes(48).toString('base64url')) };
}

async function ask(question: SpaceQuestion) {
  const { describeSpace } = await import('../sagemaker/describe-space.ts');
  return describeSpace(question);
}

function readFacts({ env, readFile }: Surroundings): MachineFacts {
  // For tests alone: nobody mounts a machine's own identity elsewhere.
  const isOverridden = isSet('SAGEMAKER_METADATA_FILE', env);
  const metadataFile = isOverridden ? env['SAGEMAKER_METADATA_FILE'] : RESOURCE_METADATA_FILE;
  let resourceMetadata: string | undefined;
  try {
    resourceMetadata = readFile(metadataFile ?? '');
  } catch {
    resourceMetadata = undefined;
  }
  return { resourceMetadata, hasDockerenv: existsSync('/.dockerenv') };
}

export function surroundingsOf(env: Surroundings['env']): Surroundings {
  return { env, readFile: (path) => readFileSync(path, 'utf8') };
}
