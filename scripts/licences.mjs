// npm run licences: what is shipped, by licence, from the lockfile. Fails on one that docs/supply-chain.md does not allow.
import { readFileSync } from 'node:fs';

const ALLOWED = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT']);

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const shipped = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
const byLicence = group(shipped);
for (const [licence, members] of [...byLicence].toSorted(([a], [b]) => a.localeCompare(b))) {
  process.stdout.write(`${licence} (${members.length})\n`);
  for (const [path, { version }] of members) {
    process.stdout.write(`  ${path.slice(path.lastIndexOf('node_modules/') + 13)} ${version}\n`);
  }
}
const refused = [...byLicence.keys()].filter((licence) => !ALLOWED.has(licence));
if (refused.length > 0) process.stderr.write(`not allowed: ${refused.join(', ')}\n`);
process.exitCode = refused.length === 0 ? 0 : 1;

function group(entries) {
  const groups = new Map();
  for (const entry of entries) {
    const licence = entry[1].license ?? 'none stated';
    groups.set(licence, [...(groups.get(licence) ?? []), entry]);
  }
  return groups;
}
