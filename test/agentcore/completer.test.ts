import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type AgentCoreCompleter,
  type AgentCoreCompleterOptions,
  createAgentCoreCompleter,
} from '../../src/agentcore/completer.ts';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { Secret } from '../../src/binding/secret.ts';
import type { CompletionFault } from '../../src/emulator/agentcore-faults.ts';
import { type AgentCoreStandIn, startAgentCore } from '../../src/emulator/agentcore.ts';
import {
  closedPort,
  type HostileServer,
  startDeafServer,
  startRawServer,
  startSelfSignedServer,
} from './hostile-servers.ts';
import { consentedFlow, jwtOf, must, STATIC_CREDENTIALS } from './stand-in-flow.ts';

const ALICE = jwtOf('alice');
const SESSION = must(parseAuthorizationSession('urn:ietf:params:oauth:request_uri:abc'));

let standIn: AgentCoreStandIn;
const completers: AgentCoreCompleter[] = [];
const servers: HostileServer[] = [];

beforeEach(async () => {
  standIn = await startAgentCore();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const completer of completers.splice(0)) completer.close();
  for (const server of servers.splice(0)) await server.close();
  await standIn.close();
});

function createCompleter(options: Partial<AgentCoreCompleterOptions> = {}): AgentCoreCompleter {
  const completer = createAgentCoreCompleter({
    region: 'us-east-1',
    endpoint: standIn.endpoint,
    credentials: STATIC_CREDENTIALS,
    ...options,
  });
  completers.push(completer);
  return completer;
}

/** One call; without a session id, for a session that never was. */
function complete(completer: AgentCoreCompleter, id?: string, signal = new AbortController().signal) {
  const session = id === undefined ? SESSION : must(parseAuthorizationSession(id));
  return completer.complete(session, { userToken: new Secret(ALICE) }, signal);
}

async function track(starting: Promise<HostileServer>): Promise<string> {
  const server = await starting;
  servers.push(server);
  return server.endpoint;
}

function withoutAnyCredentials() {
  for (const name of Object.keys(process.env).filter((key) => key.startsWith('AWS_')))
    vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent/credentials');
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent/config');
  const completer = createAgentCoreCompleter({ region: 'us-east-1', endpoint: standIn.endpoint });
  completers.push(completer);
  return completer;
}

/** A provider that never answers, like a metadata service behind a black hole. */
const hangingCredentials = () => new Promise<never>(() => undefined);

const refusedByCredentialService = () =>
  Promise.reject(
    Object.assign(new Error('Invalid or expired session'), {
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 403, requestId: 'sts' },
    }),
  );

const notBound = (reason: string) => ({ kind: 'unavailable', mayHaveBound: false, reason });
const perhapsBound = (reason: string) => ({ kind: 'unavailable', mayHaveBound: true, reason });

