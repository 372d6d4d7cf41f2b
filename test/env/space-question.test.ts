import { describe, expect, it } from 'vitest';
import { findSpaceQuestion } from '../../src/env/space-question.ts';
import { fileReader } from './environment.ts';

const SPACE = { DomainId: 'd-abc', SpaceName: 'mine' };
const ALL = ['publicUrl', 'singleUser'] as const;

function ask(
  env: Readonly<Record<string, string>>,
  metadata: object | undefined = SPACE,
  toDecide: readonly ('publicUrl' | 'singleUser')[] = ALL,
) {
  return findSpaceQuestion(
    { env: { AWS_REGION: 'us-east-1', ...env }, readFile: fileReader({}) },
    { resourceMetadata: JSON.stringify(metadata), hasDockerenv: true },
    toDecide,
  );
}

const QUESTION = { domainId: 'd-abc', spaceName: 'mine', region: 'us-east-1' };
const URL_SET = { PUBLIC_URL: 'https://a.example.com' };

describe('AWS is asked about the space', () => {
  it('in Studio', () => {
    expect(ask({})).toEqual(QUESTION);
    expect(ask({ RUNTIME_ENVIRONMENT: 'sagemaker' })).toEqual(QUESTION);
  });

  it('while its address or its sharing is not said', () => {
    expect(ask(URL_SET)).toEqual(QUESTION);
    expect(ask({ SINGLE_USER: 'true' })).toEqual(QUESTION);
    expect(ask({ ...URL_SET, SINGLE_USER: 'true' })).toBeUndefined();
    expect(ask(URL_SET, SPACE, ['publicUrl'])).toBeUndefined();
    expect(ask({ SINGLE_USER: 'true' }, SPACE, ['publicUrl'])).toEqual(QUESTION);
  });

  it('nowhere else', () => {
    expect(ask({ RUNTIME_ENVIRONMENT: 'local' })).toBeUndefined();
    expect(ask({ RUNTIME_ENVIRONMENT: 'container' })).toBeUndefined();
    expect(ask({}, { DomainId: 'd-abc' })).toBeUndefined();
    expect(ask({ RUNTIME_ENVIRONMENT: 'sagemaker' }, { DomainId: 'd-abc' })).toBeUndefined();
  });

  it('in its own region, which need not be that of AgentCore', () => {
    const arn = 'arn:aws-cn:sagemaker:cn-north-1:123456789012:app/d-abc/mine/JupyterLab/default';
    expect(ask({}, { ...SPACE, ResourceArn: arn })?.region).toBe('cn-north-1');
  });

  it.each([
    'arn:aws:sagemaker:attacker.example/:1:app/x',
    'arn:aws:sagemaker::1:app/x',
    'arn:aws:s3:eu-west-1:1:app/x',
    7,
  ])('in the region of the settings where the file has none: %s', (ResourceArn) => {
    expect(ask({}, { ...SPACE, ResourceArn })?.region).toBe('us-east-1');
  });

  it('never while the region is wrong, since then nothing starts', () => {
    expect(ask({ AWS_REGION: '' })).toBeUndefined();
    expect(ask({ AWS_REGION: 'europe' })).toBeUndefined();
  });
});
