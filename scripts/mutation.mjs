// npm run mutation [-- src/binding src/session/cookie.ts …] [--seconds N]: deletes or inverts one decision after the other,
// in a copy, and runs the tests near it. A decision whose loss no test notices is a survivor; docs/reliability.md explains
// those that are known. Ends with 1 while there are others.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mutantsOf } from './mutants.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Tests near a folder: the quick ones first, those that search long only for what survives. */
const TESTS = {
  'src/binding': [
    ['test/binding'],
    ['test/binding/exploration.test.ts', 'test/binding/url-never-selects.test.ts', 'test/fuzz'],
  ],
  'src/session': [
    ['test/session', 'test/sign-in', 'test/load-balancer'],
    ['test/http', 'test/security', 'test/edges'],
  ],
  'src/issuer': [['test/issuer', 'test/load-balancer'], ['test/http']],
};
const SEARCHES_LONG = ['test/binding/exploration.test.ts', 'test/binding/url-never-selects.test.ts'];
const MUTANT_TIMEOUT_MS = 120_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: 'Infinity' } },
});
const wanted = positionals.length > 0 ? positionals : Object.keys(TESTS);
const known = JSON.parse(readFileSync(new URL('mutation-survivors.json', import.meta.url), 'utf8'));

const copy = mkdtempSync(join(tmpdir(), 'session-binding-mutation-'));
for (const name of ['src', 'test', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
  cpSync(join(ROOT, name), join(copy, name), { recursive: true });
}
for (const name of ['node_modules', 'dist', 'SECURITY.md', 'README.md', 'docs']) {
  symlinkSync(join(ROOT, name), join(copy, name));
}
writeFileSync(
  join(copy, 'vitest.config.mjs'),
  `export default { test: { include: ['test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 1,
    isolate: false, pool: 'threads', bail: 1, expect: { poll: { timeout: 10_000 } } } };`,
);
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const untilMs = performance.now() + Number(values.seconds) * 1000;
const counts = { killed: 0, known: 0, unexplained: 0, left: 0 };
for (const path of wanted.flatMap(filesIn)) {
  const folder = Object.keys(TESTS).find((name) => path.startsWith(`${name}/`));
  if (folder === undefined) throw new Error(`no tests are named for ${path}`);
  const source = readFileSync(join(ROOT, path), 'utf8');
  for (const mutant of mutantsOf(path, source)) {
    if (performance.now() > untilMs) {
      counts.left += 1;
      continue;
    }
    writeFileSync(join(copy, path), mutant.text);
    const verdict = (await isNoticed(path, TESTS[folder])) ? 'killed' : verdictOn(mutant);
    counts[verdict] += 1;
    process.stdout.write(`${verdict.padEnd(11)} ${mutant.name}\n`);
  }
  writeFileSync(join(copy, path), source);
}
const total = counts.killed + counts.known + counts.unexplained;
process.stdout.write(
  `\n${total} decisions: ${counts.killed} noticed, ${counts.known} known survivors, ${counts.unexplained} unexplained, ${counts.left} not tried\n`,
);
process.exitCode = counts.unexplained === 0 ? 0 : 1;

function verdictOn({ name }) {
  return Object.hasOwn(known, name.replace(/:\d+ /, ' ')) ? 'known' : 'unexplained';
}

async function isNoticed(path, stages) {
  // Most are noticed by the test that is named after the file.
  const own = path.replace(/^src/, 'test').replace(/\.ts$/, '.test.ts');
  if (existsSync(join(copy, own)) && !(await pass([own]))) return true;
  for (const [index, files] of stages.entries()) {
    const exclude = index === 0 ? SEARCHES_LONG.flatMap((file) => ['--exclude', file]) : [];
    if (!(await pass([...files, ...exclude]))) return true;
  }
  return false;
}

/** True if all of these tests pass; what hangs does not. */
function pass(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args], {
      cwd: copy,
      stdio: 'ignore',
      detached: true,
    });
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, MUTANT_TIMEOUT_MS);
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });
}

function filesIn(path) {
  if (statSync(join(ROOT, path)).isFile()) return [path];
  return readdirSync(join(ROOT, path))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${path}/${name}`);
}
