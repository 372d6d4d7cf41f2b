import { describe, expect, it, vi } from 'vitest';
import { runCommand, startCommand } from '../support/built-command.ts';
import { startSurroundings, statusOf } from '../support/built-service.ts';
import { until } from '../support/until.ts';
import { walkConsent } from './walk-consent.ts';

// Several processes, one after the other.
vi.setConfig({ testTimeout: 60_000 });

/** As Kubernetes, ECS and plain Docker say it; an image may say it itself. */
const MARKERS = [
  { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' },
  { ECS_CONTAINER_METADATA_URI_V4: 'http://169.254.170.2/v4/0123456789abcdef' },
  { DOCKER_CONTAINER: 'true' },
] as const;
const [KUBERNETES] = MARKERS;

const PUBLIC_URL = 'https://auth.example.com/binding';

describe('in a container', () => {
  it.each(MARKERS)('everything that several users need must be set: %j [SB-28]', async (marker) => {
    const { code, stdout, stderr } = await runCommand(['check'], { ...marker, AWS_REGION: 'us-east-1' });
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr.match(/^ {2}[A-Z_]+/gm)).toEqual([
      '  JWT_DISCOVERY_URL',
      '  SESSION_SECRET',
      '  STORE_URL',
      '  JWT_ALLOWED_CLIENTS',
      // A dev container says no more than this one.
      ...('DOCKER_CONTAINER' in marker ? ['  RUNTIME_ENVIRONMENT'] : []),
    ]);
  });

  it('a consent comes back through the proxy that ends TLS, and is bound', async () => {
    const surroundings = await startSurroundings();
    const { env, port } = surroundings;
    const command = startCommand(['serve'], { ...env, ...KUBERNETES, PUBLIC_URL, DRAIN_SECONDS: '0' });
    // 0.0.0.0 answers at every address of the machine, of which 127.0.0.9 is one.
    await until('/ready', async () =>
      (await statusOf(`http://127.0.0.9:${port}/ready`)) === 200 ? true : undefined,
    );

    const { posted, cookie, page, boundFor } = await walkConsent(surroundings, PUBLIC_URL);
    expect(posted).toMatchObject({ callback_url: `${PUBLIC_URL}/oauth2/callback` });
    expect(cookie).toMatch(/^__Host-session-binding-[0-9a-f]{8}=[^;]+; .*Path=\/; .*Secure/);
    expect([page.status, page.body]).toEqual([200, expect.stringContaining('You are connected')]);
    expect(boundFor).toBe('sub-of-alice');
    expect(surroundings.agentcore.completeCalls).toBe(1);

    command.kill('SIGTERM');
    const { code, stdout } = await command.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('"environment":"container","hosts":["0.0.0.0"]');
  });

  it('links and the callback URL lead to this host while nobody says more, with a warning', async () => {
    const { env, port } = await startSurroundings();
    const { PUBLIC_URL: _, ...unnamed } = { ...env };
    const warning = `PUBLIC_URL: is not set in a container, so links lead to http://localhost:${port}`;
    const callbackUrl = await runCommand(['callback-url'], { ...unnamed, ...KUBERNETES });
    expect([callbackUrl.code, callbackUrl.stdout]).toEqual([0, `http://localhost:${port}/oauth2/callback\n`]);
    expect(callbackUrl.stderr).toContain(warning);

    const check = await runCommand(['check'], { ...unnamed, ...KUBERNETES });
    expect(check.code).toBe(0);
    expect(check.stdout).toContain(warning);
    expect(check.stdout).toMatch(/^SINGLE_USER +false +default$/m);

    const command = startCommand(['serve'], { ...unnamed, ...KUBERNETES });
    await until('/ready', async () =>
      (await statusOf(`http://localhost:${port}/ready`)) === 200 ? true : undefined,
    );
    expect(command.stdout()).toContain(`"level":"warn"`);
    expect(command.stdout()).toContain(warning);
  });

  it('a set public URL is waited for by load balancers for ten seconds, and named at once', async () => {
    const { env } = await startSurroundings();
    const { stdout } = await runCommand(['check'], { ...env, ...KUBERNETES, PUBLIC_URL });
    expect(stdout).toMatch(/^RUNTIME_ENVIRONMENT +container +detected$/m);
    expect(stdout).toMatch(/^DRAIN_SECONDS +10 +default$/m);
    expect(stdout).not.toContain('  PUBLIC_URL: ');
    const callbackUrl = await runCommand(['callback-url'], {
      AWS_REGION: 'us-east-1',
      ...KUBERNETES,
      PUBLIC_URL,
    });
    expect(callbackUrl).toEqual({ code: 0, stdout: `${PUBLIC_URL}/oauth2/callback\n`, stderr: '' });
  });
});
