import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { STORIES } from '../../src/demo/stories.ts';
import { BUILT_COMMAND, follow, recordAnswers } from '../support/built-command.ts';
import { commandLinesOf } from '../support/command-lines.ts';
import { statusOf } from '../support/built-service.ts';
import { press, readForm } from '../support/forms.ts';
import { until } from '../support/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What no page and no drawing may show: user tokens, ids of authorization sessions, access tokens, codes. */
const SECRETS = /eyJ[\w-]*\.|request_uri|gho_|ya29\.|session_id|code=/;

const CTRL_C = '\u0003';

/** The demo at a terminal, on a port that somebody else has. */
interface Terminal {
  readonly takenPort: number;
  readonly url: string;
  readonly serviceUrl: string;
  readonly pid: number;
  output(): string;
  /** A key. */
  type(text: string): void;
  readonly ended: Promise<number | null>;
}

let terminal: Terminal;
let closeTerminal = async () => {};
const recording = recordAnswers(afterAll);

beforeAll(async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const takenPort = typeof address === 'object' ? (address?.port ?? 0) : 0;
  // `script` gives it a terminal of its own, and passes keys on.
  const command = `exec '${process.execPath}' '${BUILT_COMMAND}' demo --port ${takenPort}`;
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], ...recording },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close').then(() => child.exitCode);
  closeTerminal = async () => {
    if (child.exitCode === null) child.stdin.write(CTRL_C);
    await ended;
    other.close();
  };
  const find = (pattern: RegExp) => until(`${pattern.source} in\n${output}`, () => pattern.exec(output)?.[1]);
  const url = await find(/Open .*?(http:\/\/localhost:\d+)/);
  const serviceUrl = await find(/service .*?(http:\/\/localhost:\d+)/);
  terminal = {
    takenPort,
    url,
    serviceUrl,
    pid: child.pid ?? 0,
    output: () => output,
    type: (text) => void child.stdin.write(text),
    ended,
  };
});
afterAll(() => closeTerminal());

/** Signs in to the agent's app at its Cognito, whose password is the name. */
async function signIn(username: string, browser = new Browser()): Promise<Browser> {
  const form = await browser.open(`${terminal.url}/sign-in?as=${username}`);
  expect(form.body).toContain(`value="${username}"`);
  const page = await browser.submit(form.url, { username, password: username });
  expect(page.url).toBe(`${terminal.url}/`);
  expect(page.body).toContain(`Hello ${username}`);
  return browser;
}

/** Asks, and waits for the link that the agent shows. */
async function ask(browser: Browser, words: string): Promise<string> {
  const page = await browser.open(`${terminal.url}/`);
  const { action, fields } = readForm(page, words);
  await browser.submit(action, fields);
  return until('the link', async () => {
    const { body } = await browser.open(`${terminal.url}/`);
    return /href="([^"]*\/oauth2\/start\?[^"]*)"/.exec(body)?.[1];
  });
}

/** The page of the agent as soon as it says so: nothing is done in it meanwhile. */
function heard(browser: Browser, words: string): Promise<Page> {
  return until(words, async () => {
    const page = await browser.open(`${terminal.url}/`);
    return page.body.includes(words) ? page : undefined;
  });
}

