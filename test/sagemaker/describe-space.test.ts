import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeSpace } from '../../src/sagemaker/describe-space.ts';
import { closedPort, startDeafServer, startRawServer } from '../agentcore/hostile-servers.ts';
import {
  DENIAL,
  DOMAIN_ID,
  PRIVATE_SPACE,
  SHARED_SPACE,
  SPACE_NAME,
  SPACE_URL,
  type SpaceAnswer,
  startSageMaker,
} from '../support/sagemaker.ts';

const QUESTION = { domainId: DOMAIN_ID, spaceName: SPACE_NAME, region: 'eu-west-3' };

/** Asks with the SDK's own variables, as in Studio. */
async function ask(answer: SpaceAnswer, budgetMs?: number) {
  const sagemaker = await startSageMaker(answer);
  vi.stubEnv('AWS_ENDPOINT_URL_SAGEMAKER', sagemaker.endpoint);
  return { space: await describeSpace(QUESTION, budgetMs), sagemaker };
}

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDTEST');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterEach(() => vi.unstubAllEnvs());

describe('a Studio space', () => {
  it('is asked about by domain and name, in its own region', async () => {
    const { space, sagemaker } = await ask(PRIVATE_SPACE);
    expect(space).toEqual({ kind: 'described', url: SPACE_URL, isShared: false });
    expect(sagemaker.calls).toEqual([{ domainId: DOMAIN_ID, spaceName: SPACE_NAME, region: 'eu-west-3' }]);
  });

  it('is shared where AWS says so', async () => {
    expect((await ask(SHARED_SPACE)).space).toEqual({ kind: 'described', url: SPACE_URL, isShared: true });
  });

  it.each([undefined, { SharingType: 'SomethingNew' }])(
    'counts as shared where AWS does not say it is private: %j [SB-04]',
    async (settings) => {
      const answer = {
        kind: 'space',
        Url: SPACE_URL,
        ...(settings && { SpaceSharingSettings: settings }),
      } as const;
      expect((await ask(answer)).space).toEqual({ kind: 'described', url: SPACE_URL, isShared: true });
    },
  );

  it('loses the trailing slash of its Url', async () => {
    expect((await ask({ ...PRIVATE_SPACE, Url: `${SPACE_URL}/` })).space).toMatchObject({ url: SPACE_URL });
  });

  it.each([
    'http://abc.studio.eu-west-3.sagemaker.aws/jupyterlab/default',
    'http://localhost:8888/jupyterlab/default',
    'https://user:word@abc.studio.eu-west-3.sagemaker.aws',
    `${SPACE_URL}?token=1`,
    `${SPACE_URL}#a`,
    'https://abc.studio.eu-west-3.sagemaker.aws//attacker.example',
    'javascript:alert(1)',
    '/jupyterlab/default',
    '',
  ])('is of no use with the Url "%s", which would stand in every link [SB-18]', async (Url) => {
    expect((await ask({ ...PRIVATE_SPACE, Url })).space).toEqual({
      kind: 'unknown',
      reason: 'the space has no https Url without query',
      isShared: false,
    });
  });

  it('is of no use without Url, and still known to be shared', async () => {
    expect((await ask({ kind: 'space', SpaceSharingSettings: { SharingType: 'Shared' } })).space).toEqual({
      kind: 'unknown',
      reason: 'the space has no Url',
      isShared: true,
    });
  });
});

describe('a question that fails', () => {
  it.each(['AccessDeniedException', 'ResourceNotFound', 'ExpiredTokenException', 'ValidationException'])(
    'names the exception and nothing else that AWS says: %s [SB-16]',
    async (name) => {
      const { space, sagemaker } = await ask({ kind: 'exception', name });
      expect(space).toEqual({ kind: 'unknown', reason: name });
      expect(JSON.stringify(space)).not.toContain(DENIAL);
      expect(sagemaker.calls).toHaveLength(1);
    },
  );

  it('is asked once more when AWS is busy', async () => {
    const { space, sagemaker } = await ask({ kind: 'exception', name: 'ThrottlingException' });
    expect(space).toEqual({ kind: 'unknown', reason: 'ThrottlingException' });
    expect(sagemaker.calls).toHaveLength(2);
  });

  it.each([
    [{ kind: 'html', status: 503 }, /^[A-Za-z]+$|^it failed$/],
    [{ kind: 'html', status: 200 }, /^[A-Za-z]+$|^it failed$/],
    [{ kind: 'reset' }, /^[A-Z]+$/],
  ] as const)('is a failure without words from outside: %j', async (answer, reason) => {
    const { space } = await ask(answer);
    expect(space).toMatchObject({ kind: 'unknown', reason: expect.stringMatching(reason) as string });
    expect(JSON.stringify(space)).not.toContain('<');
  });

  it('ends with its budget when AWS never answers', async () => {
    const startedMs = performance.now();
    const { space } = await ask({ kind: 'hang' }, 300);
    expect(space).toEqual({ kind: 'unknown', reason: 'no answer in time' });
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it('ends by itself where no way leads to AWS', async () => {
    const deaf = await startDeafServer();
    try {
      vi.stubEnv('AWS_ENDPOINT_URL_SAGEMAKER', deaf.endpoint);
      const startedMs = performance.now();
      expect(await describeSpace(QUESTION)).toMatchObject({ kind: 'unknown' });
      expect(performance.now() - startedMs).toBeLessThan(15_000);
    } finally {
      await deaf.close();
    }
  });

  it('ends with its budget when the credentials hang', async () => {
    const sagemaker = await startSageMaker(PRIVATE_SPACE);
    const silent = await startRawServer(() => undefined);
    vi.stubEnv('AWS_ENDPOINT_URL_SAGEMAKER', sagemaker.endpoint);
    vi.stubEnv('AWS_ACCESS_KEY_ID', '');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', '');
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${silent.endpoint}/credentials`);
    try {
      expect(await describeSpace(QUESTION, 300)).toEqual({ kind: 'unknown', reason: 'no answer in time' });
      expect(sagemaker.calls).toEqual([]);
    } finally {
      await silent.close();
    }
  });

  it('says so when nobody listens', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_SAGEMAKER', `http://127.0.0.1:${await closedPort()}`);
    expect(await describeSpace(QUESTION)).toEqual({ kind: 'unknown', reason: 'ECONNREFUSED' });
  });

  it('is not asked in the clear beyond loopback: the answer stands in every link [SB-18]', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_SAGEMAKER', 'http://192.0.2.1');
    expect(await describeSpace(QUESTION)).toEqual({ kind: 'unknown', reason: 'InsecureEndpointError' });
  });
});
