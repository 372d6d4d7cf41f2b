import { describe, expect, it } from 'vitest';
import { OUTCOMES } from '../../src/pages/outcomes.ts';
import { PAGES, readPage } from './blocks.ts';

/** The cells of every row of every table of a page. */
function rowsOf(page: string): readonly (readonly string[])[] {
  return readPage(page)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
}

describe('docs/pages.md', () => {
  const rows = rowsOf('docs/pages.md');

  it('lists every code, with its status and what its page says (npm run settings-table writes it)', () => {
    const told = rows.filter(
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
    const told = rows.filter(([, , code = '']) => titles.has(code));
    expect(told.length).toBeGreaterThan(5);
    const wrong = told.filter(
      ([, sees = '', code = '']) =>
        !sees.startsWith(titles.get(code) ?? '?') && sees !== 'You are already connected',
    );
    expect(wrong).toEqual([]);
  });
});

describe('docs/operations.md', () => {
  it('says of every code what it means for whoever runs the service', () => {
    const told = rowsOf('docs/operations.md').flatMap(([first = '', words = '']) => {
      const code = /^`([a-z_]+)`$/.exec(first)?.[1];
      return code !== undefined && words.length > 20 ? [code] : [];
    });
    expect(told).toEqual(Object.keys(OUTCOMES));
  });
});

describe('the documentation', () => {
  it('names scripts that exist', () => {
    const manifest: unknown = JSON.parse(readPage('package.json'));
    const named = PAGES.flatMap(
      (page) => readPage(page).match(/(?<=npm run (?:--silent )?)[a-z][a-z-]*/g) ?? [],
    );
    expect(named.length).toBeGreaterThan(10);
    for (const name of new Set(named)) expect(manifest).toHaveProperty(['scripts', name]);
  });

  it('quotes titles of pages that there are', () => {
    const titles = Object.values(OUTCOMES).map(({ title }) => title);
    const quoted = [...readPage('docs/troubleshooting.md').matchAll(/^\*\*"([A-Z][^"]+)"\*\*/gm)].map(
      ([, words = '']) => words,
    );
    const ofAws = [
      'Invalid or expired session',
      'You must register and use at least one ResourceOauth2ReturnUrl',
    ];
    expect(quoted.length).toBeGreaterThan(4);
    expect(quoted.filter((words) => !titles.includes(words) && !ofAws.includes(words))).toEqual([]);
  });
});
