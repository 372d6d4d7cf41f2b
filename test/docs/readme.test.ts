import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { OUTCOMES } from '../../src/pages/outcomes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(`${ROOT}/README.md`, 'utf8');

/** The cells of every row of every table. */
const ROWS = readme
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );

describe('the README', () => {
  it('lists every code, with its status and what its page says (npm run settings-table writes it)', () => {
    const told = ROWS.filter(
      ([code = '', status = '']) => /^`[a-z_]+`$/.test(code) && /^\d{3}$/.test(status),
    );
    const codes = Object.entries(OUTCOMES).map(([code, { status, title }]) => [
      `\`${code}\``,
      String(status),
      title,
    ]);
    expect(told).toEqual(codes);
  });

  it('tells people what their pages tell them', () => {
    const titles = new Map(Object.entries(OUTCOMES).map(([code, { title }]) => [`\`${code}\``, title]));
    const told = ROWS.filter(([, , code = '']) => titles.has(code));
    expect(told.length).toBeGreaterThan(5);
    const wrong = told.filter(
      ([, sees = '', code = '']) =>
        !sees.startsWith(titles.get(code) ?? '?') && sees !== 'You are already connected',
    );
    expect(wrong).toEqual([]);
  });

  it('links to nothing that is not there', () => {
    const links = [...readme.matchAll(/\]\((?!https:)([^)#]+)\)/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(3);
    expect(links.filter((path) => !existsSync(`${ROOT}/${path}`))).toEqual([]);
  });

  it('names scripts that exist', () => {
    const manifest: unknown = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8'));
    const named = new Set([...readme.matchAll(/npm run ([a-z-]+)/g)].map(([, name = '']) => name));
    for (const name of named) expect(manifest).toHaveProperty(['scripts', name]);
  });
});
