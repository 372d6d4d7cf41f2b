import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { BUILT_COMMAND, follow, type RunningCommand } from '../support/built-command.ts';
import { describeWithProgram, findProgram } from '../support/find-program.ts';
import { RESOURCE_METADATA, SPACE_URL, startSageMaker } from '../support/sagemaker.ts';

const PYTHON = findProgram('python3');
const FOLDER = fileURLToPath(new URL('../../clients/python', import.meta.url));

function python(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCommand {
  const common = { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1' };
  return follow(spawn(PYTHON ?? '', args, { cwd: FOLDER, env: { ...common, ...env } }));
}

describeWithProgram(PYTHON, 'python3 is not installed', 'the Python module', () => {
  it('passes its own tests', async () => {
    const { code, stderr } = await python(['-m', 'unittest', '-v']).ended;
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stderr).toMatch(/^Ran (?:[3-9]\d) tests/m);
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