describe('completing through the SDK', () => {
  it('says completed with the request id of AWS, and sends exactly the user token [SB-23]', async () => {
    const id = await consentedFlow(standIn, ALICE);
    const answer = await complete(createCompleter(), id);
    expect(answer).toEqual({ kind: 'completed', awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(standIn.vaultOwnerOf(id)).toMatchObject({ subject: 'alice' });
    expect(standIn.calls).toMatchObject([{ sessionUri: id, userToken: ALICE, userId: undefined }]);
  });

  // All calls share one endpoint, one signer and their connections.
  it('mixes up nothing of forty calls at once: each token goes with its own session, each answer to its caller [SB-01]', async () => {
    const completer = createCompleter();
    const flows = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const token = jwtOf(`user-${index}`);
        return {
          token,
          isOwn: index % 2 === 0,
          id: await consentedFlow(standIn, index % 2 === 0 ? token : ALICE),
        };
      }),
    );
    const answers = await Promise.all(
      flows.map(({ token, id }) =>
        completer.complete(
          must(parseAuthorizationSession(id)),
          { userToken: new Secret(token) },
          new AbortController().signal,
        ),
      ),
    );
    expect(answers.map(({ kind }) => kind === 'completed')).toEqual(flows.map(({ isOwn }) => isOwn));
    const sent = standIn.calls.map(({ sessionUri, userToken }) => `${sessionUri} ${userToken}`);
    expect(sent.toSorted()).toEqual(flows.map(({ id, token }) => `${id} ${token}`).toSorted());
    for (const [index, { id, isOwn }] of flows.entries()) {
      if (isOwn) expect(standIn.vaultOwnerOf(id)).toMatchObject({ subject: `user-${index}` });
    }
  });

  it('says wrong_artifact when AgentCore does not take this token for this session', async () => {
    const id = await consentedFlow(standIn, jwtOf('alice', 2));
    expect(await complete(createCompleter(), id)).toEqual({ kind: 'wrong_artifact' });
    expect(standIn.bindings).toEqual([]);
  });

  // The whole answer is compared, so a message of AWS in it would fail the test [SB-16].
  it.each<[CompletionFault, object]>([
    ['validation', { kind: 'gone' }],
    ['resource_not_found', { kind: 'gone' }],
    ['unauthorized', { kind: 'token_refused' }],
    ['access_denied_iam', { kind: 'forbidden', permission: 'bedrock-agentcore:CompleteResourceTokenAuth' }],
    ['access_denied_secret', { kind: 'forbidden', permission: 'secretsmanager:GetSecretValue' }],
    ['throttled', notBound('throttled')],
    ['internal_error', perhapsBound('server_error')],
    ['expired_credentials', notBound('credentials')],
    ['reset', perhapsBound('reset')],
    ['html_503', perhapsBound('server_error')],
  ])('answers %j in our words, after one call [SB-23]', async (fault, expected) => {
    const id = await consentedFlow(standIn, ALICE);
    standIn.faults.inject(fault);
    expect(await complete(createCompleter(), id)).toEqual(expected);
    expect(standIn.completeCalls).toBe(1);
    expect(standIn.bindings).toEqual([]);
  });

  it.each([
    ['TooManyRequestsException', 429, notBound('throttled')],
    ['ServiceQuotaExceededException', 402, notBound('throttled')],
    ['SomethingNewException', 429, notBound('throttled')],
    ['ExpiredToken', 403, notBound('credentials')],
    ['UnrecognizedClientException', 403, notBound('credentials')],
    ['InvalidClientTokenId', 403, notBound('credentials')],
    ['InvalidSignatureException', 403, notBound('credentials')],
    ['SignatureDoesNotMatch', 403, notBound('credentials')],
    ['IncompleteSignature', 400, notBound('credentials')],
    ['IncompleteSignatureException', 400, notBound('credentials')],
    ['MissingAuthenticationTokenException', 403, notBound('credentials')],
    ['RequestExpired', 400, notBound('credentials')],
    ['RequestTimeTooSkewed', 403, notBound('credentials')],
    ['ServiceUnavailableException', 503, perhapsBound('server_error')],
    ['ConflictException', 409, perhapsBound('unknown_answer')],
    ['constructor', 400, perhapsBound('unknown_answer')],
  ])('understands %s with status %i', async (exception, status, expected) => {
    standIn.faults.inject({ exception, status });
    expect(await complete(createCompleter())).toEqual(expected);
  });

  it.each([
    ['2', { ...notBound('throttled'), retryAfterMs: 2_000 }],
    ['0', { ...notBound('throttled'), retryAfterMs: 0 }],
    ['Wed, 21 Oct 2099 07:28:00 GMT', notBound('throttled')],
    ['-1', notBound('throttled')],
    ['1e9', notBound('throttled')],
    ['', notBound('throttled')],
  ])('hears how long throttling wants us to wait: Retry-After %j [SB-23]', async (retryAfter, expected) => {
    const endpoint = await track(
      startRawServer((_, response) => {
        response.writeHead(429, {
          'x-amzn-errortype': 'ThrottlingException',
          'x-amzn-requestid': 'r',
          'retry-after': retryAfter,
        });
        response.end('{"message":"Rate exceeded"}');
      }),
    );
    expect(await complete(createCompleter({ endpoint }))).toEqual(expected);
  });

  it.each([
    ['Access denied', { kind: 'forbidden' }],
    ['User is not authorized to perform: ../etc/passwd', { kind: 'forbidden' }],
    ['invalid or expired session.', { kind: 'wrong_artifact' }],
    [
      'User: arn:aws:sts::1:assumed-role/r/Invalid or expired session is not authorized to perform: kms:Decrypt',
      { kind: 'forbidden', permission: 'kms:Decrypt' },
    ],
  ])('tells the two meanings of AccessDenied apart: %s', async (message, expected) => {
    standIn.faults.inject({ exception: 'AccessDeniedException', status: 403, message });
    expect(await complete(createCompleter())).toEqual(expected);
  });
});

