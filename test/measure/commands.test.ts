import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { follow, recordAnswers } from '../support/built-command.ts';
import { describeWithRedis } from '../support/redis.ts';

/** Runs a script on the build that the global setup has made. */
function run(script: string, args: readonly string[]) {
  const path = fileURLToPath(new URL(`../../scripts/${script}`, import.meta.url));
  const env = { ...process.env, ...recordAnswers() };
  return follow(spawn(process.execPath, [path, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })).ended;
}

// In miniature: what they measure in a second is judged by nobody. Both at once: each of them waits much.
describeWithRedis('the commands that try the service for long', () => {
  it('run: soak breaks no promise, and load says what became of a flood', async () => {
    const [soak, load] = await Promise.all([
      run('soak.mjs', ['--minutes', '0.03', '--seed', '7']),
      run('load.mjs', ['--seconds', '0.2', '--trials', 'quick']),
    ]);
    expect(soak).toMatchObject({ code: 0, stderr: '' });
    expect(soak.stdout).toContain('seed 7');
    expect(soak.stdout).toContain('no promise was broken');

    expect(load.stderr).toBe('');
    expect(load.stdout).toMatch(/can finish \d+ consents a second/);
    for (const phase of ['half', 'flood', 'after']) {
      expect(load.stdout).toMatch(new RegExp(`^ {2}${phase} .*×`, 'm'));
    }
  });
});
