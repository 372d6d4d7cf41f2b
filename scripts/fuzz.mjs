// npm run fuzz -- --minutes N [--seed=S] [--only PART-OF-A-NAME]: tries the properties of test/fuzz for that long. A seed
// and a replay line are printed, and inputs that break something go to test/fuzz/past-failures.json, which is committed.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});

const root = fileURLToPath(new URL('..', import.meta.url));
const child = spawn(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', 'test/fuzz/fuzz.test.ts', '--disable-console-intercept'],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      FUZZ_MINUTES: values.minutes,
      FUZZ_ONLY: values.only,
      ...(values.seed === undefined ? {} : { FUZZ_SEED: values.seed }),
    },
  },
);
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
