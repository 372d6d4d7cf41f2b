import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Before the first test: `dist/` as it is shipped, so that no test meets a build of yesterday's sources. */
export function setup(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}
