import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { doctorCommand } from '../../src/commands/doctor.ts';
import { runCommand } from '../support/built-command.ts';
import { startSurroundings, type Surroundings } from '../support/built-service.ts';
import { freePort } from '../support/free-port.ts';
import { listenForTest } from '../support/listen-for-test.ts';
import { startRecordingProxy } from '../support/recording-proxy.ts';
import { runInProcess } from '../support/run-in-process.ts';
import { RESOURCE_METADATA, startSageMaker } from '../support/sagemaker.ts';

const WORKLOAD = 'my_agent-AbCdEfGhIj';
const CONTROL = 'AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL';
const HOUR_MS = 60 * 60_000;

beforeEach(() => {
  const before = { ...process.env };
  return () => {
    process.env = before;
  };
});

type Env = Readonly<Record<string, string | undefined>>;

/** What doctor says in these surroundings, changed so, of each thing by its name: the mark and the text. */
async function diagnose(changes: Env = {}, args: readonly string[] = [], around?: Surroundings) {
  const { env } = around ?? (await startSurroundings());
  const all: Env = {
    ...env,
    // Nothing of this machine's own.
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
    AWS_CONFIG_FILE: '/nowhere',
    ...changes,
  };
  // The SDK reads them itself.
  for (const [name, value] of Object.entries(all).filter(([one]) => one.startsWith('AWS_'))) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  const { code, stdout } = await runInProcess(doctorCommand, args, all);
  const lines = stdout.trimEnd().split('\n');
  const said = lines.map((line) => /^(?<mark>.) (?<what>[^:]+): (?<text>.*)$/.exec(line)?.groups ?? {});
  return {
    code,
    lines: Object.fromEntries(said.map(({ mark, what = '', text }) => [what, `${mark} ${text}`])),
  };
}

/** Whose clock is that much before or behind ours. */
function dateIn(ms: number): Readonly<Record<string, string>> {
  return { date: new Date(Date.now() + ms).toUTCString() };
}

/** AWS, as it answers whatever is asked of it. */
function startAws(status: number, exception: string): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': exception });
    response.end('{"message":"canary of AWS"}');
  });
  return listenForTest(server);
}

const withWorkload = ['--workload', WORKLOAD];

