import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Every source file: its path below `src/`, and its text. */
type Sources = Readonly<Record<string, string>>;

/**
 * The arrows: which part of the house may import which. A part is a folder, or a file of `src/` itself. Nobody
 * may import what his row does not name, so `emulator` and `demo` stay outside the service.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  binding: [],
  // Runs in other people's programs, and speaks to the service over HTTP alone: nobody imports it either.
  client: [],
  emulator: [],
  'system.ts': ['binding'],
  'readiness.ts': ['binding'],
  sealing: ['binding'],
  env: ['binding'],
  pages: ['binding'],
  session: ['binding', 'sealing'],
  agentcore: ['binding', 'env'],
  issuer: ['binding', 'env'],
  // Another signer of identities, held to the same limits and claims.
  'load-balancer': ['binding', 'issuer'],
  // The SDK is held to https in one place.
  sagemaker: ['agentcore', 'env'],
  store: ['binding', 'session', 'sealing'],
  telemetry: ['binding', 'pages'],
  routes: names('binding session pages telemetry env agentcore issuer load-balancer readiness.ts'),
  'listen.ts': ['env'],
  'app.ts': names(
    'routes pages binding session sealing store telemetry env issuer load-balancer readiness.ts',
  ),
  'metrics-app.ts': ['telemetry'],
  'server.ts': names(
    'app.ts metrics-app.ts listen.ts readiness.ts system.ts binding agentcore issuer load-balancer store sealing telemetry env',
  ),
  commands: names(
    'server.ts listen.ts system.ts binding env agentcore issuer session store sagemaker telemetry demo',
  ),
  'cli.ts': ['commands'],
  demo: ['emulator', 'pages', 'issuer', 'client'],
};

function names(list: string): readonly string[] {
  return list.split(' ');
}

/** The domain has no I/O: of all packages it may know these. */
const DOMAIN_PACKAGES: readonly string[] = ['node:crypto', 'node:util'];

/** A name of the package's own, where other files' exports may be passed on: what programs import. */
const PUBLIC_DOORS: readonly string[] = ['client/client.ts'];

/** Routes ask the rule and carry its answer; its steps, the records and the cryptography are none of theirs. */
const CLOSED_TO_ROUTES =
  /^(?:binding\/(?:attempt|call-agentcore|candidates|complete-once)\.ts|jose|node:crypto|@aws-sdk\/.*)$/;

/** Where the process may be read: what the operator types and what owns the process. */
const READS_PROCESS = /^(?:cli\.ts|server\.ts|commands\/.*|demo\/.*)$/;

const MAX_LINES = 300;
/** Tables, one row per setting or outcome: cutting one up would hide what is missing. */
const MAY_BE_LONG: readonly string[] = ['env/settings.ts', 'pages/outcomes.ts', 'pages/words-ja.ts'];

const VAGUE_NAME = /(?:^|\/)(?:index|utils?|helpers?|common|shared|misc)(?:\.ts$|\/)/;

interface Import {
  readonly from: string;
  /** A path below `src/`, or the name of a package. */
  readonly to: string;
}

// Prettier starts every import and every re-export at the beginning of a line.
const STATEMENTS = [
  /^import (?:type )?[\w*{][^;]*? from '([^']+)'/gm,
  /^import '([^']+)'/gm,
  /^export (?:type )?[*{][^;]*? from '([^']+)'/gm,
  /\bimport\(\s*'([^']+)'\s*\)/g,
];

function importsOf(sources: Sources): readonly Import[] {
  return Object.entries(sources).flatMap(([from, text]) =>
    STATEMENTS.flatMap((statement) => [...text.matchAll(statement)])
      .map(([, specifier = '']) => specifier)
      .map((to) => ({ from, to: to.startsWith('.') ? posix.join(posix.dirname(from), to) : to })),
  );
}

function partOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/** Every broken rule, one line each. */
function violationsOf(sources: Sources): readonly string[] {
  const imports = importsOf(sources);
  const isOurs = (path: string) => Object.hasOwn(sources, path);
  return [
    ...Object.keys(sources)
      .filter((path) => !Object.hasOwn(MAY_IMPORT, partOf(path)))
      .map((path) => `${path} is in no part of the house`),
    ...imports
      .filter(({ to }) => to.endsWith('.ts') && !isOurs(to))
      .map(({ from, to }) => `${from} imports ${to}, which is not in src/`),
    ...imports
      .filter(({ from, to }) => isOurs(to) && partOf(from) !== partOf(to))
      .filter(({ from, to }) => !MAY_IMPORT[partOf(from)]?.includes(partOf(to)))
      .map(({ from, to }) => `${from} must not import ${to}`),
    ...imports
      .filter(({ from, to }) => partOf(from) === 'binding' && !isOurs(to) && !DOMAIN_PACKAGES.includes(to))
      .map(({ from, to }) => `${from} must not import ${to}`),
    ...imports
      .filter(({ from, to }) => partOf(from) === 'client' && !isOurs(to))
      .map(({ from, to }) => `${from} must not import ${to}: the client has no dependency`),
    ...imports
      .filter(({ from, to }) => partOf(from) === 'routes' && CLOSED_TO_ROUTES.test(to))
      .map(({ from, to }) => `${from} must not import ${to}: routes hold no rules`),
    ...Object.entries(sources).flatMap(([path, text]) => fileViolations(path, text)),
  ];
}