describe('when AWS confirms nothing', () => {
  it('says unavailable, never connected, when a 200 carries no request id [SB-23]', async () => {
    standIn.faults.inject('html_200');
    expect(await complete(createCompleter())).toEqual(perhapsBound('no_request_id'));
  });

  it('says unavailable when the request id is empty [SB-23]', async () => {
    const endpoint = await track(
      startRawServer((_, response) => {
        response.writeHead(200, { 'x-amzn-requestid': '' });
        response.end();
      }),
    );
    expect(await complete(createCompleter({ endpoint }))).toEqual(perhapsBound('no_request_id'));
  });

  it('does not take an exception without request id for the word of AWS [SB-23]', async () => {
    const endpoint = await track(
      startRawServer((_, response) => {
        response.writeHead(400, { 'x-amzn-errortype': 'ValidationException' });
        response.end('{"message":"no"}');
      }),
    );
    expect(await complete(createCompleter({ endpoint }))).toEqual(perhapsBound('no_request_id'));
  });

  it.each<CompletionFault>(['reset_after_binding', 'truncated'])(
    'says that it may have bound on %s, and leaves retries to the caller [SB-23]',
    async (fault) => {
      vi.stubEnv('AWS_MAX_ATTEMPTS', '3');
      const id = await consentedFlow(standIn, ALICE);
      standIn.faults.inject(fault, 1);
      expect(await complete(createCompleter(), id)).toMatchObject({
        kind: 'unavailable',
        mayHaveBound: true,
      });
      expect(standIn.completeCalls).toBe(1);
      expect(standIn.bindings).toHaveLength(1);
    },
  );

  it.each<[string, string, { contentLength?: string; isCut?: boolean }]>([
    ['reset', '{"a', { contentLength: '10', isCut: true }],
    ['unknown_failure', ' '.repeat(100 * 1024), {}],
  ])('says that it may have bound when the 200 is no whole answer: %s [SB-23]', async (reason, body, how) => {
    const { contentLength = String(body.length), isCut = false } = how;
    const endpoint = await track(
      startRawServer((_, response) => {
        response.writeHead(200, { 'x-amzn-requestid': 'r', 'content-length': contentLength });
        response.write(body);
        if (isCut) setTimeout(() => response.destroy(), 20);
      }),
    );
    expect(await complete(createCompleter({ endpoint }))).toEqual(perhapsBound(reason));
  });

  it('keeps connections for the next call, and opens one for each call under way', async () => {
    const sockets = new Set<unknown>();
    const endpoint = await track(
      startRawServer((request, response) => {
        sockets.add(request.socket);
        setTimeout(() => response.writeHead(200, { 'x-amzn-requestid': 'r' }).end('{}'), 20);
      }),
    );
    const completer = createCompleter({ endpoint });
    await complete(completer);
    await complete(completer);
    expect(sockets.size).toBe(1);
    await Promise.all(Array.from({ length: 60 }, () => complete(completer)));
    expect(sockets.size).toBe(60);
  });

  it('says that it may have bound after a failure that it does not know', async () => {
    const endpoint = await track(startRawServer((_, response) => response.socket?.end('nonsense\r\n\r\n')));
    expect(await complete(createCompleter({ endpoint }))).toEqual(perhapsBound('unknown_failure'));
  });
});

