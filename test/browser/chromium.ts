import { accessSync, constants } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { beforeAll, describe, it } from 'vitest';
const PROGRAM = '/usr/bin/chromium';

function isInstalled(): boolean {
  try {
    accessSync(PROGRAM, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * A suite in a real browser. Where none is installed it says loudly that it did not run, and fails where CI is set: what
 * was not tried must not look as if it had passed.
 */
export function describeWithChromium(name: string, suite: (browser: () => Browser) => void): void {
  if (!isInstalled()) {
    const notice = `NOT RUN, ${PROGRAM} is not installed: ${name}`;
    describe(name, () => {
      it(`did not run: ${PROGRAM} is not installed`, () => {
        process.stderr.write(`\n*** ${notice}\n`);
        if (process.env['CI'] === 'true') throw new Error(notice);
      });
    });
    return;
  }
  describe(name, () => {
    let browser: Browser | undefined;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox'] });
      return () => browser?.close();
    });
    suite(() => {
      if (browser === undefined) throw new Error('the browser is there while tests run');
      return browser;
    });
  });
}
