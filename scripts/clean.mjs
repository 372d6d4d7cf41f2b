// Removes the folder named on the command line, so that a build never carries a file its sources lost.
import { rmSync } from 'node:fs';

const folder = process.argv[2];
if (folder !== 'dist') throw new Error('usage: node scripts/clean.mjs dist');
rmSync(new URL(`../${folder}`, import.meta.url), { recursive: true, force: true });
