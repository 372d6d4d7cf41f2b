import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from '../../dist/demo/agent.js';
import { SCENES, subjectOf } from '../../dist/demo/scenes.js';
import { startAgentCore } from '../../dist/emulator/agentcore.js';
import { startIssuer } from '../../dist/emulator/issuer.js';
import { holdAnswers } from './hold-answers.mjs';
import { expect, LOCKED } from './image-checks.mjs';

const CLIENT_ID = 'container-test';
/** What docs/container.md says to give it. */
const MEMORY_BYTES = 256 * 1024 * 1024;
const READY_WITHIN_MS = 30_000;
const DRAIN_SECONDS = 2;
/** Nothing is in flight, so it ends when it has drained; the rest is the engine's share on a busy machine. */
const STOPPED_WITHIN_MS = DRAIN_SECONDS * 1000 + 8_000;

/**
 * How the service runs in the container, against an issuer and a stand-in of AgentCore outside it.
 *
 * @returns {Promise<{ checks: readonly import('./image-checks.mjs').Check[], close: () => Promise<void> }>}
 */
export async function serviceChecks({ engine, image, container, port, folder }) {
  const [issuer, agentcore] = await Promise.all([startIssuer(), startAgentCore()]);
  const url = `http://localhost:${port}`;
  const returnUrl = `${url}/oauth2/callback`;
  agentcore.returnUrls.add(returnUrl);
  const agent = new Agent({ endpoint: agentcore.endpoint, returnUrl });
  const stage = { url, agentcore, issuer, agent, clientId: CLIENT_ID };

  const settings = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDTEST',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: agentcore.endpoint,
    // The container shares this machine's network: nobody outside it shall reach the test.
    HOST: '127.0.0.1',
    PORT: String(port),
    PUBLIC_URL: url,
    JWT_DISCOVERY_URL: issuer.discoveryUrl,
    JWT_ALLOWED_CLIENTS: CLIENT_ID,
    SESSION_SECRET: randomBytes(32).toString('base64url'),
    STORE_URL: 'memory:?replicas=1',
    DRAIN_SECONDS: String(DRAIN_SECONDS),
  };
  const environment = Object.entries(settings).map(([name, value]) => `--env=${name}=${value}`);
  const hardened = [...LOCKED, ...engine.runFlags, `--memory=${MEMORY_BYTES}`];
  // An empty folder over the one that holds the shell and every tool: the service needs none of them.
  const nothing = mkdtempSync(join(folder, 'nothing-'));
  const withoutTools = [`--volume=${nothing}:/usr/bin:ro`];
  const once = (...args) => engine.command(['run', '--rm', ...hardened, ...args], { mayFail: true });
  const ask = async (code) => JSON.parse((await inside('node', '-e', code)).stdout);
  const inside = (...args) => engine.command(['exec', container, ...args], { mayFail: true });
  const inspect = async () =>
    JSON.parse((await engine.command(['container', 'inspect', container])).stdout)[0];
  const healthCheck = async () => (await inspect()).Config.Healthcheck.Test.slice(1);

  let held;
  const checks = [
    {
      title: '`check` accepts a good configuration and lists what is wrong with none',
      async run() {
        const good = await once(...environment, image, 'check');
        expect(good.code === 0 && good.stdout.includes('JWT_DISCOVERY_URL'), good.stderr);
        const none = await once(image, 'check');
        expect(none.code === 78 && none.stderr.includes('SESSION_SECRET'), `${none.code}: ${none.stderr}`);
      },
    },
    {
      title: 'serves without capabilities, without a place to write, without a shell',
      async run() {
        const startedMs = performance.now();
        const detached = ['run', '--detach', `--name=${container}`];
        await engine.command([...detached, ...hardened, ...withoutTools, ...environment, image]);
        await untilReady(url, () => engine.command(['logs', container]));
        const shell = await inside('sh', '-c', 'true');
        expect(shell.code !== 0, 'there is a shell');
        return `ready after ${Math.round(performance.now() - startedMs)} ms`;
      },
    },
    {
      title: 'is process 1, not root, with no capabilities and none to gain',
      async run() {
        const [status, command] = await ask(`
          const read = (name) => require('node:fs').readFileSync('/proc/1/' + name, 'utf8');
          console.log(JSON.stringify([read('status'), read('cmdline').split('\\0')]))`);
        const field = (name) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
        expect(command[0] === 'node' && command[2] === 'serve', `process 1 is ${command.join(' ')}`);
        for (const ids of [field('Uid'), field('Gid')]) {
          expect(/^(?:[1-9][0-9]*\s*){4}$/.test(ids), `its ids are ${ids}`);
        }
        for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
          expect(/^0+$/.test(field(set)), `${set} is ${field(set)}`);
        }
        expect(field('NoNewPrivs') === '1', 'it may gain privileges');
        return `uid ${field('Uid').split(/\s/)[0]}`;
      },
    },
    {
      title: 'can write nowhere: the file system is read-only',
      async run() {
        const answers = await ask(`
          const fs = require('node:fs');
          const folders = ['/', '/app', '/app/dist', '/etc', '/home', '/run', '/tmp', '/usr/local/bin', '/var/tmp'];
          console.log(JSON.stringify(folders.map((folder) => {
            try { fs.writeFileSync(folder + '/written', ''); return folder + ' was written'; }
            catch (error) { return error.code; }
          })))`);
        expect(new Set(answers).size === 1 && answers[0] === 'EROFS', answers.join(' '));
      },
    },
    {
      title: 'comes to every ending of the demo: page, owner, calls of AgentCore',
      async run() {
        held = holdAnswers(port);
        for (const scene of SCENES) {
          const before = agentcore.completeCalls;
          const { page, flow } = await scene.play(stage);
          agentcore.faults.clear();
          const owner = agentcore.vaultOwnerOf(flow.sessionUri)?.subject;
          const ended = JSON.stringify([page.status, owner, agentcore.completeCalls - before]);
          const expectedOwner = scene.vault && subjectOf(scene.vault);
          const right = JSON.stringify([scene.verdict[0], expectedOwner, scene.calls]);
          expect(ended === right, `"${scene.title}" ended with ${ended}, not ${right}`);
        }
        return `${SCENES.length} endings`;
      },
    },
    {
      title: 'answers there as docs/openapi.json describes',
      async run() {
        expect(held.count > SCENES.length, `only ${held.count} answers were seen`);
        expect(held.undescribed.size === 0, [...held.undescribed].join('; '));
        return `${held.count} answers`;
      },
    },
    {
      title: 'knows its memory limit, and is far from it',
      async run() {
        const [limit, resident] = await ask(`
          const fs = require('node:fs');
          const limit = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'].find(fs.existsSync);
          const resident = /VmRSS:\\s*(\\d+)/.exec(fs.readFileSync('/proc/1/status', 'utf8'))[1] * 1024;
          console.log(JSON.stringify([Number(fs.readFileSync(limit, 'utf8')), resident]))`);
        expect(limit === MEMORY_BYTES, `the limit is ${limit}`);
        expect(resident < 0.6 * limit, `it takes ${resident} bytes`);
        return `${Math.round(resident / 1e6)} of ${Math.round(limit / 1e6)} MB after the demo`;
      },
    },
    {
      title: 'the image’s health check succeeds while it serves',
      async run() {
        const startedMs = performance.now();
        const { code, stderr } = await inside(...(await healthCheck()));
        expect(code === 0, `exit code ${code}: ${stderr}`);
        return `${Math.round(performance.now() - startedMs)} ms with the engine's own share`;
      },
    },
    {
      title: '… fails while it hangs, and succeeds again afterwards',
      async run() {
        await engine.command(['kill', '--signal=STOP', container]);
        const hanging = await inside(...(await healthCheck()));
        await engine.command(['kill', '--signal=CONT', container]);
        expect(hanging.code === 1, `exit code ${hanging.code}`);
        const again = await inside(...(await healthCheck()));
        expect(again.code === 0, `exit code ${again.code} afterwards`);
      },
    },
    {
      title: 'SIGTERM: it drains while it still serves, and ends with exit code 0',
      async run() {
        const startedMs = performance.now();
        const stop = engine.command(['stop', '-t', '30', container]);
        const [answers] = await Promise.all([drained(url), stop]);
        const seconds = (performance.now() - startedMs) / 1000;
        expect(answers === 'ready 503 draining, ping 200', answers);
        const { ExitCode: code } = (await inspect()).State;
        expect(code === 0, `exit code ${code}`);
        expect(seconds * 1000 < STOPPED_WITHIN_MS, `it took ${seconds.toFixed(1)} s`);
        return `${seconds.toFixed(1)} s, of which ${DRAIN_SECONDS} s draining`;
      },
    },
    {
      title: '… and the health check fails where nothing serves',
      async run() {
        const [program, ...args] = await healthCheck();
        const { code } = await once(...environment, `--entrypoint=${program}`, image, ...args);
        expect(code === 1, `exit code ${code}`);
      },
    },
    {
      title: 'the kernel ends what takes more than the memory limit',
      async run() {
        const hog = 'const taken = []; for (;;) taken.push(Buffer.alloc(8 << 20, 1));';
        const { code } = await once('--entrypoint=node', image, '-e', hog);
        expect(code === 137, `exit code ${code}`);
      },
    },
  ];

  return {
    checks,
    async close() {
      agent.close();
      await Promise.all([issuer.close(), agentcore.close()]);
    },
  };
}

async function untilReady(url, log) {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadlineMs) {
    if ((await answerOf(`${url}/ready`))?.status === 200) return;
    await sleep(100);
  }
  const { stdout, stderr } = await log();
  throw new Error(`not ready after ${READY_WITHIN_MS / 1000} s:\n${stdout}${stderr}`);
}

/** What the service says of itself once SIGTERM has reached it, or that it never did. */
async function drained(url) {
  for (;;) {
    const ready = await answerOf(`${url}/ready`);
    if (ready === undefined) return 'it refused connections at once';
    if (ready.status === 503) {
      const { status } = await ready.json();
      return `ready 503 ${status}, ping ${(await answerOf(`${url}/ping`))?.status}`;
    }
    await sleep(100);
  }
}

function answerOf(url) {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
}