describe('the demo at a terminal', () => {
  it('says that its port is taken, and takes another one', () => {
    expect(terminal.output()).toContain(`Port ${terminal.takenPort} is taken`);
    expect(terminal.url).not.toContain(`:${terminal.takenPort}`);
  });

  it('names no secret in the command line of any process that it starts [SB-16]', () => {
    const lines = commandLinesOf(terminal.pid);
    expect(lines.some((line) => line.includes('serve'))).toBe(true);
    expect(lines.join('\n')).not.toMatch(/SECRET|secret|password|[\w+/-]{40,}/);
  });

  it('leads from sign-in over a consent to the listed repositories, and draws it without a secret', async () => {
    const alice = await signIn('alice');
    const account = await alice.open(await ask(alice, 'What are my private repositories?'));
    const consent = await press(alice, account, 'Alice Liddell (alice)');
    const connected = await press(alice, consent, 'Allow');
    expect([connected.status, new URL(connected.url).origin]).toEqual([200, terminal.serviceUrl]);

    const { body } = await heard(alice, 'alice/rabbit-hole');
    expect(body).not.toContain('looking-glass');
    for (const step of ['GetResourceOauth2Token', 'oauth2/start', 'CompleteResourceTokenAuth'])
      expect(body).toContain(step);
    expect(body).toMatch(/oauth2\/callback <b>completed/);
    expect(body).not.toMatch(SECRETS);

    // A link from elsewhere to where sign-ins come back.
    const { body: still } = await alice.open(`${terminal.url}/signed-in?code=x&state=y`);
    expect(still).toContain('alice/rabbit-hole');
  });

  it('forgets the first person for the next one, and tells at once that consent was denied', async () => {
    const browser = await signIn('alice');
    await browser.open(await ask(browser, 'List my files'));
    expect((await browser.submit(`${terminal.url}/sign-out`, {})).body).toContain('Sign in as alice');
    const bob = await signIn('bob', browser);
    const account = await bob.open(await ask(bob, 'List my files'));
    const denied = await press(bob, await press(bob, account, 'Bob Cratchit (bob)'), 'Deny');
    expect(denied.status).toBe(403);
    expect(denied.body).toContain(`href="${terminal.url}/?binding=consent_denied"`);
    const { body } = await heard(bob, 'You said no');
    expect(body).not.toContain('Wish for a day off');
  });

  it.each([
    ['deny', '403', 'nobody', 0],
    ['wrong-user', '403', 'nobody', 0],
    ['forwarded', '403', 'nobody', 0],
    ['replay', '403 200', 'alice', 1],
    ['expired', '410', 'nobody', 1],
    ['outage', '503 200', 'alice', 4],
    ['refreshed', '200', 'alice', 1],
  ])('plays the story %s', async (id, statuses, owner, calls) => {
    const browser = new Browser();
    await browser.submit(`${terminal.url}/play`, { story: id });
    const title = STORIES.find((story) => story.id === id)?.title ?? '';
    const { body } = await heard(browser, `<h3>${title}</h3>`);
    expect([...body.matchAll(/<b>(\d+)<\/b>\s*<\/figcaption>/g)].map(([, status]) => status).join(' ')).toBe(
      statuses,
    );
    expect(body).toMatch(new RegExp(`<dd class="[a-z]+">${owner}</dd>`));
    expect(body).toContain(`<dd>${calls}</dd>`);
    expect(body).not.toMatch(SECRETS);
    const frame = /src="(\/windows\/[^"]+)"/.exec(body)?.[1] ?? '';
    const window = await browser.open(terminal.url + frame);
    expect(window.headers['content-security-policy']).toMatch(
      /frame-ancestors 'self'.*; sandbox allow-same-origin$/,
    );
  });

  it('does nothing for other sites, and nothing under another name', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://evil.example' };
    const send = (headers: Record<string, string>) =>
      new Browser().send(`${terminal.url}/play`, { method: 'POST', headers, body: 'story=deny' });
    expect((await send(form)).status).toBe(403);
    expect((await send({ ...form, origin: 'null' })).status).toBe(403);
    expect((await send({ ...form, origin: terminal.url, host: 'evil.example' })).status).toBe(421);
    const { headers } = await new Browser().open(`${terminal.url}/`);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect((await new Browser().send(`${terminal.url}/demo.css`)).headers).not.toHaveProperty('set-cookie');
  });

  it('leaves nothing behind after Ctrl+C', async () => {
    terminal.type(CTRL_C);
    expect(await terminal.ended).toBe(0);
    expect(terminal.output()).toContain('Nothing is left behind');
    for (const url of [terminal.url, `${terminal.serviceUrl}/ping`])
      expect(await statusOf(url)).toBeUndefined();
  });
});

/** Runs `demo` as it is built, without the paths that match. */
function runWithout(missing: RegExp) {
  const root = mkdtempSync(join(tmpdir(), 'session-binding-image-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  cpSync(join(ROOT, 'dist'), join(root, 'dist'), { recursive: true, filter: (path) => !missing.test(path) });
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), 'demo'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return follow(child).ended;
}

it('says in one line that the image does not hold the demo', async () => {
  expect(await runWithout(/dist\/(?:demo|emulator)$/)).toEqual({
    code: 1,
    stdout: '',
    stderr: 'agentcore-session-binding: the demo is not part of the image; it is in the package\n',
  });
});

it('names any other module that is missing: that is a broken installation', async () => {
  const { code, stdout, stderr } = await runWithout(/dist\/demo\/scenes\.js$/);
  expect([code, stderr]).toEqual([1, '']);
  expect(stdout).toContain('demo/scenes.js');
});
