import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { BUILT_COMMAND, follow, type RunningCommand } from '../support/built-command.ts';
import { type BuiltService, CLIENT_ID, startBuiltService } from '../support/built-service.ts';
import { consent } from '../support/consent.ts';
import { describeWithProgram, findProgram } from '../support/find-program.ts';
import { RESOURCE_METADATA, SPACE_URL, startSageMaker } from '../support/sagemaker.ts';
import { until } from '../support/until.ts';

const PYTHON = findProgram('python3');
const FOLDER = fileURLToPath(new URL('../../clients/python', import.meta.url));

function python(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCommand {
  const common = { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1' };
  return follow(spawn(PYTHON ?? '', args, { cwd: FOLDER, env: { ...common, ...env } }));
}

/** A flow that this user has pinned in his browser, and how it goes on once he has decided. */
async function pinnedFlow({ agent, url }: BuiltService, token: string) {
  const flow = await agent.open(token);
  const browser = new Browser();
  const pin = { user_token: token, session_uri: flow.sessionUri };
  const { status } = await browser.postJson(`${url}/userIdentifier/token`, url, pin);
  expect(status).toBe(200);
  return {
    ...flow,
    decide: async (decision: 'allow' | 'deny') => browser.open(await consent(flow, decision)),
  };
}

describeWithProgram(PYTHON, 'python3 is not installed', 'the Python module', () => {
  it('passes its own tests, alone and against the running service', async () => {
    const service = await startBuiltService({ SINGLE_USER: 'false' });
    const tokenOf = (username: string) =>
      service.issuer.accessToken({ subject: `sub-of-${username}`, username, clientId: CLIENT_ID });
    const alice = await tokenOf('alice');
    const [completed, denied, open, late, unpinned] = await Promise.all([
      pinnedFlow(service, alice),
      pinnedFlow(service, alice),
      pinnedFlow(service, alice),
      pinnedFlow(service, alice),
      service.agent.open(alice),
    ]);
    const foreign = await pinnedFlow(service, await tokenOf('bob'));
    expect((await completed.decide('allow')).status).toBe(200);
    expect((await denied.decide('deny')).status).toBe(403);

    const flows = { completed, denied, open, late, foreign };
    const trial = {
      user_token: alice,
      callback_url: `${service.url}/oauth2/callback`,
      start_url_prefix: `${service.url}/oauth2/start?flow=`,
      authorization_url: unpinned.authorizationUrl,
      flows: Object.fromEntries(Object.entries(flows).map(([name, { sessionUri }]) => [name, sessionUri])),
    };
    const tests = python(['-m', 'unittest', '-v'], {
      AGENTCORE_SESSION_BINDING_URL: service.url,
      SESSION_BINDING_TRIAL: JSON.stringify(trial),
    });
    await until(
      'the test that waits',
      () => tests.stdout().includes('waiting') || tests.hasEnded() || undefined,
    );
    expect((await late.decide('allow')).status).toBe(200);

    const { code, stderr } = await tests.ended;
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stderr).toMatch(/^Ran (?:[3-9]\d) tests/m);
    expect(stderr).not.toContain('skipped');
  });

  it('says in SageMaker Studio what the command says', async () => {
    const sagemaker = await startSageMaker();
    const folder = mkdtempSync(join(tmpdir(), 'studio-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'metadata.json'), JSON.stringify(RESOURCE_METADATA));
    // What npm makes of the package's `bin`.
    const command = `#!/bin/sh\nexec '${process.execPath}' '${BUILT_COMMAND}' "$@"\n`;
    writeFileSync(join(folder, 'agentcore-session-binding'), command, { mode: 0o755 });
    const code = 'import agentcore_session_binding as b; print(b.get_oauth2_callback_url())';
    const told = await python(['-c', code], {
      PATH: [folder, process.env['PATH']].join(delimiter),
      SAGEMAKER_METADATA_FILE: join(folder, 'metadata.json'),
      AWS_ENDPOINT_URL_SAGEMAKER: sagemaker.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIDTEST',
      AWS_SECRET_ACCESS_KEY: 'test',
    }).ended;
    expect(told).toMatchObject({ code: 0, stdout: `${SPACE_URL}/proxy/9090/oauth2/callback\n` });
    expect(sagemaker.calls).toHaveLength(1);
  });
});
