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
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseSync } from 'oxc-parser';
import { mutantsOf } from './mutants.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Tests near a folder. Of these, those that import the mutated file run, until the first one fails. */
const TESTS = {
  'src/binding': ['test/binding', 'test/fuzz'],
  'src/session': [
    'test/session',
    'test/sign-in',
    'test/login',
    'test/load-balancer',
    'test/http',
    'test/security',
  ],
  'src/issuer': ['test/issuer', 'test/login', 'test/load-balancer', 'test/http'],
};
/** Tests about something else that take long. */
const SLOW = ['test/http/connections.test.ts', 'test/http/callback-agentcore.test.ts'];
const HANGS_MS = 600_000;

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
  `const order = process.env.TEST_FILES.split(',');
  const rank = ({ moduleId }) => order.findIndex((path) => moduleId.endsWith(path));
  class AsGiven { sort(files) { return files.toSorted((a, b) => rank(a) - rank(b)); } shard(files) { return files; } }
  export default { test: { include: order, testTimeout: 20_000, hookTimeout: 60_000, maxWorkers: 1, isolate: false,
    pool: 'threads', bail: 1, sequence: { sequencer: AsGiven }, expect: { poll: { timeout: 10_000 } },
    reporters: [['json', { outputFile: 'report.json' }]] } };`,
);
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const untilMs = performance.now() + Number(values.seconds) * 1000;
const counts = { killed: 0, known: 0, unexplained: 0, left: 0 };
const importsOf = new Map();
const durationsOf = new Map();
for (const path of wanted.flatMap((name) => filesIn(name, '.ts'))) {
  const folder = Object.keys(TESTS).find((name) => path.startsWith(`${name}/`));
  if (folder === undefined) throw new Error(`no tests are named for ${path}`);
  const source = readFileSync(join(copy, path), 'utf8');
  const mutants = mutantsOf(path, source);
  if (mutants.length === 0) continue;
  const order = testsOf(path, TESTS[folder], await unmutated(folder));
  for (const mutant of mutants) {
    if (performance.now() > untilMs) {
      counts.left += 1;
      continue;
    }
    writeFileSync(join(copy, path), mutant.text);
    const noticedBy = await firstFailing(order);
    const verdict = noticedBy !== undefined ? 'killed' : verdictOn(mutant);
    counts[verdict] += 1;
    process.stdout.write(`${verdict.padEnd(11)} ${mutant.name}${noticedBy ? `  (${noticedBy})` : ''}\n`);
    // What noticed one decision of a file mostly notices its neighbours too.
    const index = order.indexOf(noticedBy);
    if (index > 0) order.unshift(...order.splice(index, 1));
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

/** How long each test of a folder takes as things are; they must all pass. */
async function unmutated(folder) {
  if (!durationsOf.has(folder)) {
    const tests = TESTS[folder]
      .flatMap((name) => filesIn(name, '.test.ts'))
      .filter((test) => !SLOW.includes(test));
    const broken = await firstFailing(tests);
    if (broken !== undefined) throw new Error(`${broken} fails without a mutation`);
    durationsOf.set(folder, new Map(report().map(({ path, durationMs }) => [path, durationMs])));
  }
  return durationsOf.get(folder);
}

/** The tests that import the file: the one named after it, then the quick ones first. */
function testsOf(path, folders, durations) {
  const own = path.replace(/^src/, 'test').replace(/\.ts$/, '.test.ts');
  return folders
    .flatMap((folder) => filesIn(folder, '.test.ts'))
    .filter((test) => durations.has(test) && reaches(test, path))
    .toSorted((a, b) => Number(b === own) - Number(a === own) || durations.get(a) - durations.get(b));
}

function reaches(from, to) {
  const seen = new Set([from]);
  for (const path of seen) for (const other of imported(path)) seen.add(other);
  return seen.has(to);
}

function imported(path) {
  if (!importsOf.has(path)) {
    const { module } = parseSync(path, readFileSync(join(copy, path), 'utf8'));
    const requests = [
      ...module.staticImports.map(({ moduleRequest }) => moduleRequest),
      ...module.staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest)),
    ];
    const paths = requests
      .filter((request) => request?.value.startsWith('.'))
      .map(({ value }) => posix.join(dirname(path), value));
    importsOf.set(
      path,
      [...new Set(paths)].filter((name) => name.endsWith('.ts')),
    );
  }
  return importsOf.get(path);
}

/** The test file that fails first, or nothing if all of them pass; what hangs or dies does not pass. */
function firstFailing(files) {
  rmSync(join(copy, 'report.json'), { force: true });
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run'], {
      cwd: copy,
      stdio: 'ignore',
      detached: true,
      env: { ...process.env, TEST_FILES: files.join(',') },
    });
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), HANGS_MS);
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve(code === 0 ? undefined : failedIn());
    });
  });
}

function failedIn() {
  if (!existsSync(join(copy, 'report.json'))) return 'no report';
  return report().find(({ failed }) => failed)?.path ?? 'no test';
}

function report() {
  const { testResults } = JSON.parse(readFileSync(join(copy, 'report.json'), 'utf8'));
  return testResults.map(({ name, status, startTime, endTime }) => ({
    path: relative(copy, name),
    failed: status === 'failed',
    durationMs: endTime - startTime,
  }));
}

function filesIn(path, ending) {
  if (statSync(join(copy, path)).isFile()) return [path];
  return readdirSync(join(copy, path))
    .filter((name) => name.endsWith(ending))
    .map((name) => `${path}/${name}`);
}
