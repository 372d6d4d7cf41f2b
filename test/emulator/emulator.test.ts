import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { DEFAULT_UNKNOWNS } from '../../src/emulator/agentcore-unknowns.ts';
import { BoundedMap, pushBounded } from '../../src/emulator/bounded-map.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/emulator.ts';
import { freePort } from '../support/free-port.ts';
import { press } from '../support/forms.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENT = readFileSync(join(ROOT, 'docs/emulator.md'), 'utf8');

async function start(options: EmulatorOptions): Promise<Emulator> {
  const emulator = await startEmulator(options);
  onTestFinished(() => emulator.close());
  return emulator;
}

test('starts with people, accounts, workload identities and providers of one’s own', async () => {
  const returnUrl = 'http://127.0.0.1:1/callback';
  const emulator = await start({
    users: [{ username: 'carol', password: 'pass', subject: 'sub-of-carol' }],
    accounts: [{ login: 'c&rol', name: 'Carol', email: 'carol@example.com', repositories: [], files: [] }],
    workloads: [{ name: 'agent', returnUrls: [returnUrl] }],
    providers: [
      { name: 'github', vendor: 'GithubOauth2' },
      { name: 'google', vendor: 'GoogleOauth2' },
    ],
    unknowns: { denial: 'error_alone' },
    clock: { nowMs: () => 1_000 },
  });
  const { agentcore, github } = emulator;
  expect(agentcore.workloads.get('agent')?.returnUrls).toEqual([returnUrl]);
  expect(agentcore.providers.list().map(({ name }) => name)).toEqual(['github', 'google']);
  expect(agentcore.unknowns).toMatchObject({ denial: 'error_alone', returnUrls: 'exact' });
  emulator.advance(500);
  expect(emulator.nowMs()).toBe(1_500);

  const query = new URLSearchParams({
    client_id: 'agentcore-github',
    redirect_uri: agentcore.callbackUrlOf(agentcore.providers.list()[0] ?? neverReached()),
  });
  const browser = new Browser();
  const chooser = await browser.open(`${github.metadata.authorizationEndpoint}?${query.toString()}`);
  const consent = await press(browser, chooser, 'Carol (c&rol)');
  expect(consent.body).toContain('Carol (c&#38;rol)');
});

test('gives each part a name of its own for browsers, and keeps to 127.0.0.1 for everybody else', async () => {
  const { agentcore, cognito, github } = await start({
    browserNames: {
      agentcore: 'agentcore.localhost',
      cognito: 'cognito.localhost',
      github: 'github.localhost',
    },
    providers: [{ name: 'github', vendor: 'GithubOauth2' }],
  });
  const discovery = (await (await fetch(cognito.discoveryUrl)).json()) as Record<string, string>;
  expect(discovery['authorization_endpoint']).toMatch(/^http:\/\/cognito\.localhost:\d+\/oauth2\/authorize$/);
  expect(discovery['token_endpoint']).toMatch(/^http:\/\/127\.0\.0\.1:/);
  expect(github.metadata.authorizationEndpoint).toMatch(/^http:\/\/github\.localhost:/);
  expect(github.metadata.tokenEndpoint).toMatch(/^http:\/\/127\.0\.0\.1:/);
  const [provider = neverReached()] = agentcore.providers.list();
  expect(agentcore.callbackUrlOf(provider)).toMatch(/^http:\/\/agentcore\.localhost:/);
});

test('leaves no part behind where a port is taken', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => {
    taken.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void taken.close());
  const cognito = await freePort();
  const ports = { cognito, agentcore: (taken.address() as AddressInfo).port };
  await expect(startEmulator({ ports })).rejects.toThrow(/EADDRINUSE/);
  const emulator = await start({ ports: { cognito } });
  expect(emulator.cognito.endpoint).toBe(`http://127.0.0.1:${cognito}`);
});

test('forgets the oldest of ten thousand things', () => {
  const map = new BoundedMap<number, number>();
  const list: number[] = [];
  for (let index = 0; index < 10_001; index += 1) {
    map.set(index, index);
    pushBounded(list, index);
  }
  map.set(10_000, 0);
  expect([map.size, map.has(0), map.has(1), list.length, list[0]]).toEqual([10_000, false, true, 10_000, 1]);
});

test('is imported from the installed package by its name, with types, as its document shows', () => {
  const folder = mkdtempSync(join(tmpdir(), 'emulator-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/agentcore-session-binding'));
  for (const scope of ['@aws-sdk', '@types']) {
    symlinkSync(join(ROOT, 'node_modules', scope), join(folder, 'node_modules', scope));
  }
  const [, example = ''] = /```js\n(.*?)```/s.exec(DOCUMENT) ?? [];
  expect(example).toContain('startEmulator');
  const misuse = "// @ts-expect-error: no such position.\nemulator.agentcore.unknowns.denial = 'perhaps';\n";
  const file = join(folder, 'uses-it.mts');
  writeFileSync(file, example + misuse);
  const options = [
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    'node',
  ];
  const run = (args: readonly string[]) =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
  expect(run([join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, file])).toBe('');
  expect(run([join(folder, 'uses-it.mjs')])).toMatch(
    /^http:\/\/127\.0\.0\.1:\d+\/identities\/oauth2\/authorize\?request_uri=urn/,
  );
});

test('has every switch in its document, with its default first', () => {
  const rows = [...DOCUMENT.matchAll(/^\| `(\w+)` +\| `(\w+)`, /gm)];
  const documented = rows.map(([, name = '', first]) => [name, first]);
  expect(Object.fromEntries(documented)).toEqual(DEFAULT_UNKNOWNS);
});

function neverReached(): never {
  throw new Error('there is a provider');
}
