// npm run mutation [-- src/binding src/session/cookie.ts …] [--seconds N]: deletes or inverts one decision after the other,
// in a copy, and runs the tests near it. A decision whose loss no test notices is a survivor; docs/reliability.md explains
// those that are known. Ends with 1 while there are others.
import { fork } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseSync } from 'oxc-parser';
import { mutantsOf } from './mutants.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Tests near a folder. Of these, those that import the mutated file run, until the first one fails. */
const TESTS = {
  'src/binding': [
    'test/binding',
    'test/store/memory-store.test.ts',
    'test/http/start.test.ts',
    'test/http/returning.test.ts',
    'test/fuzz',
  ],
  'src/session': [
    'test/session',
    'test/sign-in',
    'test/login',
    'test/load-balancer',
    'test/http/start.test.ts',
    'test/edges/rate-limit.test.ts',
    'test/security/nothing-selects-a-user.test.ts',
  ],
  'src/issuer': [
    'test/issuer',
    'test/login',
    'test/load-balancer',
    'test/http/user-token-forged.test.ts',
    'test/http/user-token-failures.test.ts',
  ],
};
/** Without a test that begins or ends. */
const HANGS_MS = 90_000;

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
process.on('exit', () => runner?.kill('SIGKILL'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const untilMs = performance.now() + Number(values.seconds) * 1000;
const counts = { killed: 0, known: 0, unexplained: 0, left: 0 };
const importsOf = new Map();
const durationsOf = new Map();
let runner;
for (const path of wanted.flatMap((name) => filesIn(name, '.ts'))) {
  const folder = Object.keys(TESTS).find((name) => path.startsWith(`${name}/`));
  if (folder === undefined) throw new Error(`no tests are named for ${path}`);
  const source = readFileSync(join(copy, path), 'utf8');
  const mutants = mutantsOf(path, source);
  if (mutants.length === 0) continue;
  const order = testsOf(path, TESTS[folder], await unmutated(folder));
  // Else a mutant that was left behind would notice all that come after it.
  const broken = await firstFailing(path, order.slice(0, 5));
  if (broken !== undefined) throw new Error(`${broken} fails without a mutation of ${path}`);
  for (const mutant of mutants) {
    if (performance.now() > untilMs) {
      counts.left += 1;
      continue;
    }
    writeFileSync(join(copy, path), mutant.text);
    const noticedBy = await firstFailing(path, order);
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
runner?.disconnect();
process.exitCode = counts.unexplained === 0 ? 0 : 1;

function verdictOn({ name }) {
  return Object.hasOwn(known, name.replace(/:\d+ /, ' ')) ? 'known' : 'unexplained';
}

/** How long each test of a folder takes as things are; they must all pass. */
async function unmutated(folder) {
  if (!durationsOf.has(folder)) {
    const tests = TESTS[folder].flatMap((name) => filesIn(name, '.test.ts'));
    const answer = await run('package.json', tests);
    const broken = answer?.modules.find(({ state }) => state !== 'passed');
    if (answer === undefined || broken !== undefined)
      throw new Error(`${broken?.path ?? 'a test'} fails without a mutation`);
    durationsOf.set(folder, new Map(answer.modules.map(({ path, durationMs }) => [path, durationMs])));
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
    const text = readFileSync(join(copy, path), 'utf8');
    const { module } = parseSync(path, text);
    const requests = [
      ...module.staticImports.map(({ moduleRequest }) => moduleRequest),
      ...module.staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest)),
    ];
    // Of `import('./file.ts')` the parser tells where its argument stands.
    const lazy = module.dynamicImports.map(({ moduleRequest: { start, end } }) =>
      text.slice(start + 1, end - 1),
    );
    const paths = [...requests.flatMap((request) => request?.value ?? []), ...lazy]
      .filter((value) => value.startsWith('.'))
      .map((value) => posix.join(dirname(path), value));
    importsOf.set(
      path,
      [...new Set(paths)].filter((name) => name.endsWith('.ts')),
    );
  }
  return importsOf.get(path);
}

/** The test file that fails, or nothing if all of them pass. One alone first: a run reads every file that it is given. */
async function firstFailing(changed, tests) {
  for (const some of [tests.slice(0, 1), tests.slice(1, 5), tests.slice(5)]) {
    if (some.length === 0) continue;
    const answer = await run(changed, some);
    if (answer === undefined) return 'it hangs or dies';
    const failed = answer.modules.find(({ state }) => state === 'failed')?.path;
    if (failed !== undefined || answer.hasOtherErrors) return failed ?? 'an error outside all tests';
  }
  return undefined;
}

/** Runs these tests until one fails; nothing comes back from what hangs or takes the runner along. */
function run(changed, tests) {
  runner ??= fork(fileURLToPath(new URL('mutation-tests.mjs', import.meta.url)), {
    cwd: copy,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const child = runner;
  return new Promise((resolve) => {
    const lose = () => {
      if (runner === child) runner = undefined;
      child.kill('SIGKILL');
      resolve(undefined);
    };
    let timer = setTimeout(lose, HANGS_MS);
    child.removeAllListeners();
    child.on('exit', lose);
    child.on('message', (message) => {
      clearTimeout(timer);
      if (message === 'beat') timer = setTimeout(lose, HANGS_MS);
      else resolve(message);
    });
    child.send({ changed, tests });
  });
}

function filesIn(path, ending) {
  if (statSync(join(copy, path)).isFile()) return [path];
  return readdirSync(join(copy, path))
    .filter((name) => name.endsWith(ending))
    .map((name) => `${path}/${name}`);
}
