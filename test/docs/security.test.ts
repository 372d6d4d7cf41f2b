import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(`${ROOT}/${path}`, 'utf8');

interface Control {
  readonly id: string;
  readonly text: string;
}

const CONTROLS: readonly Control[] = read('SECURITY.md')
  .split(/^### (?=SB-)/m)
  .slice(1)
  .map((text) => ({ id: text.slice(0, 5), text }));

/** Titles of tests that carry the id of a control, by file. */
const TITLES = readdirSync(`${ROOT}/test`, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path: `test/${path}`, titles: titlesIn(read(`test/${path}`)) }));

function titlesIn(source: string): readonly string[] {
  const literals = source.matchAll(
    /(?<quote>['"`])(?<title>(?:(?!\k<quote>)[^\n])*\[SB-\d\d\](?:(?!\k<quote>)[^\n])*)\k<quote>/g,
  );
  return [...literals].map(({ groups }) => groups?.['title'] ?? '');
}

function titlesOf(id: string, path?: string): readonly string[] {
  const files = path === undefined ? TITLES : TITLES.filter((file) => file.path === path);
  return files.flatMap(({ titles }) => titles).filter((title) => title.includes(`[${id}]`));
}

describe('SECURITY.md', () => {
  it('has every control once, in order', () => {
    const ids = Array.from({ length: 35 }, (_, index) => `SB-${String(index + 1).padStart(2, '0')}`);
    expect(CONTROLS.map(({ id }) => id)).toEqual(ids);
  });

  it('links to nothing that is not there', () => {
    const links = [...read('SECURITY.md').matchAll(/\]\((?!https:)([^)#]+)\)/g)].map(([, path = '']) => path);
    expect(links.filter((path) => !existsSync(`${ROOT}/${path}`))).toEqual([]);
  });

  it('has a control for every id that a test carries', () => {
    const known = new Set(CONTROLS.map(({ id }) => id));
    const carried = TITLES.flatMap(({ titles }) => titles).flatMap((title) => title.match(/SB-\d\d/g) ?? []);
    expect(carried.filter((id) => !known.has(id))).toEqual([]);
  });
});

describe.each(CONTROLS)('$id', ({ id, text }) => {
  const isAbsent = text.includes('**Not in this version:**');

  it('says what was decided, or that it is not there', () => {
    const parts = ['**Decision:**', '**Code:**', '**Evidence:**'].filter((part) => text.includes(part));
    expect(parts).toHaveLength(isAbsent ? 0 : 3);
  });

  it('names code that exists', () => {
    const code = /^- \*\*Code:\*\* (.*)$/m.exec(text)?.[1] ?? '';
    const paths = [...code.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path);
    expect(paths.length > 0).toBe(!isAbsent);
    expect(paths.filter((path) => !existsSync(`${ROOT}/${path}`))).toEqual([]);
  });

  it('names evidence that exists', () => {
    const named = [...text.matchAll(/`(test\/[^`]+)` “([^”]+)”/g)];
    const missing = named.filter(
      ([, path = '', title = '']) => !titlesOf(id, path).some((found) => found.includes(title)),
    );
    expect(missing.map(([line]) => line)).toEqual([]);
    const command = /command: `npm run ([^`]+)`/.exec(text)?.[1];
    expect(named.length > 0 || command !== undefined, 'an example, or a command').toBe(!isAbsent);
    if (text.includes(`tests named \`[${id}]\``)) expect(titlesOf(id).length).toBeGreaterThan(0);
    else if (command !== undefined)
      expect(JSON.parse(read('package.json'))).toHaveProperty(['scripts', command]);
    else expect(isAbsent).toBe(true);
  });
});
