import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SCENES } from '../../src/demo/scenes.ts';
import { type EndedCommand, follow, recordAnswers, type RunningCommand } from '../support/built-command.ts';
import { statusOf } from '../support/built-service.ts';
import { until } from '../support/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT = { timeout: 180_000 };

function startDemo(root = ROOT, recording = recordAnswers()): RunningCommand {
  return follow(
    spawn(process.execPath, [join(root, 'dist/cli.js'), 'demo'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...recording },
    }),
  );
}

/** The demo of a service in whose built code one piece is replaced, wherever the bundle has it. */
function runBrokenDemo(piece: RegExp, replacement: string): Promise<EndedCommand> {
  const root = mkdtempSync(join(tmpdir(), 'session-binding-demo-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  cpSync(join(ROOT, 'dist'), join(root, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const bundled = readdirSync(join(root, 'dist/command')).map((name) => `command/${name}`);
  const broken = ['cli.js', ...bundled].filter((file) => {
    const path = join(root, 'dist', file);
    const code = readFileSync(path, 'utf8');
    writeFileSync(path, code.replace(piece, replacement));
    return piece.test(code);
  });
  expect(broken).toHaveLength(1);
  return startDemo(root).ended;
}

function linesWith(mark: string, { stdout }: EndedCommand): readonly string[] {
  return stdout.split('\n').filter((line) => line.startsWith(`  ${mark} `));
}

describe('the demo', () => {
  it('exits 0 with a right verdict for every story, plain where nobody looks', TIMEOUT, async () => {
    const recording = recordAnswers();
    const ended = await startDemo(ROOT, recording).ended;
    const { code, stdout, stderr } = ended;
    expect([code, stderr]).toEqual([0, '']);
    const verdicts = linesWith('✓', ended);
    expect(verdicts).toHaveLength(SCENES.length);
    for (const [index, { title, verdict, vault }] of SCENES.entries()) {
      const columns = verdicts[index]?.slice(4).split(/ {2,}/);
      expect(columns).toEqual([title, verdict.join(' '), vault ?? 'nobody']);
    }
    // One column under the other, whatever the longest title is.
    expect(new Set(verdicts.map((line) => /\d{3} [a-z_]+ /.exec(line)?.index)).size).toBe(1);
    expect(stdout).toContain(`${SCENES.length} of ${SCENES.length} endings are the contract's`);
    expect(stdout).not.toContain('\u001b');
    // Also what its service answered is held to the document.
    const answers = readFileSync(recording.RECORDED_ANSWERS, 'utf8');
    expect(answers.match(/"url":"\/oauth2\/callback\?/g)?.length).toBeGreaterThanOrEqual(SCENES.length);
  });

  it.each([
    ['isSameUser', /sends her link to bob[^]*bob replays/],
    ['isTopLevelNavigation', /another site/],
  ])('fails when %s of the service says yes to everything', TIMEOUT, async (name, stories) => {
    const ended = await runBrokenDemo(new RegExp(`(?<=function ${name}\\([^)]*\\) \\{)`), 'return true;');
    expect(ended.code).toBe(1);
    const wrong = linesWith('✗', ended);
    expect(wrong.join('\n')).toMatch(stories);
    const right = SCENES.length - wrong.length;
    expect(ended.stdout).toContain(`${right} of ${SCENES.length} endings are the contract's`);
  });

  it(
    'fails with a reason and without a stack of its own when the service does not start',
    TIMEOUT,
    async () => {
      const ended = await runBrokenDemo(/(?<=async function startServer\([^)]*\) \{)/, 'process.exit(3);');
      expect(ended.code).toBe(1);
      expect(ended.stdout).toContain('the demo broke off: the service did not start');
      expect(ended.stderr).toBe('');
    },
  );

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('leaves no process behind after %s', TIMEOUT, async (signal, exitCode) => {
    const demo = startDemo();
    const url = await until('the service', () => /service +(http:\S+)/.exec(demo.stdout())?.[1]);
    expect(await statusOf(`${url}/ping`)).toBe(200);
    demo.kill(signal);
    expect((await demo.ended).code).toBe(exitCode);
    await until('a closed port', async () =>
      (await statusOf(`${url}/ping`)) === undefined ? true : undefined,
    );
  });
});
