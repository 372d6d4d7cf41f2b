import { describe, expect, it } from 'vitest';
import type { Config, LoadedConfig } from '../../src/env/config.ts';
import { loadConfig } from '../../src/env/config.ts';
import { renderReport } from '../../src/env/report.ts';
import type { Machine, StudioSpace } from '../../src/env/runtime-environment.ts';
import { fileReader, MINIMAL_ENV, PLAIN_MACHINE, RANDOM_SECRET } from './environment.ts';

type Env = Readonly<Record<string, string>>;

const METADATA = JSON.stringify({ AppType: 'JupyterLab', DomainId: 'd-abc', SpaceName: 'mine' });
const STUDIO_URL = 'https://abc.studio.eu-central-1.sagemaker.aws/jupyterlab/default';
const PRIVATE_SPACE: StudioSpace = { kind: 'described', url: STUDIO_URL, isShared: false };
const SHARED_SPACE: StudioSpace = { kind: 'described', url: STUDIO_URL, isShared: true };
const UNKNOWN_SPACE: StudioSpace = { kind: 'unknown', reason: 'AccessDeniedException' };

const FOR_SEVERAL = { ...MINIMAL_ENV, SINGLE_USER: '' };
const EXPLICIT = { ...MINIMAL_ENV, SINGLE_USER: 'true' };

function load(env: Env, machine: Partial<Machine> = {}): LoadedConfig {
  return loadConfig(env, fileReader({}), { ...PLAIN_MACHINE, ...machine });
}

function valid(env: Env, machine: Partial<Machine> = {}) {
  const loaded = load(env, machine);
  if (loaded.kind === 'invalid') throw new Error(loaded.problems.join('; '));
  return loaded;
}

function configOf(env: Env, machine: Partial<Machine> = {}): Config {
  return valid(env, machine).config;
}

const inStudio = (space: StudioSpace | undefined) => ({ resourceMetadata: METADATA, space });

describe('the environment', () => {
  it('is local where nothing says otherwise', () => {
    expect(configOf({ AWS_REGION: 'eu-central-1' })).toMatchObject({
      environment: 'local',
      listenAddresses: ['127.0.0.1', '::1'],
      publicUrl: 'http://localhost:9090',
      singleUser: true,
      drainSeconds: 0,
      discoveryUrls: [],
      allowedClients: [],
    });
  });

  it.each([
    ['ECS_CONTAINER_METADATA_URI_V4', 'http://169.254.170.2/v4/x'],
    ['KUBERNETES_SERVICE_HOST', '10.0.0.1'],
    ['DOCKER_CONTAINER', 'true'],
  ])('is a container by %s', (name, value) => {
    expect(configOf({ ...FOR_SEVERAL, [name]: value })).toMatchObject({
      environment: 'container',
      listenAddresses: ['0.0.0.0'],
      publicUrl: 'http://localhost:9090',
      singleUser: false,
    });
    expect(configOf({ AWS_REGION: 'eu-central-1', [name]: '' }).environment).toBe('local');
  });

  it('is a container by /.dockerenv', () => {
    expect(configOf(FOR_SEVERAL, { hasDockerenv: true }).environment).toBe('container');
  });

  it('is Studio by its metadata, although Studio is itself a container', () => {
    const env = { AWS_REGION: 'eu-central-1', ECS_CONTAINER_METADATA_URI_V4: 'x', DOCKER_CONTAINER: 'x' };
    expect(configOf(env, { ...inStudio(PRIVATE_SPACE), hasDockerenv: true })).toMatchObject({
      environment: 'sagemaker',
      listenAddresses: ['0.0.0.0'],
      publicUrl: `${STUDIO_URL}/proxy/9090`,
      publicUrlProblem: undefined,
      singleUser: true,
      drainSeconds: 10,
      allowedOrigins: ['https://abc.studio.eu-central-1.sagemaker.aws'],
    });
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '"d-abc"'],
    ['null', 'null'],
    ['a notebook instance', '{"ResourceArn":"arn:aws:sagemaker:x:1:notebook-instance/a","ResourceName":"a"}'],
    ['a user profile of Studio Classic', '{"DomainId":"d-abc","UserProfileName":"a"}'],
    ['a space without domain', '{"SpaceName":"mine"}'],
    ['an empty name', '{"DomainId":"d-abc","SpaceName":""}'],
    ['a name that is no string', '{"DomainId":"d-abc","SpaceName":["mine"]}'],
    ['a name that AWS does not give', '{"DomainId":"d-abc","SpaceName":"../mine"}'],
  ])('is not Studio by a metadata file of %s', (_, resourceMetadata) => {
    expect(configOf({ AWS_REGION: 'eu-central-1' }, { resourceMetadata }).environment).toBe('local');
    expect(configOf(FOR_SEVERAL, { resourceMetadata, hasDockerenv: true }).environment).toBe('container');
  });

  it.each(['local', 'sagemaker', 'container'])('is what RUNTIME_ENVIRONMENT says: %s', (name) => {
    const env = { ...FOR_SEVERAL, RUNTIME_ENVIRONMENT: name };
    for (const machine of [{}, { hasDockerenv: true }, inStudio(PRIVATE_SPACE)]) {
      expect(configOf(env, machine).environment).toBe(name);
    }
  });
});

