import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BUILT_COMMAND, follow, runCommand } from '../support/built-command.ts';

const HELP = execFileSync(process.execPath, [BUILT_COMMAND, '--help'], { encoding: 'utf8', timeout: 60_000 });
/** As the help lists them, so that a new command is tested without a new line here. */
const COMMANDS = [...HELP.matchAll(/^ {2}([a-z][a-z-]*) {2,}\S/gm)].map(([, name = '']) => name);

const ONE_LINE = /^agentcore-session-binding: [^\n]+\n$/;

describe('the command line', () => {
  it('lists its commands in --help', async () => {
    expect(COMMANDS).toEqual(expect.arrayContaining(['serve', 'check']));
    expect(await runCommand(['--help'])).toEqual({ code: 0, stdout: HELP, stderr: '' });
    expect(await runCommand(['-h'])).toEqual({ code: 0, stdout: HELP, stderr: '' });
  });

  it('prints the version of the package', async () => {
    const manifest: unknown = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    const { version } = manifest as { readonly version: string };
    expect(await runCommand(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('explains itself on standard error, and fails, when no command is named', async () => {
    expect(await runCommand([])).toEqual({ code: 2, stdout: '', stderr: HELP });
  });

  it.each(['srve', '--verison', '', 'constructor', 'evil\u001b[31m\nsecond line'])(
    'answers the unknown command %j with one line and exit code 2',
    async (name) => {
      const { code, stdout, stderr } = await runCommand([name]);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(ONE_LINE);
      expect(stderr).toContain('unknown command');
      expect(stderr).not.toContain('\u001b');
    },
  );

  it.each(['--help', '--version'])('leaves no stack when the reader of %s has gone', async (flag) => {
    const child = spawn(process.execPath, [BUILT_COMMAND, flag], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const { stderr } = await follow(child).ended;
    expect(stderr).toBe('');
  });
});

describe.each(COMMANDS)('%s', (command) => {
  it('explains itself, whatever the environment', async () => {
    const { code, stdout, stderr } = await runCommand([command, '--help'], { PORT: 'nonsense' });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Usage: agentcore-session-binding ${command}\\b`));
  });

  it('answers what it does not take with one line and exit code 2, and does not repeat a user token [SB-16]', async () => {
    const { code, stdout, stderr } = await runCommand([command, 'eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).not.toContain('eyJ');
  });
});

// All commands read their flags with one function, so one of them stands for the rest.
describe('a flag', () => {
  it.each([[['--nope']], [['--nope=1']], [['-x']], [['stray']], [['--help=1']], [['--\u001b[31mred']]])(
    'that nobody knows, %j, is answered with one line and exit code 2',
    async (args) => {
      const { code, stdout, stderr } = await runCommand(['check', ...args]);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(ONE_LINE);
      expect(stderr).toContain('see --help');
      expect(stderr).not.toContain('\u001b');
    },
  );

  it('has a short form where it asks for help', async () => {
    expect((await runCommand(['check', '-h'])).stdout).toMatch(/^Usage: agentcore-session-binding check\b/);
  });
});

describe.each(['serve', 'check'])('%s', (command) => {
  it.each([[['--port']], [['--port', '-1']], [['--public-url']]])(
    'answers the option without a value %j with one line and exit code 2',
    async (args) => {
      const { code, stdout, stderr } = await runCommand([command, ...args]);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(ONE_LINE);
    },
  );
});
