import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

/** Where on `PATH` that program is, if anywhere. */
export function findProgram(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * A suite that needs a program which npm does not install. Where it is missing the suite says loudly that it did not
 * run, and fails where CI is set: what was not tried must not look as if it had passed.
 */
export function describeWithProgram(
  program: string | undefined,
  missing: string,
  name: string,
  suite: () => void,
): void {
  if (program !== undefined) {
    describe(name, suite);
    return;
  }
  const notice = `NOT RUN, ${missing}: ${name}`;
  describe(name, () => {
    it(`did not run: ${missing}`, () => {
      process.stderr.write(`\n*** ${notice}\n`);
      if (process.env['CI'] === 'true') throw new Error(notice);
    });
  });
}
