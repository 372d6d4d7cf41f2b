import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { runCommand, startCommand } from '../support/built-command.ts';
import { startSurroundings, statusOf } from '../support/built-service.ts';
import {
  DENIAL,
  DOMAIN_ID,
  PRIVATE_SPACE,
  RESOURCE_METADATA,
  SHARED_SPACE,
  SPACE_NAME,
  SPACE_URL,
  type SpaceAnswer,
  startSageMaker,
  STUDIO_ORIGIN,
} from '../support/sagemaker.ts';
import { until } from '../support/until.ts';
import { walkConsent } from './walk-consent.ts';

// Several processes, one after the other.
vi.setConfig({ testTimeout: 60_000 });

/** The files and variables of a JupyterLab space. */
async function enterStudio(answer: SpaceAnswer = PRIVATE_SPACE, metadata: unknown = RESOURCE_METADATA) {
  const sagemaker = await startSageMaker(answer);
  const folder = mkdtempSync(join(tmpdir(), 'studio-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'resource-metadata.json');
  writeFileSync(file, typeof metadata === 'string' ? metadata : JSON.stringify(metadata));
  const studio = {
    SAGEMAKER_METADATA_FILE: file,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDTEST',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_SAGEMAKER: sagemaker.endpoint,
    // Studio is itself a container.
    DOCKER_CONTAINER: 'true',
  };
  return { sagemaker, studio };
}

/** `serve` in Studio, with nothing set that a notebook would not set. */
async function serveInStudio(answer: SpaceAnswer) {
  const [surroundings, { studio, sagemaker }] = await Promise.all([startSurroundings(), enterStudio(answer)]);
  const { SESSION_SECRET: _, STORE_URL: __, PUBLIC_URL: ___, ...env } = { ...surroundings.env };
  const command = startCommand(['serve'], { ...env, ...studio, DRAIN_SECONDS: '0' });
  const { url } = surroundings;
  await until('/ready', async () => ((await statusOf(`${url}/ready`)) === 200 ? true : undefined));
  return { surroundings, sagemaker, command, url };
}

const DENIED = { kind: 'exception', name: 'AccessDeniedException' } as const;
const FIX = 'allow sagemaker:DescribeSpace to the execution role and start again, or set PUBLIC_URL';

describe('in SageMaker Studio', () => {
  it('the callback URL is below the Url of the space, which AWS is asked for', async () => {
    const { studio, sagemaker } = await enterStudio();
    expect(await runCommand(['callback-url'], studio)).toEqual({
      code: 0,
      stdout: `${SPACE_URL}/proxy/9090/oauth2/callback\n`,
      stderr: '',
    });
    // AgentCore is used in us-east-1; the space is one of eu-west-3.
    expect(sagemaker.calls).toEqual([{ domainId: DOMAIN_ID, spaceName: SPACE_NAME, region: 'eu-west-3' }]);
  });

  it('nothing but the region need be set', async () => {
    const { studio } = await enterStudio();
    const { code, stdout, stderr } = await runCommand(['check'], studio);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^RUNTIME_ENVIRONMENT +sagemaker +detected$/m);
    expect(stdout).toMatch(/^HOST +0\.0\.0\.0 +default$/m);
    expect(stdout).toMatch(new RegExp(`^PUBLIC_URL +${SPACE_URL}/proxy/9090 +`, 'm'));
    expect(stdout).toMatch(/^SINGLE_USER +true +default$/m);
    expect(stdout).toMatch(/\nno warnings\n$/);
  });

  it('a consent comes back through Studio’s proxy and is bound, under a cookie of this space alone', async () => {
    const { surroundings, url } = await serveInStudio(PRIVATE_SPACE);
    const publicUrl = `${SPACE_URL}/proxy/${surroundings.port}`;
    const { posted, cookie, page, boundFor } = await walkConsent(surroundings, publicUrl);
    expect(posted).toMatchObject({ callback_url: `${publicUrl}/oauth2/callback` });
    expect(cookie).toMatch(/^__Host-session-binding-[0-9a-f]{8}=[^;]+; .*Path=\/; .*Secure/);
    expect([page.status, page.body]).toEqual([200, expect.stringContaining('You are connected')]);
    expect(boundFor).toBe('sub-of-alice');
    const ready: unknown = await (await fetch(`${url}/ready`)).json();
    expect(ready).toEqual({ status: 'ready', checks: { store: 'ok', jwks: 'ok', credentials: 'ok' } });
  });

  it('a shared space is not for a single user [SB-04] [SB-28]', async () => {
    const { studio } = await enterStudio(SHARED_SPACE);
    const refused = await runCommand(['check'], studio);
    expect(refused.code).toBe(78);
    expect(refused.stderr).toContain('\n  JWT_DISCOVERY_URL: required');
    expect(refused.stderr).toContain('SINGLE_USER: is off since the Studio space is shared');

    const { env } = await startSurroundings();
    const { PUBLIC_URL: _, ...settings } = { ...env };
    const { code, stdout } = await runCommand(['check'], { ...settings, ...studio });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^SINGLE_USER +false +default$/m);
    expect((await runCommand(['check'], { ...studio, SINGLE_USER: 'true' })).stdout).toContain(
      'SINGLE_USER: is true although the Studio space is shared',
    );
  });

  it.each<SpaceAnswer>([
    DENIED,
    { kind: 'reset' },
    { kind: 'html', status: 200 },
    { kind: 'space', SpaceSharingSettings: { SharingType: 'Private' } },
    { ...PRIVATE_SPACE, Url: 'http://abc.studio.example.com' },
  ])('the callback URL is a guess with the fix beside it when AWS answers %j', async (answer) => {
    const { studio } = await enterStudio(answer);
    const { code, stdout, stderr } = await runCommand(['callback-url'], studio);
    expect([code, stdout]).toEqual([1, 'http://localhost:9090/oauth2/callback\n']);
    expect(stderr).toMatch(/^agentcore-session-binding: PUBLIC_URL: [^\n]+\n$/);
    expect(stderr).toContain(FIX);
    expect(stderr).not.toContain(DENIAL);
  });

  it('the service starts without the permission, says so at error level, and /ready shows it', async () => {
    const { command, url } = await serveInStudio(DENIED);
    const line =
      command
        .stdout()
        .split('\n')
        .find((text) => text.includes('DescribeSpace:')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      event: 'configuration',
      msg: expect.stringContaining(FIX) as string,
    });
    expect(command.stdout()).not.toContain(DENIAL);
    const ready = await fetch(`${url}/ready`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      {
        status: 'degraded',
        checks: { store: 'ok', jwks: 'ok', credentials: 'ok', public_url: 'failing' },
      },
    ]);
  });

  it('the service starts all the same while AWS never answers', async () => {
    const { sagemaker, url } = await serveInStudio({ kind: 'hang' });
    expect(sagemaker.calls).toHaveLength(1);
    expect(await (await fetch(`${url}/ready`)).json()).toMatchObject({ checks: { public_url: 'failing' } });
  });

  it('PUBLIC_URL mends a missing permission, and a person says whether the space is his alone', async () => {
    const { studio, sagemaker } = await enterStudio(DENIED);
    const named = { ...studio, PUBLIC_URL: `${SPACE_URL}/proxy/9090` };
    expect(await runCommand(['callback-url'], named)).toEqual({
      code: 0,
      stdout: `${SPACE_URL}/proxy/9090/oauth2/callback\n`,
      stderr: '',
    });
    expect(sagemaker.calls).toEqual([]);

    const undecided = await runCommand(['check'], named);
    expect(undecided.code).toBe(78);
    expect(undecided.stderr).toContain(`SINGLE_USER: is off since ${STUDIO_ORIGIN} is an address`);

    sagemaker.answer = { kind: 'hang' };
    const decided = await runCommand(['check'], { ...named, SINGLE_USER: 'true' });
    expect(decided.code).toBe(0);
    expect(decided.stdout).toMatch(/^SINGLE_USER +true +SINGLE_USER$/m);
  });

  it.each([
    ['a file that is no JSON', '{"DomainId":'],
    ['a notebook instance', { ResourceArn: 'arn:aws:sagemaker:eu-west-3:1:notebook-instance/a' }],
    ['Studio Classic', { DomainId: DOMAIN_ID, UserProfileName: 'alice' }],
  ])('it is not, by %s: AWS is not asked', async (_, metadata) => {
    const { studio, sagemaker } = await enterStudio(PRIVATE_SPACE, metadata);
    const { code, stdout } = await runCommand(['callback-url'], studio);
    expect([code, stdout]).toEqual([0, 'http://localhost:9090/oauth2/callback\n']);
    expect(sagemaker.calls).toEqual([]);

    const forced = await runCommand(['callback-url'], { ...studio, RUNTIME_ENVIRONMENT: 'sagemaker' });
    expect([forced.code, forced.stdout]).toEqual([1, 'http://localhost:9090/oauth2/callback\n']);
    expect(forced.stderr).toContain('does not name domain and space');
    expect(sagemaker.calls).toEqual([]);
  });

  it('it is not, where RUNTIME_ENVIRONMENT says so: AWS is not asked', async () => {
    const { studio, sagemaker } = await enterStudio();
    const { code, stdout } = await runCommand(['callback-url'], { ...studio, RUNTIME_ENVIRONMENT: 'local' });
    expect([code, stdout]).toEqual([0, 'http://localhost:9090/oauth2/callback\n']);
    expect(sagemaker.calls).toEqual([]);
  });
});
