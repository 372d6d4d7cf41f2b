import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startBuiltService } from '../support/built-service.ts';
import { describeWithRedis, startRedisForTest } from '../support/redis.ts';
import { loadDeployed } from './deployed-settings.ts';
import { IMAGE, IN_FLIGHT_SECONDS } from './image.ts';
import { readDeployFile } from './templates.ts';

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly secrets: readonly string[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly stop_grace_period?: string;
}

const compose = parse(readDeployFile('compose.yaml'), { strict: true }) as {
  readonly services: { readonly 'session-binding': Service; readonly store: Service };
  readonly networks: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};
const { 'session-binding': binding, store } = compose.services;

const page = readFileSync(new URL('../../docs/container.md', import.meta.url), 'utf8');
/** The page's block that makes the secrets, and the one that is `.env`. */
const [, commands = ''] = /```sh\n(cd deploy\n.*?)```/s.exec(page) ?? [];
const [, dotEnv = ''] = /```ini\n(.*?)```/s.exec(page) ?? [];

let folder = '';
const secretFile = (name: string) => join(folder, 'deploy', compose.secrets[name]?.file ?? '?');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'compose-'));
  mkdirSync(join(folder, 'deploy'));
  execFileSync('sh', ['-eu', '-c', commands], { cwd: folder, timeout: 60_000 });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('deploy/compose.yaml', () => {
  it('gets its secrets from files that the page’s commands make, readable in the containers and to nobody else', () => {
    const made = readdirSync(join(folder, 'deploy/secrets'));
    expect(made.map((name) => `secrets/${name}`).toSorted()).toEqual(
      Object.values(compose.secrets)
        .map(({ file }) => file)
        .toSorted(),
    );
    expect(statSync(join(folder, 'deploy/secrets')).mode & 0o777).toBe(0o700);
    for (const name of made) expect(statSync(secretFile(name)).mode & 0o777).toBe(0o444);
    expect(binding.secrets).toEqual(['session-secret', 'store-url']);
    expect(store.secrets).toEqual(['store-users']);
    expect(readFileSync(new URL('../../.gitignore', import.meta.url), 'utf8')).toMatch(
      /^\/deploy\/secrets\/$/m,
    );
  });

  it('gives the service settings that start, warned only of the way to a store beside it', () => {
    const set = Object.fromEntries(
      dotEnv
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const env = Object.entries(binding.environment ?? {}).map(([name, value]) => [
      name,
      interpolate(value, set),
    ]);
    const files = Object.fromEntries(
      binding.secrets.map((name) => [`/run/secrets/${name}`, readFileSync(secretFile(name), 'utf8')]),
    );
    const { config, warnings } = loadDeployed(Object.fromEntries(env), files);
    expect(warnings).toEqual([expect.stringMatching(/^STORE_URL: /)]);
    expect(config).toMatchObject({
      port: IMAGE.port,
      publicUrl: 'https://binding.example.com',
      allowedOrigins: ['https://app.example.com'],
      storeUrl: { kind: 'redis', host: 'store' },
    });
    expect(compose.networks).toMatchObject({
      outside: { ipam: { config: [{ gateway: config.trustedProxies[0] }] } },
      store: { internal: true },
    });
    expect(Number.parseInt(binding.stop_grace_period ?? '', 10)).toBeGreaterThan(
      config.drainSeconds + IN_FLIGHT_SECONDS,
    );
  });

  it('publishes the service to this machine alone, and the store to nobody [SB-27]', () => {
    expect(binding.ports).toEqual([`127.0.0.1:${IMAGE.port}:${IMAGE.port}`]);
    expect(store.ports).toBeUndefined();
    expect(store.networks).toEqual(['store']);
    for (const service of [binding, store])
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  });
});

describeWithRedis('the pair of deploy/compose.yaml, without its containers', () => {
  it('starts: the store with its arguments and users, and the service with its settings against it', async () => {
    const users = secretFile('store-users');
    const words = (store.command ?? []).slice(1);
    const { port, raw } = await startRedisForTest({
      args: words.map((word) => (word === '/run/secrets/store-users' ? users : word)),
    });
    await expect(raw.get('sb:1:x')).rejects.toThrow('NOAUTH');
    // A full server must refuse: it must never drop a veto.
    expect(words.join(' ')).toContain('--maxmemory-policy noeviction');

    const storeUrl = join(folder, 'store-url-of-this-machine');
    writeFileSync(
      storeUrl,
      readFileSync(secretFile('store-url'), 'utf8').replace('@store:6379', `@127.0.0.1:${port}`),
    );
    const { url } = await startBuiltService({
      DRAIN_SECONDS: '0',
      SESSION_SECRET: undefined,
      STORE_URL: undefined,
      SESSION_SECRET_FILE: secretFile('session-secret'),
      STORE_URL_FILE: storeUrl,
    });
    const ready = await fetch(`${url}/ready`);
    expect(await ready.json()).toMatchObject({ status: 'ready', checks: { store: 'ok' } });
  });
});

/** Compose's own rule: `${NAME:?}` must be set, `${NAME:-}` may be. */
function interpolate(value: string, set: Readonly<Record<string, string>>): string {
  return value.replaceAll(/\$\{([A-Z_]+):([?-])\}/g, (_whole, name: string, kind: string) => {
    const found = set[name];
    if (found === undefined && kind === '?') throw new Error(`.env sets no ${name}`);
    return found ?? '';
  });
}
