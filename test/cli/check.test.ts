import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../support/built-command.ts';

const SECRET = 'wV3kZ8rN1xQ6yB4tM9cH2pL7sD5fJ0gA';
const OTHER_SECRET = 'fT5hY2uJ8iK1oL4pZ7xC3vB9nM6qW0eR';
const ENV = {
  AWS_REGION: 'eu-central-1',
  JWT_DISCOVERY_URL: 'https://idp.example.com/pool/.well-known/openid-configuration',
  JWT_ALLOWED_CLIENTS: 'web-client',
  SESSION_SECRET: SECRET,
  STORE_URL: 'memory:?replicas=1',
  HOST: '127.0.0.1',
  PUBLIC_URL: 'https://binding.example.com',
  TRUST_PROXY: '192.0.2.1',
};

/** The value that the report shows for a setting, and where it comes from. */
function rowOf(report: string, name: string): readonly string[] | undefined {
  const line = report.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line?.split(/ {2,}/).slice(1);
}

function secretFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'session-binding-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'secret'), text);
  return join(folder, 'secret');
}

describe('check', () => {
  it('exits 0 and shows every setting that is in force, and where it comes from', async () => {
    const { code, stdout, stderr } = await runCommand(['check'], { ...ENV, LOG_LEVEL: 'debug' });
    expect([code, stderr]).toEqual([0, '']);
    expect(rowOf(stdout, 'AWS_REGION')).toEqual(['eu-central-1', 'AWS_REGION']);
    expect(rowOf(stdout, 'LOG_LEVEL')).toEqual(['debug', 'LOG_LEVEL']);
    expect(rowOf(stdout, 'USER_CLAIM')).toEqual(['sub', 'default']);
    expect(stdout).toContain('no warnings');
  });

  it('masks secrets, from variables and from files [SB-16]', async () => {
    const file = secretFile(`${SECRET},${OTHER_SECRET}\n`);
    for (const env of [
      { ...ENV, SESSION_SECRET: `${SECRET},${OTHER_SECRET}` },
      { ...ENV, SESSION_SECRET: undefined, SESSION_SECRET_FILE: file },
    ]) {
      const { code, stdout, stderr } = await runCommand(['check'], env);
      expect([code, stderr]).toEqual([0, '']);
      expect(rowOf(stdout, 'SESSION_SECRET')?.[0]).toBe('[secret] (2 values)');
      expect(stdout).not.toContain(SECRET);
      expect(stdout).not.toContain(OTHER_SECRET);
    }
  });

  it('exits 78 with every problem on a line of its own, and quotes no value [SB-16] [SB-28]', async () => {
    const { code, stdout, stderr } = await runCommand(['check'], {
      PORT: 'a-canary-value',
      SESSION_SECRET: 'short-canary-value',
      LOG_LEVEL: 'canary',
    });
    expect([code, stdout]).toEqual([78, '']);
    const [head, ...lines] = stderr.trimEnd().split('\n');
    expect(head).toBe(`agentcore-session-binding: the configuration has ${lines.length} problems`);
    const named = lines.map((line) => /^ {2}([A-Z_]+): \S/.exec(line)?.[1]);
    expect(named).toEqual(expect.arrayContaining(['AWS_REGION', 'PORT', 'SESSION_SECRET', 'LOG_LEVEL']));
    expect(named).not.toContain(undefined);
    expect(stderr).not.toContain('canary');
  });

  it('exits 0 with the warnings below the settings', async () => {
    const { code, stdout } = await runCommand(['check'], {
      ...ENV,
      ALLOWED_ORIGINS: 'https://somewhere-else.example.org',
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nwarnings\n {2}ALLOWED_ORIGINS: \S/);
  });

  it.each([
    ['--region', 'us-west-2', 'AWS_REGION'],
    ['--host', '127.0.0.1', 'HOST'],
    ['--port', '8080', 'PORT'],
    ['--public-url', 'https://other.example.com', 'PUBLIC_URL'],
  ])('lets %s %s win over %s and its file', async (flag, value, name) => {
    const file = secretFile('not read');
    for (const env of [{ [name]: 'not read' }, { [name]: undefined, [`${name}_FILE`]: file }]) {
      const { code, stdout } = await runCommand(['check', flag, value], { ...ENV, ...env });
      expect(code).toBe(0);
      expect(rowOf(stdout, name)?.[0]).toBe(value);
    }
  });

  it('lets --region win over AWS_DEFAULT_REGION too', async () => {
    const { code, stdout } = await runCommand(['check', '--region', 'us-west-2'], {
      ...ENV,
      AWS_REGION: undefined,
      AWS_DEFAULT_REGION: 'eu-west-1',
    });
    expect(code).toBe(0);
    expect(rowOf(stdout, 'AWS_REGION')?.[0]).toBe('us-west-2');
  });
});
