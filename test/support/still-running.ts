import type { Reporter, TestModule } from 'vitest/node';

const EVERY_MS = 120_000;

/**
 * Names, every two minutes, the test files that run then. A worker that is stuck in synchronous code is beyond any
 * test's time limit: the report would end in silence, and nobody would know which file it was.
 */
export function namesWhatStillRuns(): Reporter {
  const running = new Set<TestModule>();
  let timer: NodeJS.Timeout | undefined;
  return {
    onTestRunStart() {
      timer = setInterval(() => {
        for (const { relativeModuleId } of running)
          process.stdout.write(` … ${relativeModuleId} is still running\n`);
      }, EVERY_MS);
      timer.unref();
    },
    onTestModuleStart: (module) => void running.add(module),
    onTestModuleEnd: (module) => void running.delete(module),
    onTestRunEnd: () => clearInterval(timer),
  };
}
