import { describe, expect, it } from 'vitest';
import { surveyMachine } from '../../src/commands/machine.ts';
import { isGuessable } from '../../src/env/session-secrets.ts';
import { fileReader } from '../env/environment.ts';

function survey(env: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}) {
  return surveyMachine({ env, readFile: fileReader(files) }, []);
}

describe('what the machine says', () => {
  it('is a secret that nobody can guess, another one at each start [SB-28]', async () => {
    const [one, other] = [(await survey({})).randomSecret, (await survey({})).randomSecret];
    expect(Buffer.byteLength(one.reveal())).toBeGreaterThanOrEqual(32);
    expect(isGuessable(one)).toBe(false);
    expect(one.reveal()).not.toBe(other.reveal());
  });

  it('is the metadata of SageMaker, from where it lies or from where a test has put it', async () => {
    const files = { '/opt/ml/metadata/resource-metadata.json': 'theirs', '/elsewhere': 'ours' };
    expect((await survey({}, files)).resourceMetadata).toBe('theirs');
    expect((await survey({ SAGEMAKER_METADATA_FILE: '/elsewhere' }, files)).resourceMetadata).toBe('ours');
  });

  it('is nothing where that file cannot be read', async () => {
    expect((await survey({})).resourceMetadata).toBeUndefined();
    expect((await survey({ SAGEMAKER_METADATA_FILE: '/nowhere' })).resourceMetadata).toBeUndefined();
  });
});