describe('doctor', () => {
  it('finds nothing wrong where nothing is, and says so without colours [SB-29]', async () => {
    const { env, url, agentcore } = await startSurroundings();
    agentcore.workloads.put(WORKLOAD, [`${url}/oauth2/callback`]);
    const { code, stdout } = await runCommand(['doctor', ...withWorkload], {
      ...env,
      [CONTROL]: agentcore.endpoint,
    });
    const [warning, ...lines] = stdout.trimEnd().split('\n');
    expect(warning).toMatch(/^! AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: user tokens go to host 127\.0\.0\.1/);
    expect(lines.map((line) => line.split(':')[0])).toEqual(
      [
        'public URL',
        'cookie',
        'clock',
        'discovery',
        'keys',
        'clock of AWS',
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
    const { code, stdout } = await runCommand(['doctor', ...withWorkload], {
      ...env,
      [CONTROL]: agentcore.endpoint,
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
    // Whom nobody told the time has no wrong clock.
    for (const what of ['clock', 'clock of AWS'])
      expect(stdout).toContain(`- ${what}: nobody told the time\n`);
  });
});

describe('doctor about the configuration', () => {
  it('warns as `check` does, and does not fail for it', async () => {
    const { code, lines } = await diagnose({ REQUIRE_PINS: 'true' });
    expect(lines['REQUIRE_PINS']).toMatch(/^! sets nothing; .* REQUIRE_PIN$/);
    expect(code).toBe(0);
  });
});

describe('doctor about an issuer', () => {
  it('lets its name neither move the cursor of the terminal nor look like a line of its own', async () => {
    const { publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' };
    let url = '';
    const server = createServer((request, response) => {
      const issuer = `${url}/\u001b[2K\r✓ well\u202e\n✓ forged`;
      const document = request.url === '/keys' ? { keys: [jwk] } : { issuer, jwks_uri: `${url}/keys` };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
    });
    url = await listenForTest(server);
    const { env } = await startSurroundings();
    const JWT_DISCOVERY_URL = `${url}/.well-known/openid-configuration`;
    const { stdout } = await runInProcess(doctorCommand, [], { ...env, JWT_DISCOVERY_URL });
    expect(stdout).toContain('✓ discovery: ');
    expect(stdout).not.toMatch(/^✓ forged/m);
    // Lines end; nothing else is control.
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe('doctor about the clock', () => {
  // Headers carry whole seconds, and asking takes its time.
  it.each([
    [HOUR_MS, /^✗ 3(?:59\d|60\d) s off that of the issuers; synchronise it \(NTP, chrony\)$/, 1],
    [-HOUR_MS, /^✗ 3(?:59\d|60\d) s off that of the issuers; synchronise it \(NTP, chrony\)$/, 1],
    [-45_000, /^✗ 4\d s off/, 1],
    [15_000, /^✓ within 1\d s/, 0],
  ])('compares it with that of the issuers: %i ms [SB-29]', async (ms, says, code) => {
    const around = await startSurroundings();
    const issuer = await startRecordingProxy(dateIn(ms));
    issuer.forwardTo(new URL(around.issuer.discoveryUrl).origin);
    const JWT_DISCOVERY_URL = around.issuer.discoveryUrl.replace(/^http:\/\/[^/]+/, issuer.url);
    const found = await diagnose({ JWT_DISCOVERY_URL }, [], around);
    expect(found.lines['clock']).toMatch(says);
    expect(found.code).toBe(code);
    expect(found.lines['clock of AWS']).toMatch(/^✓ within \d s of that of AWS$/);
  });

  it('compares it with that of AWS, too [SB-29]', async () => {
    const around = await startSurroundings();
    const aws = await startRecordingProxy(dateIn(-10 * 60_000));
    aws.forwardTo(around.agentcore.endpoint);
    const found = await diagnose({ AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: aws.url }, [], around);
    expect(found.lines['clock of AWS']).toMatch(/^✗ (?:59\d|60\d) s off that of AWS; synchronise it/);
    expect(found.lines['clock']).toMatch(/^✓ within \d s of that of the issuers$/);
    expect(found.code).toBe(1);
  });
});

describe('doctor about the AWS credentials', () => {
  it('says where there are none, and looks no further', async () => {
    const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const { code, lines } = await diagnose({ ...none, [CONTROL]: await startAws(200, '') }, withWorkload);
    expect(lines['AWS credentials']).toBe('✗ none; give the task a role, or set AWS_PROFILE');
    expect(lines['return URL']).toBe('- not looked at; first the AWS credentials');
    expect(code).toBe(1);
  });

  it('says that it has not tried them where it has nothing to ask', async () => {
    const { code, lines } = await diagnose();
    expect(lines['AWS credentials']).toBe('- found, but not tried; name the agent with --workload');
    expect(lines['return URL']).toBe('- not looked at; name the agent with --workload');
    expect(code).toBe(0);
  });

  it.each(['UnrecognizedClientException', 'ExpiredTokenException', 'InvalidSignatureException'])(
    'says where AWS refuses them, in none of its words: %s [SB-16]',
    async (exception) => {
      const { code, lines } = await diagnose({ [CONTROL]: await startAws(403, exception) }, withWorkload);
      expect(lines['AWS credentials']).toBe(
        `✗ AWS refuses them: ${exception}; renew them, and check the clock`,
      );
      expect(lines['return URL']).toBe('- not looked at; first the AWS credentials');
      expect(JSON.stringify(lines)).not.toContain('canary');
      expect(code).toBe(1);
    },
  );

  it.each([
    [403, 'AccessDeniedException'],
    [404, 'ResourceNotFoundException'],
  ])('takes a %i %s for an answer to them: it is about the workload identity', async (status, exception) => {
    const { code, lines } = await diagnose({ [CONTROL]: await startAws(status, exception) }, withWorkload);
    expect(lines['AWS credentials']).toBe('✓ AWS accepts them');
    expect(lines['workload identity']).toMatch(
      new RegExp(
        `^✗ ${WORKLOAD} cannot be read: ${exception}; .*needs bedrock-agentcore:GetWorkloadIdentity$`,
      ),
    );
    expect(code).toBe(1);
  });

  it('claims nothing about them where AWS does not answer', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const { lines } = await diagnose({ [CONTROL]: dead }, withWorkload);
    expect(lines['AWS credentials']).toMatch(
      /^- found, but AWS did not say whether it accepts them: ECONNREFUSED$/,
    );
    expect(lines['workload identity']).toMatch(/^✗ /);
  });
});

describe('doctor about everything else', () => {
  it('tells keys that cannot be used from a discovery that cannot be read', async () => {
    const server = createServer((request, response) => {
      const origin = `http://${request.headers.host}`;
      const isKeySet = request.url === '/keys';
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(isKeySet ? { keys: [] } : { issuer: origin, jwks_uri: `${origin}/keys` }));
    });
    const JWT_DISCOVERY_URL = `${await listenForTest(server)}/.well-known/openid-configuration`;
    const { code, lines } = await diagnose({ JWT_DISCOVERY_URL });
    expect(lines['keys']).toBe(
      `✗ ${JWT_DISCOVERY_URL}: no_usable_key; check JWT_DISCOVERY_URL, and that this machine reaches it`,
    );
    expect([code, lines['discovery']]).toEqual([1, undefined]);
  });

  it('has no issuer to ask where Cognito pools are recognised', async () => {
    const alone = { JWT_DISCOVERY_URL: undefined, JWT_ALLOWED_CLIENTS: undefined, SINGLE_USER: 'true' };
    const { code, lines } = await diagnose({ ...alone, RUNTIME_ENVIRONMENT: 'local' });
    expect(lines['discovery']).toBe('- Cognito pools are recognised by their URL');
    expect(lines['clock']).toBe('- nobody told the time');
    expect(code).toBe(0);
  });

  it('says which cookie goes out, and that it is Secure on https [SB-33]', async () => {
    const { lines } = await diagnose({ PUBLIC_URL: 'https://binding.example.com' });
    expect(lines['cookie']).toBe('✓ __Host-session-binding, Secure');
    expect(lines['public URL']).toBe(
      '✓ https://binding.example.com, callback URL https://binding.example.com/oauth2/callback',
    );
    expect((await diagnose()).lines['cookie']).toBe('✓ session-binding, for http on loopback');
  });

  it('says what a Studio space needs that cannot learn its own address', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const metadata = join(folder, 'metadata.json');
    writeFileSync(metadata, JSON.stringify(RESOURCE_METADATA));
    const sagemaker = await startSageMaker({ kind: 'exception', name: 'AccessDeniedException' });
    const { code, lines } = await diagnose({
      PUBLIC_URL: undefined,
      SAGEMAKER_METADATA_FILE: metadata,
      AWS_ENDPOINT_URL_SAGEMAKER: sagemaker.endpoint,
    });
    expect(lines['public URL']).toMatch(/^✗ .*sagemaker:DescribeSpace/);
    expect(code).toBe(1);
  });

  it('lists every problem of a configuration that is none, and asks nobody', async () => {
    const { env } = await startSurroundings();
    const broken = { ...env, PORT: 'x', STORE_URL: 'ftp://x' };
    const { code, stdout, stderr } = await runInProcess(doctorCommand, [], broken);
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toMatch(/PORT[^\n]*\n[^]*STORE_URL/);
  });
});