describe('time', () => {
  it('gives up on a call that hangs [SB-23]', async () => {
    standIn.faults.inject('hang');
    const startedMs = performance.now();
    expect(await complete(createCompleter({ attemptTimeoutMs: 200 }))).toEqual(perhapsBound('timeout'));
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    expect(standIn.completeCalls).toBe(1);
  });

  it('gives up on an answer that stops after its headers [SB-23]', async () => {
    const endpoint = await track(
      startRawServer((_, response) => {
        response.writeHead(200, { 'x-amzn-requestid': 'r', 'content-length': '10' });
        response.write('{');
      }),
    );
    const startedMs = performance.now();
    expect(await complete(createCompleter({ endpoint, attemptTimeoutMs: 200 }))).toMatchObject({
      kind: 'unavailable',
      mayHaveBound: true,
    });
    expect(performance.now() - startedMs).toBeLessThan(2_500);
  });

  it('gives up when the caller does, and closes the connection [SB-23]', async () => {
    let closed = false;
    const caller = new AbortController();
    const endpoint = await track(
      startRawServer((request) => {
        request.socket.once('close', () => {
          closed = true;
        });
        caller.abort();
      }),
    );
    const startedMs = performance.now();
    const completer = createCompleter({ endpoint, attemptTimeoutMs: 30_000 });
    expect(await complete(completer, undefined, caller.signal)).toEqual(perhapsBound('timeout'));
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    await vi.waitFor(() => expect(closed).toBe(true), { timeout: 10_000 });
  });

  it('sends nothing any more when the SDK comes to its credentials too late [SB-23]', async () => {
    let asked = 0;
    let giveNow = () => {};
    const late = new Promise<void>((resolve) => {
      giveNow = resolve;
    });
    const completer = createCompleter({
      attemptTimeoutMs: 200,
      credentials: async () => {
        asked += 1;
        if (asked > 2) await late;
        // Expired at once, so that they are asked for again.
        return { ...STATIC_CREDENTIALS, expiration: new Date(Date.now() + 1) };
      },
    });
    expect(await complete(completer)).toEqual(notBound('credentials'));
    giveNow();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(asked).toBeGreaterThan(2);
    expect(standIn.completeCalls).toBe(0);
  });

  it('does not call AWS when no time is left', async () => {
    expect(await complete(createCompleter(), undefined, AbortSignal.abort())).toEqual(
      notBound('no_time_left'),
    );
    expect(standIn.completeCalls).toBe(0);
  });

  it('waits for an answer that is merely slow', async () => {
    const id = await consentedFlow(standIn, ALICE);
    standIn.faults.inject({ slowMs: 300 });
    expect(await complete(createCompleter(), id)).toMatchObject({ kind: 'completed' });
  });

  it('lets no user wait for the calls of two hundred others that hang [SB-21]', async () => {
    const id = await consentedFlow(standIn, ALICE);
    standIn.faults.inject('hang', 200);
    const completer = createCompleter({ attemptTimeoutMs: 30_000 });
    const giveUp = new AbortController();
    const hanging = Array.from({ length: 200 }, () => complete(completer, undefined, giveUp.signal));
    await vi.waitFor(() => expect(standIn.completeCalls).toBe(200), { timeout: 20_000 });

    const startedMs = performance.now();
    expect(await complete(completer, id)).toMatchObject({ kind: 'completed' });
    expect(performance.now() - startedMs).toBeLessThan(10_000);

    giveUp.abort();
    expect(new Set((await Promise.all(hanging)).map((answer) => answer.kind))).toEqual(
      new Set(['unavailable']),
    );
  });

  it('lets no user wait for the throttling of others, whatever AWS_RETRY_MODE says', async () => {
    vi.stubEnv('AWS_RETRY_MODE', 'adaptive');
    const completer = createCompleter();
    standIn.faults.inject('throttled', 10);
    for (let call = 0; call < 10; call += 1) await complete(completer);

    const startedMs = performance.now();
    expect(await complete(completer)).toEqual({ kind: 'wrong_artifact' });
    expect(performance.now() - startedMs).toBeLessThan(1_500);
  });
});

