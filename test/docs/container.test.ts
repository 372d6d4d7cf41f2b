import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../support/built-command.ts';

// What people copy from the page, held to the image and to the service.

interface TaskDefinition {
  readonly containerDefinitions: readonly [
    {
      readonly user: string;
      readonly secrets: readonly { readonly name: string }[];
      readonly environment: readonly { readonly name: string; readonly value: string }[];
      readonly healthCheck: { readonly command: readonly string[] };
      readonly stopTimeout: number;
    },
  ];
}

const page = read('docs/container.md');
const dockerfile = read('Dockerfile');
const taskDefinition = JSON.parse(example('json')) as TaskDefinition;
const [ecs] = taskDefinition.containerDefinitions;
const manifest = example('yaml');

/** Contract §10: requests in flight finish within ten seconds of the drain's end. */
const IN_FLIGHT_SECONDS = 10;

/** What both mount. */
const SECRETS = {
  SESSION_SECRET: 'k9Jv2QxTz7LmRw4YbNfHs8PdGc5VaXeU',
  STORE_URL: 'rediss://binding:password@store.example.com:6379',
};

describe('the container page', () => {
  it('tells ECS to set what `check` accepts without a warning', async () => {
    expect(ecs.secrets.map(({ name }) => name)).toEqual(Object.keys(SECRETS));
    const settings = Object.fromEntries(ecs.environment.map(({ name, value }) => [name, value]));
    const { code, stdout, stderr } = await runCommand(['check'], {
      DOCKER_CONTAINER: '1',
      ...settings,
      ...SECRETS,
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('no warnings');
  });

  it('tells Kubernetes to set the same', () => {
    const names = [...manifest.matchAll(/\bname: ([A-Z_]+),/g)].map(([, name = '']) => name);
    const said = ecs.environment.map(({ name }) => name);
    expect(names.toSorted()).toEqual(
      [...said, ...Object.keys(SECRETS).map((name) => `${name}_FILE`)].toSorted(),
    );
    const line = manifest.replaceAll("'", '').replaceAll(/\s+/g, ' ');
    // Where the proxies are differs from network to network.
    for (const { name, value } of ecs.environment.filter((setting) => setting.name !== 'TRUST_PROXY')) {
      expect(line).toContain(`{ name: ${name}, value: ${value}`);
    }
  });

  it('waits longer for the end than the service takes to drain and finish', () => {
    const drainSeconds = Number(ecs.environment.find(({ name }) => name === 'DRAIN_SECONDS')?.value);
    const graceSeconds = Number(/terminationGracePeriodSeconds: (\d+)/.exec(manifest)?.[1]);
    expect(drainSeconds).toBe(10);
    expect(ecs.stopTimeout).toBeGreaterThan(drainSeconds + IN_FLIGHT_SECONDS);
    expect(graceSeconds).toBeGreaterThan(drainSeconds + IN_FLIGHT_SECONDS);
  });

  it('names the user and the health check of the image [SB-27]', () => {
    const user = /^USER (\d+):(\d+)$/m.exec(dockerfile);
    expect(Number(user?.[1])).toBeGreaterThan(0);
    expect(ecs.user).toBe(`${user?.[1]}:${user?.[2]}`);
    expect(manifest).toContain(`runAsUser: ${user?.[1]}\n`);
    expect(manifest).toContain(`runAsGroup: ${user?.[2]}\n`);
    expect(manifest).toContain('readOnlyRootFilesystem: true');

    const healthCheck = /^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]';
    expect(ecs.healthCheck.command).toEqual(['CMD', ...(JSON.parse(healthCheck) as string[])]);
  });
});

function example(language: string): string {
  const [, text] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page) ?? [];
  if (text === undefined) throw new Error(`the page has no ${language}`);
  return text;
}

function read(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}