describe('the listen address', () => {
  it.each(['local', 'sagemaker', 'container'])('is that of HOST in every environment: %s', (name) => {
    const env = { ...FOR_SEVERAL, RUNTIME_ENVIRONMENT: name };
    expect(configOf({ ...env, HOST: '127.0.0.1' }).listenAddresses).toEqual(['127.0.0.1']);
    expect(configOf({ ...env, HOST: 'localhost' }).listenAddresses).toEqual(['127.0.0.1', '::1']);
  });
});

describe('the public URL', () => {
  it.each([PRIVATE_SPACE, SHARED_SPACE, UNKNOWN_SPACE, undefined])(
    'is that of PUBLIC_URL, whatever the space says: %j',
    (space) => {
      const env = { ...FOR_SEVERAL, PUBLIC_URL: 'https://auth.example.com/x' };
      expect(configOf(env, inStudio(space))).toMatchObject({
        publicUrl: 'https://auth.example.com/x',
        publicUrlProblem: undefined,
      });
    },
  );

  it('carries the port behind the Url of the space', () => {
    expect(configOf({ AWS_REGION: 'eu-central-1', PORT: '8081' }, inStudio(PRIVATE_SPACE)).publicUrl).toBe(
      `${STUDIO_URL}/proxy/8081`,
    );
  });

  it('is one of this machine where the space could not be asked, with the fix', () => {
    const env = { AWS_REGION: 'eu-central-1', PORT: '8081' };
    const loaded = valid(env, inStudio(UNKNOWN_SPACE));
    expect(loaded.config.publicUrl).toBe('http://localhost:8081');
    expect(loaded.config.publicUrlProblem).toMatch(
      /^PUBLIC_URL: .*AccessDeniedException.*sagemaker:DescribeSpace.*or set PUBLIC_URL$/,
    );
    expect(renderReport(loaded)).toContain(loaded.config.publicUrlProblem);
  });

  it('says what is missing where Studio is only said to be there', () => {
    const config = configOf({ ...EXPLICIT, RUNTIME_ENVIRONMENT: 'sagemaker' });
    expect(config.publicUrl).toBe('http://localhost:9090');
    expect(config.publicUrlProblem).toContain('metadata does not name domain and space');
  });

  it('of a container is warned about where nobody set it', () => {
    expect(valid(FOR_SEVERAL, { hasDockerenv: true }).warnings).toEqual([
      expect.stringMatching(
        /^PUBLIC_URL: is not set in a container, so links lead to http:\/\/localhost:9090/,
      ),
    ]);
    const named = { ...FOR_SEVERAL, PUBLIC_URL: 'https://auth.example.com', TRUST_PROXY: '10.0.0.1' };
    expect(valid(named, { hasDockerenv: true }).warnings).toEqual([]);
  });
});

