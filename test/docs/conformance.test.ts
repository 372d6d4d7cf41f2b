import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/conformance.md', ROOT), 'utf8');

/** Rows of the tables that have an evidence, by the standard above them. */
const ROWS = page
  .split(/^## /m)
  .slice(1)
  .flatMap((part) => {
    const [standard = '', ...lines] = part.split('\n');
    const rows = lines.filter((line) => line.startsWith('|')).slice(2);
    return rows.map((row) => ({
      standard,
      cells: row.split(' | ').map((cell) => cell.replaceAll(/^\| |\|$/g, '').trim()),
    }));
  });

describe('docs/conformance.md', () => {
  it('says of every requirement what shows it, or why there is nothing', () => {
    expect(new Set(ROWS.map(({ standard }) => standard)).size).toBe(5);
    for (const { cells } of ROWS) {
      expect(cells, cells.join(' | ')).toHaveLength(3);
      expect(cells[2], cells[1]).toMatch(
        /`test\/|[Dd]o(?:es)? not (?:apply|rely)|They do not rely|None is implemented|^Not done/,
      );
    }
  });

  it('names tests that exist, by the words in their files', () => {
    for (const { cells } of ROWS) {
      const evidence = cells[2] ?? '';
      const files = [...evidence.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path);
      expect(files.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
      const text = files.map((path) => readFileSync(new URL(path, ROOT), 'utf8')).join('\n');
      const words = [...evidence.matchAll(/“([^”]+)”/g)].map(([, quoted = '']) => quoted);
      expect(words.filter((quoted) => !text.includes(quoted))).toEqual([]);
    }
  });
});
