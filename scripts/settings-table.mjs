// Writes the table of settings into README.md. Needs a build: npm run build && node scripts/settings-table.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { replaceSettingsTable } from '../dist/env/settings-table.js';

const readme = new URL('../README.md', import.meta.url);
writeFileSync(readme, replaceSettingsTable(readFileSync(readme, 'utf8')));
