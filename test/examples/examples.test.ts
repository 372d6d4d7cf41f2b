import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { describeWithChromium } from '../browser/chromium.ts';
import { allowAtGithub, expectTitle } from '../browser/localhost-sites.ts';
import { follow, recordAnswers, type RunningCommand } from '../support/built-command.ts';
import { describeWithProgram, findProgram } from '../support/find-program.ts';
import { until } from '../support/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${ROOT}/examples/README.md`, 'utf8');
const manifest = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** `npm run example -- …` without the build of `dist/`, which was just made for all tests. */
function startExample(...args: readonly string[]): RunningCommand {
  const env = { ...process.env, ...recordAnswers() };
  const example = follow(spawn(process.execPath, ['scripts/example.mjs', ...args], { cwd: ROOT, env }));
  // Before it is killed: it has processes of its own to end.
  onTestFinished(async () => {
    if (!example.hasEnded()) example.kill('SIGTERM');
    await example.ended;
  });
  return example;
}

const [BUILD, COMPILE = '', RUN] = manifest.scripts['example']?.split(' && ') ?? [];

beforeAll(() => {
  execFileSync('npx', ['--no-install', ...COMPILE.split(' ')], {
    cwd: ROOT,
    stdio: 'inherit',
    timeout: 60_000,
  });
});

const LINK = /^Please connect your account: http:\/\/localhost:\d+\/oauth2\/start\?flow=[\w.-]+$/;
const REPOSITORIES = ['alice/rabbit-hole: How deep it goes', 'alice/tea-party: Guests, times, seats'];
const ANSWERS = {
  'github-agent': [expect.stringMatching(LINK), 'Your private repositories:', ...REPOSITORIES],
  'drive-agent': [
    expect.stringMatching(LINK),
    'Your files:',
    'Croquet scores (application/vnd.google-apps.spreadsheet)',
    'Letter to the Queen (application/vnd.google-apps.document)',
  ],
  'gateway-agent': [
    expect.stringMatching(LINK),
    'alice/rabbit-hole',
    'alice/tea-party',
    'alice/looking-glass',
  ],
  notebook: [
    expect.stringMatching(/^The callback URL to be registered: http:\/\/localhost:\d+\/oauth2\/callback$/),
    expect.stringMatching(LINK),
    'Your private repositories:',
    ...REPOSITORIES,
  ],
} satisfies Readonly<Record<string, readonly unknown[]>>;

describeWithProgram(
  findProgram('python3'),
  'python3 is not installed',
  'the examples at a command line',
  () => {
    it('go each by its one command from needing consent to alice’s data', async () => {
      const names = Object.keys(ANSWERS);
      const ends = await Promise.all(names.map((name) => startExample(name, '--scripted').ended));
      for (const [index, { code, stderr }] of ends.entries()) {
        expect([names[index], code, stderr]).toEqual([names[index], 0, '']);
      }
      const answers = ends.map(({ stdout }, index) => [names[index], stdout.trim().split('\n')]);
      expect(Object.fromEntries(answers)).toEqual(ANSWERS);
      for (const name of names) expect(page).toContain(`npm run example -- ${name}\n`);
    });
  },
);

describeWithChromium('the single-page app', (browser) => {
  it('signs its user in, posts his user token itself, and has his data once he has consented', async () => {
    expect(page).toContain('npm run example -- single-page-app');
    const example = startExample('single-page-app');
    const url = await until('the page', () => /^Open (\S+)/m.exec(example.stdout())?.[1]);
    const context = await browser().newContext();
    onTestFinished(() => context.close());
    const tab = await context.newPage();
    const complaints: string[] = [];
    tab.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    tab.on('pageerror', (error) => complaints.push(error.message));
    await tab.goto(url);
    await tab.getByRole('button', { name: 'Sign in' }).click();
    await tab.getByLabel('Username').fill('alice');
    await tab.getByLabel('Password').fill('alice');
    await tab.getByRole('button', { name: 'Sign in' }).click();
    await tab.getByRole('button', { name: 'What are my private repositories?' }).click();

    const opened = context.waitForEvent('page');
    await tab.getByRole('link', { name: 'Connect your GitHub account' }).click();
    const consent = await opened;
    await allowAtGithub(consent);
    await expectTitle(consent, 'You are connected');

    const repositories = tab.getByRole('listitem');
    await repositories.first().waitFor();
    expect(await repositories.allTextContents()).toEqual(REPOSITORIES);
    expect(complaints).toEqual([]);
    example.kill('SIGTERM');
    expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

it('the command builds, compiles and runs, and knows no other example', async () => {
  expect([BUILD, RUN]).toEqual(['npm run --silent build', 'node scripts/example.mjs']);
  const { code, stdout } = await startExample('agent').ended;
  expect(code).toBe(2);
  expect(stdout).toMatch(/^Usage: npm run example/);
});