function fileViolations(path: string, text: string): readonly string[] {
  const code = text.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  const lines = text.split('\n').length - 1;
  return [
    VAGUE_NAME.test(path) ? `${path} does not say what it is` : [],
    !PUBLIC_DOORS.includes(path) && /^export (?:type )?[*{][^;]* from '/m.test(text)
      ? `${path} passes on another file's exports`
      : [],
    /\bimport\((?!\s*')/.test(code) ? `${path} imports something that only running it would show` : [],
    lines > MAX_LINES && !MAY_BE_LONG.includes(path) ? `${path} has ${lines} lines` : [],
    READS_PROCESS.test(path) || !readsProcess(code) ? [] : `${path} must not read the process`,
  ].flat();
}

function readsProcess(code: string): boolean {
  return /\bprocess(?:\??\.[a-z]|\[)|[=(]\s*process\b(?! )|'(?:node:)?process'/.test(code);
}

function readSources(): Sources {
  const root = fileURLToPath(new URL('../src/', import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  return Object.fromEntries(files.map((path) => [path, readFileSync(`${root}/${path}`, 'utf8')]));
}

const HOUSE = readSources();
const BROKEN = violationsOf(HOUSE);

describe('the house', () => {
  it('keeps its arrows, its domain pure, and its files small and named', () => {
    expect(Object.keys(HOUSE).length).toBeGreaterThan(50);
    expect(importsOf(HOUSE).length).toBeGreaterThan(150);
    expect(BROKEN).toEqual([]);
  });

  // Each of these is put into the real sources, so that a rule that has gone blind fails here.
  it.each([
    ['binding/bind.ts', "import type { Store } from '../store/store.ts';", 'must not import store/store.ts'],
    ['binding/bind.ts', "import { fastify } from 'fastify';", 'must not import fastify'],
    ['binding/bind.ts', "import { request } from 'node:http';", 'must not import node:http'],
    ['store/memory-store.ts', "import { html } from '../pages/html.ts';", 'must not import pages/html.ts'],
    [
      'pages/html.ts',
      "import {\n  a,\n  b,\n} from '../routes/answer.ts';",
      'must not import routes/answer.ts',
    ],
    ['app.ts', "import { serveCommand } from './commands/serve.ts';", 'must not import commands/serve.ts'],
    [
      'server.ts',
      "import { startIssuer } from './emulator/issuer.ts';",
      'must not import emulator/issuer.ts',
    ],
    ['routes/ping.ts', "import { Browser } from '../demo/browser.ts';", 'must not import demo/browser.ts'],
    ['emulator/issuer.ts', "import * as all from '../issuer/claims.ts';", 'must not import issuer/claims.ts'],
    ['routes/callback.ts', "import { a } from '../store/store.ts';", 'must not import store/store.ts'],
    ['routes/callback.ts', "import { a } from '../binding/attempt.ts';", 'routes hold no rules'],
    ['routes/callback.ts', "import { jwtVerify } from 'jose';", 'routes hold no rules'],
    ['routes/callback.ts', "import '../demo/scripted.ts';", 'must not import demo/scripted.ts'],
    [
      'routes/callback.ts',
      "const late = await import('../demo/scripted.ts');",
      'must not import demo/scripted.ts',
    ],
    ['routes/callback.ts', 'const late = await import(name);', 'only running it would show'],
    ['pages/html.ts', "type Late = import('../app.ts').AppDeps;", 'must not import app.ts'],
    [
      'client/timers.ts',
      "import type { Clock } from '../binding/clock.ts';",
      'must not import binding/clock.ts',
    ],
    ['client/timers.ts', "import { setTimeout } from 'node:timers';", 'the client has no dependency'],
    [
      'routes/ping.ts',
      "import { realTimers } from '../client/timers.ts';",
      'must not import client/timers.ts',
    ],
    [
      'commands/token.ts',
      "import { realTimers } from '../client/timers.ts';",
      'must not import client/timers.ts',
    ],
    ['pages/html.ts', "export * from './style.ts';", 'passes on another file'],
    ['pages/html.ts', "export { STYLE } from './style.ts';", 'passes on another file'],
    ['env/config.ts', "import x from '../../test/support/world.ts';", 'which is not in src/'],
    ['env/config.ts', 'const port = process.env.PORT;', 'must not read the process'],
    ['env/config.ts', "const port = process['env'];", 'must not read the process'],
    ['routes/ready.ts', 'const { env } = process;', 'must not read the process'],
    ['app.ts', "import { env } from 'node:process';", 'must not read the process'],
    ['app.ts', '\n'.repeat(MAX_LINES), 'lines'],
    ['binding/utils.ts', '', 'does not say what it is'],
    ['pages/index.ts', '', 'does not say what it is'],
    ['helpers/text.ts', '', 'does not say what it is'],
    ['plugins/text.ts', '', 'is in no part of the house'],
  ])('would notice in %s: %s', (path, planted, complaint) => {
    const found = violationsOf({ ...HOUSE, [path]: `${planted}\n${HOUSE[path] ?? ''}` });
    const isAbout = (line: string) => line.startsWith(path) && line.includes(complaint);
    expect(found.filter((line) => !BROKEN.includes(line)).filter(isAbout)).not.toEqual([]);
  });
});
