import { describe, expect, it } from 'vitest';
import { iamCommand } from '../../src/commands/iam.ts';
import { runInProcess } from '../support/run-in-process.ts';

const NAMES = ['--workload', 'my_agent-AbCdEfGhIj', '--provider', 'github'];
const ENV = { AWS_REGION: 'eu-central-1', AWS_ACCOUNT_ID: '111122223333' };

const run = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  runInProcess(iamCommand, args, env);

describe('iam', () => {
  it('allows to finish consents for the named agents and providers, and nothing else [SB-27]', async () => {
    const { code, stdout, stderr } = await run([...NAMES, '--provider', 'google'], ENV);
    expect([code, stderr]).toEqual([0, '']);
    const arn = 'arn:aws:bedrock-agentcore:eu-central-1:111122223333:';
    const secret =
      'arn:aws:secretsmanager:eu-central-1:111122223333:secret:bedrock-agentcore-identity!default/oauth2/';
    expect(JSON.parse(stdout)).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'FinishConsents',
          Effect: 'Allow',
          Action: 'bedrock-agentcore:CompleteResourceTokenAuth',
          Resource: [
            `${arn}workload-identity-directory/default`,
            `${arn}workload-identity-directory/default/workload-identity/my_agent-AbCdEfGhIj`,
            `${arn}token-vault/default`,
            `${arn}token-vault/default/oauth2credentialprovider/github`,
            `${arn}token-vault/default/oauth2credentialprovider/google`,
          ],
        },
        {
          Sid: 'ReadProviderSecretsThroughAgentCore',
          Effect: 'Allow',
          Action: 'secretsmanager:GetSecretValue',
          Resource: [`${secret}github-??????`, `${secret}google-??????`],
          Condition: { 'ForAnyValue:StringEquals': { 'aws:CalledVia': ['bedrock-agentcore.amazonaws.com'] } },
        },
      ],
    });
    expect(stdout).not.toContain('*');
  });

  it.each([
    ['us-gov-west-1', 'arn:aws-us-gov:'],
    ['cn-north-1', 'arn:aws-cn:'],
    ['ap-southeast-2', 'arn:aws:'],
  ])('writes the ARNs of %s with %s', async (region, start) => {
    const args = [...NAMES, '--region', region, '--account', '444455556666'];
    const { code, stdout } = await run(args, { ...ENV, AWS_DEFAULT_REGION: 'us-east-1' });
    expect(code).toBe(0);
    const arns = stdout.match(/arn:[^"]+/g) ?? [];
    expect(arns).toHaveLength(5);
    expect(arns.filter((arn) => !arn.startsWith(start) || !arn.includes(`:${region}:444455556666:`))).toEqual(
      [],
    );
  });

  it.each([
    [['--workload', 'my_agent-A'], '--provider is required'],
    [['--provider', 'github'], '--workload is required'],
    [['--workload', '*', '--provider', 'github'], '--workload must be'],
    [['--workload', 'my_agent-A', '--provider', 'git*'], '--provider must be'],
    [['--workload', 'my_agent-A', '--provider', 'git?ub'], '--provider must be'],
    [['--workload', 'a/b/c', '--provider', 'github'], '--workload must be'],
    [['--workload', 'my_agent-A', '--provider', 'github', '--provider', ''], '--provider must be'],
    [[...NAMES, '--account', '1111'], '--account (or AWS_ACCOUNT_ID) must be the 12 digits'],
    [[...NAMES, '--account', '*'], '--account (or AWS_ACCOUNT_ID) must be the 12 digits'],
  ])('prints no policy for %j, but what to write [SB-27]', async (args, problem) => {
    const { code, stdout, stderr } = await run(args, ENV);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toContain(problem);
  });

  it('says which account and region are missing', async () => {
    const noAccount = await run(NAMES, { AWS_REGION: 'eu-central-1' });
    expect(noAccount.code).toBe(2);
    expect(noAccount.stderr).toContain('aws sts get-caller-identity');
    const noRegion = await run(NAMES, { AWS_ACCOUNT_ID: '111122223333' });
    expect(noRegion).toMatchObject({ code: 78, stdout: '' });
    expect(noRegion.stderr).toContain('AWS_REGION: required');
  });
});