describe('when nothing can have been sent', () => {
  it('says so when the connection is refused', async () => {
    const endpoint = `http://127.0.0.1:${await closedPort()}`;
    expect(await complete(createCompleter({ endpoint }))).toEqual(notBound('unreachable'));
  });

  it('says so when every address of a host refuses', async () => {
    const endpoint = `http://localhost:${await closedPort()}`;
    expect(await complete(createCompleter({ endpoint }))).toEqual(notBound('unreachable'));
  });

  it('says so when the host has no address', async () => {
    expect(await complete(createCompleter({ endpoint: 'https://agentcore.invalid' }))).toEqual(
      notBound('unreachable'),
    );
  });

  it('says so when no connection comes about in time', async () => {
    const endpoint = await track(startDeafServer());
    expect(await complete(createCompleter({ endpoint }))).toEqual(notBound('unreachable'));
  });

  it('says so when the certificate is not trusted', async () => {
    const endpoint = await track(startSelfSignedServer());
    expect(await complete(createCompleter({ endpoint }))).toEqual(notBound('tls'));
  });

  it('sends no user token over http to another machine, whoever configured that endpoint [SB-16]', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://agentcore.invalid');
    const completer = createAgentCoreCompleter({ region: 'us-east-1', credentials: STATIC_CREDENTIALS });
    completers.push(completer);
    expect(await complete(completer)).toEqual(notBound('insecure_endpoint'));
  });
});

describe('AWS credentials', () => {
  it('says unavailable without a call when there are none', async () => {
    const completer = withoutAnyCredentials();
    expect(await complete(completer)).toEqual(notBound('credentials'));
    expect(await completer.credentialsWork()).toBe(false);
    expect(standIn.completeCalls).toBe(0);
  });

  it('reads no refusal of a credential service as one of AgentCore', async () => {
    expect(await complete(createCompleter({ credentials: refusedByCredentialService }))).toEqual(
      notBound('credentials'),
    );
  });

  it('waits no longer than allowed for a provider that hangs', async () => {
    const completer = createCompleter({ credentials: hangingCredentials, attemptTimeoutMs: 150 });
    const startedMs = performance.now();
    expect(await complete(completer)).toEqual(notBound('credentials'));
    expect(await completer.credentialsWork(150)).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(2_500);
  });

  it('answers the readiness check within a second by itself', async () => {
    const startedMs = performance.now();
    expect(await createCompleter({ credentials: hangingCredentials }).credentialsWork()).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(2_500);
  });

  it('finds those that work', async () => {
    expect(await createCompleter().credentialsWork()).toBe(true);
  });

  describe('of a container', () => {
    const provider = createServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          AccessKeyId: 'AKIDCONTAINER',
          SecretAccessKey: 'secret',
          Token: 'token',
          Expiration: new Date(Date.now() + 3_600_000).toISOString(),
        }),
      );
    });
    beforeAll(() => new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve)));
    afterAll(() => new Promise((resolve) => provider.close(resolve)));

    it('are found by the default chain', async () => {
      const completer = withoutAnyCredentials();
      const address = provider.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${port}/credentials`);
      expect(await completer.credentialsWork()).toBe(true);
      expect(await complete(completer)).toEqual({ kind: 'wrong_artifact' });
    });
  });
});
