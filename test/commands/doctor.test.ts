import { describe, expect, it } from 'vitest';
import { runCommand } from '../support/built-command.ts';
import { startSurroundings } from '../support/built-service.ts';
import { freePort } from '../support/free-port.ts';

const WORKLOAD = 'my_agent-AbCdEfGhIj';

describe('doctor', () => {
  it('finds nothing wrong where nothing is, and says so without colours [SB-29]', async () => {
    const { env, url, agentcore } = await startSurroundings();
    agentcore.workloads.put(WORKLOAD, [`${url}/oauth2/callback`]);
    const AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL = agentcore.endpoint;
    const { code, stdout } = await runCommand(['doctor', '--workload', WORKLOAD], {
      ...env,
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL,
    });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(':')[0])).toEqual(
      [
        'public URL',
        'cookie',
        'clock',
        'discovery',
        'keys',
        'region',
        'AWS credentials',
        'return URL',
        'store',
      ].map((what) => `✓ ${what}`),
    );
    expect(code).toBe(0);
  });

  it('names each fault on one line with its fix, and exits 1', async () => {
    const { env, agentcore } = await startSurroundings();
    agentcore.workloads.put(WORKLOAD, []);
    const dead = `http://127.0.0.1:${await freePort()}`;
    const { code, stdout } = await runCommand(['doctor', '--workload', WORKLOAD], {
      ...env,
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL: agentcore.endpoint,
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: dead,
      JWT_DISCOVERY_URL: `${dead}/.well-known/openid-configuration`,
      STORE_URL: dead.replace('http', 'redis'),
      ALLOWED_ORIGINS: 'https://app.example.com',
    });
    expect(code).toBe(1);
    for (const [what, fix] of [
      ['cookie', 'serve both below one domain'],
      ['discovery', 'check JWT_DISCOVERY_URL'],
      ['region', 'check AWS_REGION'],
      ['return URL', `run register --workload ${WORKLOAD}`],
      ['store', 'ECONNREFUSED; check STORE_URL'],
    ]) {
      expect(stdout).toMatch(new RegExp(`^✗ ${what}: [^\\n]*${fix}`, 'm'));
    }
  });
});
