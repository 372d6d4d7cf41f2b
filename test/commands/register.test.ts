import { beforeEach, describe, expect, it } from 'vitest';
import { registerReturnUrl, type ReturnUrls } from '../../src/agentcore/return-urls.ts';
import { registerCommand } from '../../src/commands/register.ts';
import { type AgentCoreStandIn, startAgentCore } from '../../src/emulator/agentcore.ts';
import { runInProcess } from '../support/run-in-process.ts';

const NAME = 'my_agent-AbCdEfGhIj';
const URL = 'https://binding.example.com/oauth2/callback';
const OTHER = 'https://other.example.com/callback';

let agentcore: AgentCoreStandIn;

beforeEach(async () => {
  agentcore = await startAgentCore();
  const before = { ...process.env };
  // The SDK reads them itself.
  process.env['AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL'] = agentcore.endpoint;
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDTEST';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
  return async () => {
    process.env = before;
    await agentcore.close();
  };
});

const run = (...args: readonly string[]) =>
  runInProcess(registerCommand, ['--workload', NAME, ...args], {
    AWS_REGION: 'us-east-1',
    RUNTIME_ENVIRONMENT: 'local',
    PUBLIC_URL: 'https://binding.example.com',
  });
const urls = () => agentcore.workloads.get(NAME)?.returnUrls;

describe('register', () => {
  it('adds the callback URL, keeps the others, and changes nothing the second time', async () => {
    agentcore.workloads.put(NAME, [OTHER]);
    const first = await run();
    expect(first).toEqual({
      code: 0,
      stdout: `${URL} is allowed now; all of them:\n  ${OTHER}\n  ${URL}\n`,
      stderr: '',
    });
    expect(urls()).toEqual([OTHER, URL]);
    expect(await run()).toEqual({ code: 0, stdout: `${URL} is allowed already\n`, stderr: '' });
    expect(urls()).toEqual([OTHER, URL]);
  });

  it('writes nothing with --dry-run', async () => {
    agentcore.workloads.put(NAME, [OTHER]);
    const { code, stdout } = await run('--dry-run');
    expect([code, stdout]).toEqual([0, `${URL} would be added; all of them:\n  ${OTHER}\n  ${URL}\n`]);
    expect(urls()).toEqual([OTHER]);
  });

  it('says in one line that there is no such workload identity, and what its name is', async () => {
    const { code, stdout, stderr } = await run();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^[^\n]*ResourceNotFoundException; [^\n]*their id\n$/);
  });

  it('sends nothing in the clear to another machine [SB-18]', async () => {
    process.env['AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL'] = 'http://192.0.2.1:1';
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toContain('InsecureEndpointError');
  });

  it.each([
    [[], '--workload is required'],
    [['--workload', 'a/b'], '--workload: no workload identity can have that name'],
    [['--workload', 'ab'], '--workload: no workload identity can have that name'],
  ])('needs the name of a workload identity: %j', async (args, words) => {
    const { code, stderr } = await runInProcess(registerCommand, args, { AWS_REGION: 'us-east-1' });
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});

describe('registering while somebody else writes the same list', () => {
  /** `onWrite` sees each write and may change the list behind it. */
  function scripted(onWrite: (list: readonly string[], writes: number) => readonly string[]) {
    let list: readonly string[] = [OTHER];
    let writes = 0;
    const returnUrls: ReturnUrls = {
      read: async () => ({ kind: 'urls', urls: list }),
      write: async (_workload, next) => {
        list = onWrite(next, (writes += 1));
        return { kind: 'urls', urls: next };
      },
      close: () => undefined,
    };
    const register = () =>
      registerReturnUrl(NAME, URL, { returnUrls, dryRun: false, pause: async () => undefined });
    return { register, list: () => list };
  }

  it('merges again when he has taken ours away, and drops none of his', async () => {
    const his = 'https://third.example.com/callback';
    const { register, list } = scripted((next, writes) => (writes === 1 ? [his] : next));
    expect(await register()).toEqual({ kind: 'registered', urls: [OTHER, his, URL] });
    expect(list()).toEqual([OTHER, his, URL]);
  });

  it('gives up after five writes', async () => {
    const { register } = scripted(() => [OTHER]);
    expect(await register()).toEqual({ kind: 'contended' });
  });
});
