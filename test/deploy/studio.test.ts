import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../support/until.ts';

const SCRIPT = fileURLToPath(new URL('../../deploy/studio-lifecycle.sh', import.meta.url));

/** A home directory with the package in it, and an npm that installs a command which writes down how it was called. */
function studio(nodeVersion: string) {
  const home = mkdtempSync(join(tmpdir(), 'studio-home-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const programs = join(home, 'programs');
  mkdirSync(programs);
  writeFileSync(join(home, 'agentcore-session-binding-0.1.0.tgz'), '');
  const program = (name: string, text: string) => {
    writeFileSync(join(programs, name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(programs, name), 0o755);
  };
  const bin = join(home, '.agentcore-session-binding/node_modules/.bin');
  const command = join(bin, 'agentcore-session-binding');
  program(
    'npm',
    [
      `echo "npm $*" >> ${home}/calls`,
      `mkdir -p ${bin}`,
      `printf '#!/bin/bash\\necho "command $*" >> ${home}/calls\\n' > ${command}`,
      `chmod 755 ${command}`,
    ].join('\n'),
  );
  const real = process.execPath;
  program(
    'node',
    `exec ${real} -e "Object.defineProperty(process.versions, 'node', { value: '${nodeVersion}' })
    $2"`,
  );
  program(
    'conda',
    [
      `echo "conda $*" >> ${home}/calls`,
      `mkdir -p ${home}/.agentcore-session-binding/node/bin`,
      `ln -s ${real} ${home}/.agentcore-session-binding/node/bin/node`,
    ].join('\n'),
  );
  return {
    home,
    start: () =>
      execFileSync('bash', [SCRIPT], {
        env: { HOME: home, PATH: `${programs}:${process.env['PATH']}` },
        encoding: 'utf8',
        timeout: 60_000,
      }),
    calls: () =>
      existsSync(`${home}/calls`) ? readFileSync(`${home}/calls`, 'utf8').trim().split('\n') : [],
  };
}

it('the lifecycle script of Studio installs the package once, starts the service, and is not waited for', async () => {
  const { home, start, calls } = studio('20.19.0');
  expect(start()).toContain(`its log is ${home}/.agentcore-session-binding/service.log`);
  await until('the service', () => calls().includes('command serve') || undefined);
  const [install = '', ...more] = calls();
  expect(install).toMatch(/^npm install .*--ignore-scripts .*agentcore-session-binding-0\.1\.0\.tgz$/);
  expect(more).toEqual(['command serve']);
  // As the Python module finds it.
  expect(existsSync(join(home, '.local/bin/agentcore-session-binding'))).toBe(true);

  start();
  await until('the service again', () => calls().length === 3 || undefined);
  expect(calls().filter((call) => call.startsWith('npm'))).toHaveLength(1);

  const later = new Date(Date.now() + 60_000);
  utimesSync(join(home, 'agentcore-session-binding-0.1.0.tgz'), later, later);
  start();
  await until('the newer one', () => calls().length === 5 || undefined);
  expect(calls().filter((call) => call.startsWith('npm'))).toHaveLength(2);
});

it('the lifecycle script of Studio brings a Node where that of the image is too old', async () => {
  const { start, calls } = studio('20.18.1');
  start();
  await until('the service', () => calls().includes('command serve') || undefined);
  expect(calls()[0]).toMatch(/^conda create .*nodejs=24$/);
});
