import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from './container/engine.mjs';
import { imageChecks } from './container/image-checks.mjs';
import { serviceChecks } from './container/service-checks.mjs';

const USAGE = `Usage: npm run container-test

Builds the container image and runs it as production should: read-only, without capabilities, with a memory limit.
CONTAINER_ENGINE=docker or podman says what to use. Where no Docker answers, root gets a Podman in a temporary
folder and a stand-in for the Node image, from Debian's and npm's packages. Linux only: the containers use the
machine's own network.
`;

/** Builds, checks, cleans up. Gives the exit code. */
async function main() {
  // The stand-ins' own process is not what is tested.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const container = `session-binding-test-${process.pid}`;
  const image = `agentcore-session-binding:container-test-${process.pid}`;
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interruption.abort());
  const { signal } = interruption;

  const folder = mkdtempSync(join(tmpdir(), 'container-test-'));
  const counts = { passed: 0, failed: 0 };
  let engine;
  let service;
  try {
    engine = await openEngine({ folder, signal, print });
    print(`building the image with ${engine.name}`);
    const build = ['build', ...engine.buildFlags, `--build-arg=VERSION=${version}`, `--tag=${image}`];
    await engine.command([...build, process.cwd()], { seconds: 900 });
    await judge(imageChecks({ engine, image, version }), counts, signal);
    service = await serviceChecks({ engine, image, container, folder, port: await freePort() });
    await judge(service.checks, counts, signal);
  } finally {
    // Without the signal that may have ended the rest.
    const always = { mayFail: true, signal: undefined };
    await engine?.command(['rm', '--force', container], always);
    await service?.close();
    await engine?.command(['rmi', '--force', image], always);
    await engine?.close();
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  return counts.failed === 0 ? 0 : 1;
}

/** One line a check. The later ones go on after a failure: they say more about it. */
async function judge(checks, counts, signal) {
  for (const { title, run } of checks) {
    try {
      const figure = await run();
      counts.passed += 1;
      process.stdout.write(`  ✓ ${title}${figure === undefined ? '' : ` (${figure})`}\n`);
    } catch (error) {
      signal.throwIfAborted();
      counts.failed += 1;
      process.stdout.write(`  ✗ ${title}\n      ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

function print(text) {
  process.stdout.write(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${text}\n`);
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

if (process.argv.length > 2) {
  process.stdout.write(USAGE);
  process.exitCode = process.argv[2] === '--help' ? 0 : 2;
} else {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`container-test: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