describe('single-user', () => {
  it.each<[string, Env, Partial<Machine>]>([
    ['on loopback', {}, {}],
    ['on loopback with a name of its own', { PUBLIC_URL: 'http://app.localhost:9090' }, {}],
    ['on one loopback address', { HOST: '::1' }, {}],
    ['in a private Studio space', {}, inStudio(PRIVATE_SPACE)],
    [
      'at an address of the space',
      { PUBLIC_URL: `${STUDIO_URL}/proxy/absolute/9090` },
      inStudio(PRIVATE_SPACE),
    ],
  ])('is the default %s: nothing else need be set', (_, env, machine) => {
    const loaded = valid({ AWS_REGION: 'eu-central-1', ...env }, machine);
    expect(loaded.config.singleUser).toBe(true);
    expect(loaded.warnings).toEqual([]);
  });

  it('starts where DescribeSpace does not say whether the space is shared, and warns [SB-28]', () => {
    const warning =
      'SINGLE_USER: is true although it is not known whether this Studio space is shared, since DescribeSpace did not say; in a shared space write false';
    const loaded = valid({ AWS_REGION: 'eu-central-1' }, inStudio(UNKNOWN_SPACE));
    expect([loaded.config.singleUser, loaded.warnings]).toEqual([true, [warning]]);
    const said = valid({ AWS_REGION: 'eu-central-1', SINGLE_USER: 'true' }, inStudio(UNKNOWN_SPACE));
    expect(said.warnings).not.toContain(warning);
  });

  it.each<[string, Env, Partial<Machine>, string]>([
    ['at a public URL', { PUBLIC_URL: 'https://auth.example.com' }, {}, 'https://auth.example.com is'],
    ['beyond this machine', { HOST: '0.0.0.0' }, {}, 'listens on 0.0.0.0'],
    ['beyond this machine on IPv6', { HOST: '::' }, {}, 'listens on ::'],
    ['on an address of the network', { HOST: '10.1.2.3' }, {}, 'listens on 10.1.2.3'],
    ['in a shared Studio space', {}, inStudio(SHARED_SPACE), 'the Studio space is shared'],
    [
      'in a Studio space that is known to be shared, though its address is not known',
      {},
      inStudio({ kind: 'unknown', reason: 'the space has no Url', isShared: true }),
      'the Studio space is shared',
    ],
    [
      'at a tunnel out of Studio',
      { PUBLIC_URL: 'https://tunnel.example.com' },
      inStudio(PRIVATE_SPACE),
      'https://tunnel.example.com is',
    ],
    [
      'at a set address of a Studio space that may be shared',
      { PUBLIC_URL: `${STUDIO_URL}/proxy/9090` },
      inStudio(UNKNOWN_SPACE),
      'https://abc.studio.eu-central-1.sagemaker.aws is',
    ],
    ['where Studio is only said to be there', { RUNTIME_ENVIRONMENT: 'sagemaker' }, {}, 'listens on 0.0.0.0'],
  ])('is off by default %s, and warned about when said explicitly [SB-28]', (_, env, machine, exposure) => {
    expect(configOf({ ...FOR_SEVERAL, ...env }, machine).singleUser).toBe(false);

    const refused = load({ AWS_REGION: 'eu-central-1', ...env }, machine);
    expect(refused).toMatchObject({ kind: 'invalid' });
    expect(refused.kind === 'invalid' && refused.problems).toEqual([
      expect.stringMatching(/^JWT_DISCOVERY_URL: required/),
      expect.stringMatching(/^SESSION_SECRET: required/),
      expect.stringMatching(/^STORE_URL: /),
      expect.stringMatching(/^JWT_ALLOWED_CLIENTS: /),
      expect.stringContaining('SINGLE_USER: is off since '),
    ]);
    expect(refused.kind === 'invalid' && refused.problems.at(-1)).toContain(exposure);

    const said = valid({ AWS_REGION: 'eu-central-1', SINGLE_USER: 'true', ...env }, machine);
    expect(said.config.singleUser).toBe(true);
    expect(said.warnings).toContainEqual(expect.stringContaining(`SINGLE_USER: is true although `));
    expect(said.warnings.join()).toContain(exposure);
  });

  it('is off in a container, and warned about when said explicitly [SB-28]', () => {
    expect(configOf(FOR_SEVERAL, { hasDockerenv: true }).singleUser).toBe(false);
    const said = valid({ AWS_REGION: 'eu-central-1', SINGLE_USER: 'true' }, { hasDockerenv: true });
    expect(said.config.singleUser).toBe(true);
    expect(said.warnings.join()).toContain('SINGLE_USER: is true although the service listens on 0.0.0.0');
  });

  it('can be turned off everywhere', () => {
    for (const machine of [{}, inStudio(PRIVATE_SPACE)]) {
      expect(configOf(MINIMAL_ENV, machine).singleUser).toBe(false);
    }
  });

  it('draws no warning on loopback', () => {
    expect(valid(EXPLICIT).warnings).toEqual([]);
  });

  it('makes a secret at every start, and check says so [SB-16]', () => {
    const loaded = valid({ AWS_REGION: 'eu-central-1' });
    expect(loaded.config.sessionSecrets.map((secret) => secret.reveal())).toEqual([RANDOM_SECRET]);
    expect(renderReport(loaded)).toMatch(
      /^SESSION_SECRET +\[secret\] \(generated at every start\) +default$/m,
    );
    expect(renderReport(loaded)).not.toContain(RANDOM_SECRET);
    expect(configOf(MINIMAL_ENV).sessionSecrets[0].reveal()).toBe(MINIMAL_ENV.SESSION_SECRET);
  });

  it('keeps a secret that is set', () => {
    expect(configOf(EXPLICIT).sessionSecrets[0].reveal()).toBe(MINIMAL_ENV.SESSION_SECRET);
  });

  it.each(['', 'memory:'])('is needed for the memory store to start untold: %j [SB-09]', (STORE_URL) => {
    expect(load({ ...EXPLICIT, STORE_URL }).kind).toBe('valid');
    expect(load({ ...MINIMAL_ENV, STORE_URL })).toMatchObject({
      kind: 'invalid',
      problems: [expect.stringMatching(/^STORE_URL: .*replicas=1, else/)],
    });
  });
});

describe('a guessable session secret', () => {
  it('is refused in a container, which listens to others, whatever its URL says [SB-28]', () => {
    const env = { ...MINIMAL_ENV, SESSION_SECRET: 'a'.repeat(32) };
    expect(load(env, { hasDockerenv: true })).toMatchObject({
      kind: 'invalid',
      problems: [expect.stringMatching(/^SESSION_SECRET: looks like a placeholder/)],
    });
  });
});

describe('draining', () => {
  it.each([
    ['http://localhost:9090', 0],
    ['http://app.localhost', 0],
    ['https://127.0.0.1:9443', 0],
    ['https://auth.example.com', 10],
  ])('lasts by default at %s for %i seconds', (PUBLIC_URL, seconds) => {
    expect(configOf({ ...MINIMAL_ENV, PUBLIC_URL }).drainSeconds).toBe(seconds);
    expect(configOf({ ...MINIMAL_ENV, PUBLIC_URL, DRAIN_SECONDS: '3' }).drainSeconds).toBe(3);
  });
});
