import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Before the first test: `dist/` as it is shipped, so that no test meets a build of yesterday's sources. */
export function setup(): void {
  const sources = readdirSync(`${ROOT}/src`, { recursive: true, encoding: 'utf8' }).map(
    (path) => `src/${path}`,
  );
  const newestMs = Math.max(
    ...['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json', ...sources].map(changedMs),
  );
  if (changedMs('dist/cli.js') > newestMs) return;
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Folders count too: a file that was deleted changes its folder. */
function changedMs(path: string): number {
  return statSync(`${ROOT}/${path}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
