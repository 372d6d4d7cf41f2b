// Writes the table of settings into README.md, and that of codes into docs/pages.md. Needs a build: npm run settings-table
import { readFileSync, writeFileSync } from 'node:fs';
import { replaceSettingsTable } from '../dist/env/settings-table.js';
import { OUTCOMES } from '../dist/pages/outcomes.js';

const CODES = /(?<=<!-- codes:start -->\n)[^]*(?=<!-- codes:end -->)/;

function codesTable() {
  const rows = [
    ['code', 'HTTP', 'the page says'],
    ...Object.entries(OUTCOMES).map(([code, { status, title }]) => [`\`${code}\``, String(status), title]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = [rows[0], widths.map((width) => '-'.repeat(width)), ...rows.slice(1)].map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |\n`,
  );
  return `\n${lines.join('')}\n`;
}

const readme = new URL('../README.md', import.meta.url);
writeFileSync(readme, replaceSettingsTable(readFileSync(readme, 'utf8')));

const file = new URL('../docs/pages.md', import.meta.url);
const pages = readFileSync(file, 'utf8');
if (!CODES.test(pages))
  throw new Error('docs/pages.md has no block <!-- codes:start --> … <!-- codes:end -->');
writeFileSync(file, pages.replace(CODES, codesTable()));
