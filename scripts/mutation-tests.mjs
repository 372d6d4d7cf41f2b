// The child of scripts/mutation.mjs: one vitest for all mutants, in which only the changed file is read anew.
import { join } from 'node:path';
import { createVitest } from 'vitest/node';

const root = process.cwd();
/** Every file that was ever changed: what was restored since must be read again, too. */
const changedFiles = new Set();
const beat = () => process.send('beat');
const vitest = await createVitest('test', {
  root,
  config: false,
  watch: false,
  include: ['test/**/*.test.ts'],
  pool: 'threads',
  isolate: false,
  maxWorkers: 1,
  bail: 1,
  testTimeout: 30_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 10_000 } },
  env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  sequence: { sequencer: AsGiven },
  reporters: [{ onTestModuleCollected: beat, onTestCaseResult: beat }],
});
await vitest.standalone();
process.on('message', ({ changed, tests }) => void answer(changed, tests));
process.on('disconnect', () => process.exit());

async function answer(changed, tests) {
  changedFiles.add(changed);
  for (const path of changedFiles) vitest.invalidateFile(join(root, path));
  // What earlier runs left behind would be told again.
  vitest.state.clearFiles(vitest.projects[0], vitest.state.getFilepaths());
  const [project] = vitest.projects;
  const specifications = tests.map((path) => project.createSpecification(join(root, path)));
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  const modules = testModules.map((module) => ({
    path: module.moduleId.slice(root.length + 1),
    state: module.state(),
    durationMs: module.diagnostic().duration,
  }));
  process.send({ modules, hasOtherErrors: unhandledErrors.length > 0 });
}

/** Vitest would rather begin with the long ones. */
function AsGiven() {
  return { sort: (files) => files, shard: (files) => files };
}
