import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { follow } from '../support/built-command.ts';
import { describeWithRedis } from '../support/redis.ts';

/** Runs a script on the build that the global setup has made. */
function run(script: string, args: readonly string[]) {
  const path = fileURLToPath(new URL(`../../scripts/${script}`, import.meta.url));
  return follow(spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })).ended;
}

// In miniature: what they measure in a second is judged by nobody.
describeWithRedis('the commands that try the service for long', () => {
  // Three services of their own may start slowly on a machine that runs other tests besides.
  it(
    'npm run soak: people, rude clients and faults come and go, and everybody can finish',
    { retry: 2 },
    async () => {
      const { code, stdout, stderr } = await run('soak.mjs', ['--minutes', '0.03', '--seed', '7']);
      expect(stdout, stderr).toContain('seed 7');
      expect(stdout, stderr).toContain('no promise was broken');
      expect(code).toBe(0);
    },
  );

  it('npm run load: measures a capacity, floods it, and says what became of whom', async () => {
    const { stdout, stderr } = await run('load.mjs', ['--seconds', '0.2', '--trials', 'quick']);
    expect(stdout, stderr).toMatch(/can finish \d+ consents a second/);
    for (const phase of ['half', 'flood', 'after'])
      expect(stdout, stderr).toMatch(new RegExp(`^ {2}${phase} .*×`, 'm'));
  });
});
