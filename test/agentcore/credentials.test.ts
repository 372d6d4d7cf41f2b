import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAgentCoreCompleter } from '../../src/agentcore/completer.ts';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { callAgentCore } from '../../src/binding/call-agentcore.ts';
import { createRetryBudget } from '../../src/binding/retry-budget.ts';
import { Secret } from '../../src/binding/secret.ts';
import { systemClock, systemRandomness } from '../../src/system.ts';
import { must } from './stand-in-flow.ts';
import { startRawServer } from './hostile-servers.ts';

const MINUTE_MS = 60_000;
const ROLE = 'arn:aws:iam::123456789012:role/session-binding';

/** Each of these would be found before what the test is about, or be looked for on the network. */
beforeEach(() => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE']) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});
afterEach(() => vi.unstubAllEnvs());

async function listen(listener: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = await startRawServer(listener);
  onTestFinished(() => server.close());
  return server.endpoint;
}

/** AgentCore that accepts everybody and remembers who signed, and with which session. */
async function startAgentCore(refusedKeys: readonly string[] = []) {
  const signers: { readonly key: string | undefined; readonly sessionToken: unknown }[] = [];
  const endpoint = await listen((request, response) => {
    const key = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
    signers.push({ key, sessionToken: request.headers['x-amz-security-token'] });
    const headers = { 'content-type': 'application/json', 'x-amzn-requestid': 'r' };
    if (key === undefined || !refusedKeys.includes(key))
      return void response.writeHead(200, headers).end('{}');
    response.writeHead(403, { ...headers, 'x-amzn-errortype': 'ExpiredTokenException' }).end('{}');
  });
  const completer = createAgentCoreCompleter({ region: 'us-east-1', endpoint });
  onTestFinished(() => completer.close());
  const session = must(parseAuthorizationSession('urn:ietf:params:oauth:request_uri:abc'));
  return {
    signers,
    completer,
    session,
    complete: () =>
      completer.complete(session, { userToken: new Secret('a.b.c') }, AbortSignal.timeout(10_000)),
  };
}

/** The agent of ECS and of EKS Pod Identity. */
async function startCredentialAgent(livesMs: number) {
  const agent = { requests: [] as (string | undefined)[], isDown: false };
  const endpoint = await listen((request, response) => {
    agent.requests.push(request.headers.authorization);
    if (agent.isDown) return void response.writeHead(500).end();
    const serial = agent.requests.length;
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        AccessKeyId: `AKIDECS${serial}`,
        SecretAccessKey: 'secret',
        Token: `session-${serial}`,
        Expiration: new Date(Date.now() + livesMs).toISOString(),
        RoleArn: ROLE,
      }),
    );
  });
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${endpoint}/v2/credentials`);
  return agent;
}

/** STS, as far as AssumeRoleWithWebIdentity goes, in its XML protocol. */
async function startSts(livesMs: number) {
  const calls: URLSearchParams[] = [];
  const endpoint = await listen((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      calls.push(new URLSearchParams(body));
      const serial = calls.length;
      response.writeHead(200, { 'content-type': 'text/xml' }).end(
        `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Credentials><AccessKeyId>AKIDWEB${serial}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session-${serial}</SessionToken>
