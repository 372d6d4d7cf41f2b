import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/env/config.ts';
import { unknownIn } from '../deploy/deployed-settings.ts';
import { fileReader, OTHER_STRONG_SECRET, PLAIN_MACHINE, STRONG_SECRET } from '../env/environment.ts';
import { describeWithProgram, findProgram } from '../support/find-program.ts';
import { type Block, BLOCKS, blocksIn, PAGES, readPage, ROOT } from './blocks.ts';

// No block of the documentation is only text: each is run (commands.test.ts), loaded, compiled or parsed.

/** What a deployment of docs/identity.md mounts. */
const FILES = {
  '/run/secrets/session': STRONG_SECRET,
  '/run/secrets/store': `rediss://binding:${OTHER_STRONG_SECRET}@store.example.com:6379`,
  '/run/secrets/login': OTHER_STRONG_SECRET,
};

/** What a block takes from the program around it. */
const AROUND = `
declare const userToken: string, user_token: string, authorizationUrl: string, authorization_url: string;
declare const show: (url: string) => void, showLink: (url: string) => void;
declare const providerName: string, scopes: string[], callbackUrl: string;
declare const run: (input: string, accessToken: string) => Promise<string>;
declare const client: import('agentcore-session-binding/client').SessionBindingClient;
`;

/** AWS's TypeScript SDK for agents, as far as docs/clients.md uses it. */
const AWS_AGENT_SDK = `declare module 'bedrock-agentcore/identity' {
  export function withAccessToken(options: {
    providerName: string;
    scopes: string[];
    authFlow: 'USER_FEDERATION' | 'M2M';
    callbackUrl?: string;
    onAuthUrl?: (url: string) => void | Promise<void>;
  }): <T>(run: T) => T;
}
`;

describe('every block of the documentation', () => {
  it('says what it is, in a language that is checked', () => {
    expect(BLOCKS.length).toBeGreaterThan(30);
    // Drawings and lines of other programs; the ACL of docs/storage.md is used by the tests of the store.
    const unchecked = ['text', 'mermaid'];
    const checked = ['sh', 'ini', 'json', 'yaml', 'ts', 'js', 'py'];
    const others = BLOCKS.filter(({ language }) => ![...checked, ...unchecked].includes(language));
    expect(others.map(({ place, language }) => [place, language])).toEqual([]);
  });

  it.each(blocksIn('json').map((block) => [block.place, block] as const))(
    'parses: %s',
    (_place, { text }) => {
      expect(() => JSON.parse(text) as unknown).not.toThrow();
    },
  );

  it('of YAML parses', () => {
    for (const { text } of blocksIn('yaml')) parse(text, { strict: true });
  });

  it.each(blocksIn('ini').map((block, index) => [index, block.place, block] as const))(
    'is a configuration that starts: %i, %s',
    (_index, _place, { text }) => {
      const lines = text.trim().split('\n');
      const env = Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
      expect(unknownIn(env)).toEqual([]);
      // What Compose adds to its `.env`.
      const secrets = { SESSION_SECRET_FILE: '/run/secrets/session', STORE_URL_FILE: '/run/secrets/store' };
      const loaded = loadConfig({ ...secrets, ...env }, fileReader(FILES), PLAIN_MACHINE);
      expect(loaded.kind === 'invalid' ? loaded.problems : []).toEqual([]);
    },
  );

  it('of TypeScript and JavaScript compiles, as strictly as the code', () => {
    const folder = `${ROOT}/build/blocks`;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'aws.d.ts'), AWS_AGENT_SDK);
    const blocks = blocksIn('ts', 'js');
    expect(blocks.length).toBeGreaterThanOrEqual(5);
    for (const [index, block] of blocks.entries())
      writeFileSync(join(folder, `${index}.ts`), programOf(block));
    const compilerOptions = {
      lib: ['ES2023', 'DOM'],
      noUnusedLocals: false,
      paths: {},
      types: ['node'],
    };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['.'] }),
    );
    const compile = () =>
      execFileSync(process.execPath, [`${ROOT}/node_modules/typescript/bin/tsc`, '-p', folder], {
        encoding: 'utf8',
        timeout: 60_000,
      });
    expect(errorsOf(compile)).toBe('');
  });
});

describeWithProgram(findProgram('python3'), 'python3 is not installed', 'every block of Python', () => {
  it('compiles, and imports from the module what it has', () => {
    const program = `
import ast, json, sys
import agentcore_session_binding as module
for place, text in json.load(sys.stdin):
    for node in ast.walk(ast.parse(text, place)):
        if isinstance(node, ast.ImportFrom) and node.module == module.__name__:
            for alias in node.names:
                getattr(module, alias.name)
`;
    const blocks = blocksIn('py').map(({ place, text }) => [place, text]);
    expect(blocks.length).toBeGreaterThan(2);
    const run = () =>
      execFileSync('python3', ['-B', '-c', program], {
        cwd: `${ROOT}/clients/python`,
        input: JSON.stringify(blocks),
        encoding: 'utf8',
        timeout: 60_000,
      });
    expect(errorsOf(run)).toBe('');
  });
});

describe('every page of the documentation', () => {
  it.each(PAGES)('links to nothing that is not there: %s', (page) => {
    const links = [...readPage(page).matchAll(/\]\((?!https:)([^)#]*)(?:#([^)]+))?\)/g)];
    const missing = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
    expect(missing.map(([link]) => link)).toEqual([]);
  });

  it('is reached from the README’s index, or from a page of it', () => {
    const reached = new Set(['README.md']);
    for (const page of reached) {
      if (!page.endsWith('.md') || !PAGES.includes(page)) continue;
      for (const [, path = ''] of readPage(page).matchAll(/\]\((?!https:)([^)#]+)(?:#[^)]+)?\)/g)) {
        const target = join(dirname(page), path).replace(/\/$/, '');
        reached.add(target);
        reached.add(`${target}/README.md`);
      }
    }
    const isReached = (page: string) => reached.has(page) || reached.has(dirname(page));
    expect(PAGES.filter((page) => !isReached(page))).toEqual([]);
  });
});

/** A block as a module of its own. What it declares itself is not declared around it. */
function programOf({ text }: Block): string {
  const own = [...text.matchAll(/\bconst (?:\{ )?(\w+)/g)].map(([, name = '']) => name);
  const around = AROUND.split('\n').filter((line) => !own.some((name) => line.includes(`const ${name}:`)));
  return `${around.join('\n')}\n${text}\nexport {};\n`;
}

/** GitHub's anchors of a page's headings. */
function anchorsOf(page: string): readonly string[] {
  return [...readPage(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** What a failed run has written; nothing where it succeeded. */
function errorsOf(run: () => string): string {
  try {
    run();
    return '';
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
    return stdout + stderr;
  }
}
