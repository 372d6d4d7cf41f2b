import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { type BuiltService, CLIENT_ID, startBuiltService } from '../support/built-service.ts';
import { consent } from '../support/consent.ts';
import { describeWithProgram, findProgram } from '../support/find-program.ts';
import { type Block, blocksIn, readPage, ROOT } from './blocks.ts';

const run = promisify(execFile);

/** Not run here, and why. Every other block of commands is, from its first line to its last. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'docs/container.md: cd deploy': 'test/deploy/compose.test.ts runs it, in a folder of its own',
  'examples/README.md: export AWS_REGION=eu-central-1 WORKLOAD=sales-agent PROVIDER=github':
    'test/examples/examples.test.ts runs that program, with somebody who consents',
};

/** What cannot be had here; stand-ins write down what they are asked. */
const FOREIGN = ['npm', 'docker', 'kubectl', 'aws'];

describeWithProgram(findProgram('curl'), 'curl is not installed', 'the commands of the documentation', () => {
  it('run as they stand there: ours against the emulator and the service, foreign ones as far as they name files of ours', async () => {
    const service = await startBuiltService({ SINGLE_USER: 'true' });
    const { asked, env } = await surroundings(service);
    const blocks = blocksIn('sh').filter(({ place }) => ELSEWHERE[place] === undefined);
    expect(blocks.length).toBeGreaterThan(12);

    const runBlock = async ({ place, text }: Block) => {
      // Only where the service is differs.
      const commands = text.replaceAll(
        /https:\/\/binding\.example\.com(?=\/\S)|http:\/\/localhost:9090/g,
        service.url,
      );
      const end = await run('bash', ['--norc', '-euo', 'pipefail', '-c', commands], { cwd: ROOT, env }).catch(
        (error: { readonly stdout: string; readonly message: string }) => error,
      );
      const refusal = /"code":"\w+"/.exec(end.stdout)?.[0];
      return 'message' in end ? [[place, end.message]] : refusal === undefined ? [] : [[place, refusal]];
    };
    expect((await Promise.all(blocks.map(runBlock))).flat()).toEqual([]);

    const foreign = asked();
    const scripts = Object.keys(
      (JSON.parse(readPage('package.json')) as { readonly scripts: object }).scripts,
    );
    const named = foreign.flatMap(
      (line) => /^npm (?:run )?(?!ci|pack|install)([\w-]+)/.exec(line)?.[1] ?? [],
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
    const files = foreign.flatMap((line) => line.match(/(?<=\s|\()(?:deploy|docs|examples)\/\S+/g) ?? []);
    expect(files).toContain('deploy/ecs-store.yaml');
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  it('that are run elsewhere are there', () => {
    const places = blocksIn('sh').map(({ place }) => place);
    expect(Object.keys(ELSEWHERE).filter((place) => !places.includes(place))).toEqual([]);
  });
});

/** A shell's environment: stand-ins for foreign programs, a user token, and a flow of that user that is bound. */
async function surroundings({ agent, agentcore, issuer, url, env }: BuiltService) {
  const folder = mkdtempSync(join(tmpdir(), 'documented-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const asked = join(folder, 'asked');
  for (const program of FOREIGN) {
    const path = join(folder, program);
    writeFileSync(path, `#!/bin/bash\necho "${program} $*" >> '${asked}'\n`);
    chmodSync(path, 0o755);
  }
  for (const workload of ['my_agent-AbCdEfGhIj', 'sales-agent']) agentcore.workloads.put(workload, []);

  const userToken = await issuer.accessToken({
    subject: 'sub-of-alice',
    username: 'alice',
    clientId: CLIENT_ID,
  });
  const flow = await agent.open(userToken);
  const browser = new Browser();
  await browser.postJson(`${url}/userIdentifier/token`, url, {
    user_token: userToken,
    session_uri: flow.sessionUri,
  });
  expect((await browser.open(await consent(flow))).status).toBe(200);

  // A single user's settings, without what a block sets by itself.
  const { SESSION_SECRET: _secret, STORE_URL: _store, PUBLIC_URL: _url, ...settings } = env;
  return {
    asked: () => readFileSync(asked, 'utf8').trim().split('\n'),
    env: {
      ...settings,
      PATH: [folder, process.env['PATH'] ?? ''].join(delimiter),
      HOME: folder,
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL: agentcore.endpoint,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      RUNTIME_ENVIRONMENT: 'local',
      USER_TOKEN: userToken,
      SESSION_URI: flow.sessionUri,
    },
  };
}