<Expiration>${new Date(Date.now() + livesMs).toISOString()}</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>`,
      );
    });
  });
  vi.stubEnv('AWS_ENDPOINT_URL_STS', endpoint);
  vi.stubEnv('AWS_ROLE_ARN', ROLE);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  const folder = mkdtempSync(join(tmpdir(), 'web-identity-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tokenFile = join(folder, 'token');
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', tokenFile);
  return { calls, writeToken: (text: string) => writeFileSync(tokenFile, text) };
}

describe('credentials of ECS', () => {
  it('sign the completion, and are fetched once while they live', async () => {
    const agent = await startCredentialAgent(60 * MINUTE_MS);
    vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN', 'Basic abc');
    const { complete, completer, signers } = await startAgentCore();
    expect(await completer.credentialsWork()).toBe(true);
    expect(await complete()).toMatchObject({ kind: 'completed' });
    expect(await complete()).toMatchObject({ kind: 'completed' });
    const signer = { key: 'AKIDECS1', sessionToken: 'session-1' };
    expect(signers).toEqual([signer, signer]);
    expect(agent.requests).toEqual(['Basic abc']);
  });

  it('are fetched anew when they end soon', async () => {
    await startCredentialAgent(4 * MINUTE_MS);
    const { complete, signers } = await startAgentCore();
    for (let call = 0; call < 3; call += 1) expect(await complete()).toMatchObject({ kind: 'completed' });
    const keys = signers.map(({ key }) => Number(key?.replace('AKIDECS', '')));
    expect(keys[2]).toBeGreaterThan(must(keys[0]));
  });

  it('that lapse between two calls of one callback are fetched anew by the second [SB-23]', async () => {
    await startCredentialAgent(4 * MINUTE_MS);
    const { completer, session, signers } = await startAgentCore(['AKIDECS1']);
    const identifier = { userToken: new Secret('a.b.c') };
    const result = await callAgentCore(session, [identifier], AbortSignal.timeout(10_000), {
      completer,
      clock: systemClock,
      randomness: systemRandomness,
      retries: createRetryBudget(systemClock),
    });
    expect(result.calls.map(({ answer, reason }) => reason ?? answer)).toEqual(['credentials', 'completed']);
    expect(result.mayHaveBound).toBe(false);
    expect(signers.map(({ key }) => key)[0]).toBe('AKIDECS1');
    expect(signers).toHaveLength(2);
  });

  it('that cannot be had are no answer of AgentCore: it is not called, and /ready is told', async () => {
    const agent = await startCredentialAgent(60 * MINUTE_MS);
    agent.isDown = true;
    const { complete, completer, signers } = await startAgentCore();
    expect(await completer.credentialsWork()).toBe(false);
    expect(await complete()).toEqual({ kind: 'unavailable', mayHaveBound: false, reason: 'credentials' });
    expect(signers).toEqual([]);

    agent.isDown = false;
    expect(await complete()).toMatchObject({ kind: 'completed' });
  });
});

describe('credentials of a web identity', () => {
  it('are those of the role, for the token in the file', async () => {
    const { calls, writeToken } = await startSts(60 * MINUTE_MS);
    writeToken('first-token');
    const { complete, signers } = await startAgentCore();
    expect(await complete()).toMatchObject({ kind: 'completed' });
    expect(await complete()).toMatchObject({ kind: 'completed' });
    const signer = { key: 'AKIDWEB1', sessionToken: 'session-1' };
    expect(signers).toEqual([signer, signer]);
    expect(
      calls.map((call) => [call.get('Action'), call.get('RoleArn'), call.get('WebIdentityToken')]),
    ).toEqual([['AssumeRoleWithWebIdentity', ROLE, 'first-token']]);
  });

  it('are fetched anew when they end soon, with the token that Kubernetes has put there since', async () => {
    const { calls, writeToken } = await startSts(4 * MINUTE_MS);
    writeToken('first-token');
    const { complete, signers } = await startAgentCore();
    expect(await complete()).toMatchObject({ kind: 'completed' });
    writeToken('second-token');
    await vi.waitFor(
      async () => {
        expect(await complete()).toMatchObject({ kind: 'completed' });
        expect(calls.at(-1)?.get('WebIdentityToken')).toBe('second-token');
      },
      { timeout: 10_000 },
    );
    expect(signers.at(-1)?.key).not.toBe('AKIDWEB1');
  });

  it('that have no token file are none: AgentCore is not called', async () => {
    await startSts(60 * MINUTE_MS);
    const { complete, completer, signers } = await startAgentCore();
    expect(await completer.credentialsWork()).toBe(false);
    expect(await complete()).toEqual({ kind: 'unavailable', mayHaveBound: false, reason: 'credentials' });
    expect(signers).toEqual([]);
  });
});
