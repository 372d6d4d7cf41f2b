import { createServer } from 'node:net';
import { existsSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { runCommand, startCommand } from '../support/built-command.ts';
import { startSurroundings, statusOf } from '../support/built-service.ts';
import { HAS_IPV6_LOOPBACK } from '../support/loopback.ts';
import { until } from '../support/until.ts';
import { walkConsent } from './walk-consent.ts';

// Several processes, one after the other.
vi.setConfig({ testTimeout: 60_000 });

/** Nothing that says otherwise; a test that itself runs in a container must say so. */
const LOCAL = existsSync('/.dockerenv') ? { RUNTIME_ENVIRONMENT: 'local' } : {};

const HERE = HAS_IPV6_LOOPBACK ? ['127.0.0.1', '[::1]'] : ['127.0.0.1'];

async function startLocal() {
  const surroundings = await startSurroundings();
  const { SESSION_SECRET: _, STORE_URL: __, PUBLIC_URL: ___, ...env } = { ...surroundings.env };
  const command = startCommand(['serve'], { ...env, ...LOCAL });
  const { url, port } = surroundings;
  await until('/ready', async () => ((await statusOf(`${url}/ready`)) === 200 ? true : undefined));
  return { surroundings, command, url, port };
}

describe('on a person’s own machine', () => {
  it('nothing but the region need be set', async () => {
    const { code, stdout, stderr } = await runCommand(['check'], { ...LOCAL, AWS_REGION: 'us-east-1' });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^RUNTIME_ENVIRONMENT +local /m);
    expect(stdout).toMatch(/^HOST +127\.0\.0\.1 +default\n +::1\n/m);
    expect(stdout).toMatch(/^PUBLIC_URL +http:\/\/localhost:9090 +default$/m);
    expect(stdout).toMatch(/^SINGLE_USER +true +default$/m);
    expect(stdout).toMatch(/^SESSION_SECRET +\[secret\] \(generated at every start\) +default$/m);
    expect(stdout).toMatch(/^STORE_URL +memory: +default$/m);
    expect(stdout).toMatch(/^DRAIN_SECONDS +0 +default$/m);
    expect(stdout).toMatch(/\nno warnings\n$/);
  });

  it('the callback URL is one of this machine', async () => {
    const env = { ...LOCAL, AWS_REGION: 'us-east-1' };
    expect(await runCommand(['callback-url', '--port', '8081'], env)).toEqual({
      code: 0,
      stdout: 'http://localhost:8081/oauth2/callback\n',
      stderr: '',
    });
  });

  it('a consent comes back and is bound, under the plain cookie of loopback', async () => {
    const { surroundings, url } = await startLocal();
    const { posted, cookie, page, boundFor } = await walkConsent(surroundings, url);
    expect(posted).toMatchObject({ status: 'success', callback_url: `${url}/oauth2/callback` });
    expect(cookie).toMatch(/^session-binding=[^;]+; /);
    expect(cookie).not.toContain('Secure');
    expect([page.status, page.body]).toEqual([200, expect.stringContaining('You are connected')]);
    expect(boundFor).toBe('sub-of-alice');
    expect(surroundings.agentcore.completeCalls).toBe(1);
  });

  it('is reached under both loopback addresses, and under no other', async () => {
    const { port, command } = await startLocal();
    for (const host of HERE) expect(await statusOf(`http://${host}:${port}/ping`)).toBe(200);
    // Of 127.0.0.0/8, to which a wildcard would answer.
    expect(await statusOf(`http://127.0.0.9:${port}/ping`)).toBeUndefined();
    command.kill('SIGTERM');
    expect((await command.ended).code).toBe(0);
  });

  it.each(HERE)('a port that is taken on %s is one clear line', async (host) => {
    const { env, port } = await startSurroundings();
    const other = createServer();
    const address = host.replaceAll(/[[\]]/g, '');
    await new Promise<void>((resolve) => other.listen(port, address, resolve));
    onTestFinished(() => void other.close());
    const { code, stderr } = await runCommand(['serve'], { ...env, ...LOCAL });
    expect([code, stderr]).toEqual([
      1,
      `agentcore-session-binding: port ${port} on ${address} is taken: set PORT to another one\n`,
    ]);
  });

  it('a public URL without issuer does not start, and says why it is not for a single user [SB-28]', async () => {
    const env = { ...LOCAL, AWS_REGION: 'us-east-1', PUBLIC_URL: 'https://auth.example.com' };
    const { code, stderr } = await runCommand(['serve'], env);
    expect(code).toBe(78);
    for (const name of ['JWT_DISCOVERY_URL', 'SESSION_SECRET', 'STORE_URL', 'JWT_ALLOWED_CLIENTS']) {
      expect(stderr).toContain(`\n  ${name}: `);
    }
    expect(stderr).toContain('SINGLE_USER: is off since https://auth.example.com is an address');
  });
});
