import { defineConfig } from 'vitest/config';
import { namesWhatStillRuns } from './test/support/still-running.ts';

// `.ci/run` reads the counts from here; a person needs only the default report.
const report = process.env['TEST_REPORT'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The command is tested as it is shipped. Built once, here, and not by two workers into one folder.
    globalSetup: 'test/support/build.ts',
    // Real sockets and real processes: a stuck one must fail the test, not hang the run; a busy machine is no failure.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Nor is a process that such a machine held up at the wrong moment; what is wrong fails twice. At home it fails at once.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    expect: { poll: { timeout: 10_000 } },
    // Half of the time they wait for processes and clocks: one more than the two cores of a small machine.
    maxWorkers: 3,
    // A paragraph about Node versions in the middle of the report; `serve` itself still says it.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    reporters:
      report === undefined
        ? ['default']
        : ['default', ['json', { outputFile: report }], namesWhatStillRuns()],
  },
});
