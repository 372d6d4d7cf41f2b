import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { createSelfSigned } from '../edges/self-signed.ts';
import { type RunningCommand, startCommand } from '../support/built-command.ts';
import { CLIENT_ID, startSurroundings, statusOf, type Surroundings } from '../support/built-service.ts';
import { freePort } from '../support/free-port.ts';
import { describeWithRedis, startRedisForTest } from '../support/redis.ts';
import { until } from '../support/until.ts';

const PASSWORD = 'canary-of-the-password';

// Each starts three processes.
vi.setConfig({ testTimeout: 60_000 });

/** Several users' service, as replicas run it. */
function serve(surroundings: Surroundings, env: Readonly<Record<string, string>>): RunningCommand {
  return startCommand(['serve'], { ...surroundings.env, SINGLE_USER: 'false', ...env });
}

function untilStatus(url: string, status: number): Promise<unknown> {
  return until(`${status} of ${url}`, async () => ((await statusOf(url)) === status ? true : undefined));
}

async function post({ issuer, url }: Surroundings, browser = new Browser()): Promise<number> {
  const userToken = await issuer.accessToken({ subject: 'anna', clientId: CLIENT_ID });
  const answer = await browser.postJson(`${url}/userIdentifier/token`, url, { user_token: userToken });
  return answer.status;
}

function events(command: RunningCommand, name: string): readonly Readonly<Record<string, unknown>>[] {
  return command
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter(({ event }) => event === name);
}

/** A server that speaks TLS besides, for the name `localhost` alone, under a CA of its own. */
async function startTlsServer(...more: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'session-binding-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { key, cert } = createSelfSigned();
  const [keyFile, caFile] = [join(folder, 'key.pem'), join(folder, 'ca.pem')];
  writeFileSync(keyFile, key);
  writeFileSync(caFile, cert);
  const tlsPort = await freePort();
  const tls = [
    '--tls-cert-file',
    caFile,
    '--tls-ca-cert-file',
    caFile,
    '--tls-key-file',
    keyFile,
    '--tls-auth-clients',
    'no',
  ];
  const server = await startRedisForTest({
    args: ['--tls-port', String(tlsPort), ...tls, '--requirepass', PASSWORD, ...more],
    rawPassword: PASSWORD,
  });
  return { server, storeUrl: `rediss://:${PASSWORD}@localhost:${tlsPort}`, caFile };
}

describeWithRedis('the built command on a shared store', () => {
  it('starts while the server is down, says so without its password, and is ready when it comes', async () => {
    const server = await startRedisForTest({ args: ['--requirepass', PASSWORD], rawPassword: PASSWORD });
    await server.kill();
    const surroundings = await startSurroundings();
    const storeUrl = `redis://:${PASSWORD}@127.0.0.1:${server.port}`;
    const command = serve(surroundings, { STORE_URL: storeUrl });
    await untilStatus(`${surroundings.url}/ping`, 200);
    expect(await statusOf(`${surroundings.url}/ready`)).toBe(503);
    expect(await post(surroundings)).toBe(503);
    await until('the fault', () =>
      events(command, 'store_fault').find(({ reason }) => reason === 'ECONNREFUSED'),
    );

    await server.start();
    await untilStatus(`${surroundings.url}/ready`, 200);
    expect(await post(surroundings)).toBe(200);
    expect(events(command, 'listening')).toMatchObject([
      { store: `redis://[secret]@127.0.0.1:${server.port}/0` },
    ]);
    expect(command.stdout() + command.stderr()).not.toContain(PASSWORD);

    command.kill('SIGTERM');
    expect((await command.ended).code).toBe(0);
  });

  it('speaks TLS with a server whose CA stands in NODE_EXTRA_CA_CERTS', async () => {
    const [{ storeUrl, caFile }, surroundings] = await Promise.all([startTlsServer(), startSurroundings()]);
    const command = serve(surroundings, { STORE_URL: storeUrl, NODE_EXTRA_CA_CERTS: caFile });
    await untilStatus(`${surroundings.url}/ready`, 200);
    expect(await post(surroundings)).toBe(200);
    expect(command.stdout() + command.stderr()).not.toContain(PASSWORD);
  });

  it('speaks TLS with a cluster whose nodes go by the names in their certificates', async () => {
    const surroundings = await startSurroundings();
    const { server, storeUrl, caFile } = await startTlsServer(
      '--cluster-enabled',
      'yes',
      '--tls-cluster',
      'yes',
      '--cluster-port',
      String(await freePort()),
      '--cluster-announce-hostname',
      'localhost',
      '--cluster-preferred-endpoint-type',
      'hostname',
    );
    await server.raw.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const env = { STORE_URL: `${storeUrl}?cluster=true`, NODE_EXTRA_CA_CERTS: caFile };
    const command = serve(surroundings, env);
    await untilStatus(`${surroundings.url}/ready`, 200);
    expect(await post(surroundings)).toBe(200);
    expect(command.stdout() + command.stderr()).not.toContain(PASSWORD);
  });

  it('sends nothing to a server whose certificate nobody vouches for, and says why [SB-14]', async () => {
    const [{ storeUrl }, surroundings] = await Promise.all([startTlsServer(), startSurroundings()]);
    const command = serve(surroundings, { STORE_URL: storeUrl });
    // A busy machine may miss the time to connect at first; the service tries again.
    await until('the certificate to be refused', () =>
      events(command, 'store_fault').find(({ reason }) =>
        /SELF_SIGNED_CERT|UNABLE_TO_VERIFY/.test(String(reason)),
      ),
    );
    expect(await post(surroundings)).toBe(503);
    expect(await statusOf(`${surroundings.url}/ready`)).toBe(503);
    expect(command.stdout() + command.stderr()).not.toContain(PASSWORD);
  });

  it('audits a record that somebody else has written, and takes it for none [SB-15]', async () => {
    const [server, surroundings] = await Promise.all([startRedisForTest(), startSurroundings()]);
    const command = serve(surroundings, { STORE_URL: `redis://127.0.0.1:${server.port}` });
    await untilStatus(`${surroundings.url}/ready`, 200);
    const browser = new Browser();
    expect(await post(surroundings, browser)).toBe(200);
    const [key = ''] = await server.raw.keys('sb:1:browser-session:*');
    await server.raw.set(key, 'forged');

    const id = 'urn:ietf:params:oauth:request_uri:any';
    const page = await browser.open(
      `${surroundings.url}/oauth2/callback?session_id=${encodeURIComponent(id)}`,
    );
    expect(page.status).toBe(401);
    expect(surroundings.agentcore.completeCalls).toBe(0);
    await until('the event', () => events(command, 'record_unreadable')[0]);
    expect(events(command, 'record_unreadable')).toMatchObject([{ level: 'warn', kind: 'browser-session' }]);
  });
});
