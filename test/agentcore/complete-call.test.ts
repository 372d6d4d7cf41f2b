import { BedrockAgentCoreClient, CompleteResourceTokenAuthCommand } from '@aws-sdk/client-bedrock-agentcore';
import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAgentCoreCompleter } from '../../src/agentcore/completer.ts';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { Secret } from '../../src/binding/secret.ts';
import { startRawServer } from './hostile-servers.ts';
import { must, STATIC_CREDENTIALS } from './stand-in-flow.ts';

const SESSION = must(parseAuthorizationSession('urn:ietf:params:oauth:request_uri:abc'));
const USER_TOKEN = 'a.b.c';
const REGION = 'eu-central-1';

interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** AgentCore that accepts everything, and what it received. */
async function startListener(answer: (response: ServerResponse) => void = confirm) {
  const received: Received[] = [];
  const server = await startRawServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ method: request.method, path: request.url, headers: request.headers, body });
      answer(response);
    });
  });
  onTestFinished(() => server.close());
  return { endpoint: server.endpoint, received };
}

function confirm(response: ServerResponse) {
  response.writeHead(200, { 'content-type': 'application/json', 'x-amzn-requestid': 'r' }).end('{}');
}

type Credentials = Parameters<typeof createAgentCoreCompleter>[0]['credentials'];

function createComplete(endpoint: string | undefined, credentials: Credentials = STATIC_CREDENTIALS) {
  const completer = createAgentCoreCompleter({
    region: REGION,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  onTestFinished(() => completer.close());
  return () =>
    completer.complete(SESSION, { userToken: new Secret(USER_TOKEN) }, AbortSignal.timeout(10_000));
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signatureOf({ method, path, headers, body }: Received, signedHeaders: string, date: string): string {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const canonicalHeaders = signedHeaders.split(';').map((name) => `${name}:${String(headers[name])}\n`);
  const canonical = [method, path, '', canonicalHeaders.join(''), signedHeaders, hash(body)].join('\n');
  const scope = [date.slice(0, 8), REGION, 'bedrock-agentcore', 'aws4_request'];
  const key = scope.reduce<string | Buffer>(
    (derived, part) => createHmac('sha256', derived).update(part).digest(),
    `AWS4${STATIC_CREDENTIALS.secretAccessKey}`,
  );
  const toSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), hash(canonical)].join('\n');
  return createHmac('sha256', key).update(toSign).digest('hex');
}

function signedPartsOf({ headers }: Received) {
  const { authorization = '', 'x-amz-date': date } = headers;
  const [, signedHeaders = '', signature] =
    /SignedHeaders=([^,]+), Signature=([0-9a-f]+)$/.exec(authorization) ?? [];
  return { signedHeaders, signature, date: String(date) };
}

const AGAIN = { kind: 'unavailable', mayHaveBound: true };

describe('CompleteResourceTokenAuth, put together from the parts of the SDK', () => {
  it('is the request that the SDK’s own client sends', async () => {
    const { endpoint, received } = await startListener();
    const client = new BedrockAgentCoreClient({ region: REGION, endpoint, credentials: STATIC_CREDENTIALS });
    onTestFinished(() => client.destroy());
    await client.send(
      new CompleteResourceTokenAuthCommand({
        sessionUri: SESSION.id,
        userIdentifier: { userToken: USER_TOKEN },
      }),
    );
    expect(await createComplete(endpoint)()).toMatchObject({ kind: 'completed' });
    const [theirs, ours] = received.map(({ headers, ...rest }) => {
      // What says when, who, and how often.
      const { authorization, 'x-amz-date': _date, 'user-agent': _agent, ...others } = headers;
      const told = Object.entries(others).filter(([name]) => !/^(?:amz-sdk-|x-amz-user-agent)/.test(name));
      return {
        ...rest,
        headers: Object.fromEntries(told),
        credential: /^[^,]+/.exec(authorization ?? '')?.[0],
      };
    });
    expect(ours).toEqual(theirs);
  });

  it('bears a signature that AWS can verify, over host, length and body', async () => {
    const { endpoint, received } = await startListener();
    await createComplete(endpoint)();
    const [request] = received;
    const { signedHeaders, signature, date } = signedPartsOf(must(request));
    expect(signedHeaders.split(';')).toEqual(
      expect.arrayContaining(['content-length', 'host', 'x-amz-date']),
    );
    expect(signatureOf(must(request), signedHeaders, date)).toBe(signature);
  });

  const HOUR_MS = 3_600_000;
  const dateIn = (milliseconds: number) => new Date(Date.now() + milliseconds).toUTCString();

  /** How much later than ours the clock is by which the second call is signed, when the first was answered so. */
  async function skewAfter(status: number, headers: Readonly<Record<string, string>>, body = '{}') {
    const { endpoint, received } = await startListener((response) => {
      response.writeHead(status, headers).end(body);
    });
    const complete = createComplete(endpoint);
    await complete();
    await complete();
    const dates = received.map((request) => {
      const iso = signedPartsOf(request).date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
      return Date.parse(iso);
    });
    expect(dates).toHaveLength(2);
    return Math.round(((dates[1] ?? 0) - (dates[0] ?? 0)) / HOUR_MS);
  }
  const SKEWED = { 'x-amzn-requestid': 'r', 'x-amzn-errortype': 'RequestTimeTooSkewed' };

  it('is signed by the clock of AWS once AWS has refused ours', async () => {
    expect(await skewAfter(403, { date: dateIn(HOUR_MS), ...SKEWED })).toBe(1);
  });

  it.each([
    ['a confirmation', 200, { date: dateIn(HOUR_MS), 'x-amzn-requestid': 'r' }, '{}'],
    ['another refusal', 403, { ...SKEWED, date: dateIn(HOUR_MS), 'x-amzn-errortype': 'AccessDenied' }, '{}'],
    ['what is not AWS', 403, { date: dateIn(HOUR_MS), 'x-amzn-errortype': 'RequestTimeTooSkewed' }, '{}'],
    ['a date that is absurd', 403, { ...SKEWED, date: 'Sat, 13 Sep 275760 00:00:00 GMT' }, '{}'],
    ['a ServerTime that is absurd', 403, SKEWED, '{"ServerTime":"Sat, 13 Sep 275760 00:00:00 GMT"}'],
  ])('keeps its own clock after %s [SB-23]', async (_what, status, headers, body) => {
    expect(await skewAfter(status, headers, body)).toBe(0);
  });

  it('works for the next user where it could not be set up for the first, whose failure is not AgentCore’s [SB-23]', async () => {
    const { endpoint } = await startListener();
    const refusal = Object.assign(new Error('Invalid or expired session'), {
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 400, requestId: 'of-the-credential-service' },
    });
    let asked = 0;
    const complete = createComplete(endpoint, () => {
      asked += 1;
      // Asked anew each time, since they are about to expire: twice before the call, then by its setting up.
      if (asked === 3) return Promise.reject(refusal);
      return Promise.resolve({ ...STATIC_CREDENTIALS, expiration: new Date(Date.now() + 1000) });
    });
    expect(await complete()).toEqual({ kind: 'unavailable', mayHaveBound: false, reason: 'credentials' });
    expect(await complete()).toMatchObject({ kind: 'completed' });
  });

  it('goes to the endpoint of the SDK’s own variable', async () => {
    const { endpoint, received } = await startListener();
    vi.stubEnv('AWS_ENDPOINT_URL_BEDROCK_AGENTCORE', `${endpoint}/prefix`);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await createComplete(undefined)()).toMatchObject({ kind: 'completed' });
    expect(received.map(({ path }) => path)).toEqual(['/prefix/identities/CompleteResourceTokenAuth']);
  });

  it.each([
    ['another 2xx', 204, { 'x-amzn-requestid': 'r' }],
    ['a user token as request id', 200, { 'x-amzn-requestid': 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln' }],
    ['a request id that is endless', 200, { 'x-amzn-requestid': 'a'.repeat(129) }],
  ])('is not confirmed by %s [SB-16] [SB-23]', async (_what, status, headers) => {
    const { endpoint } = await startListener((response) => void response.writeHead(status, headers).end());
    expect(await createComplete(endpoint)()).toEqual({ ...AGAIN, reason: 'no_request_id' });
  });

  it.each([
    ['an exception', '{"__type":"AccessDeniedException","message":"Invalid or expired session"}'],
    ['a refusal of a gateway', '{"message":"Forbidden"}'],
    ['an error', '{"Error":{"Code":"AccessDenied"}}'],
    ['a page', '<!doctype html><title>Sign in to the proxy</title>'],
    ['half an object', '{"a":'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '7'],
  ])('is not confirmed by %s under a 200 with a request id [SB-23]', async (_what, body) => {
    const { endpoint } = await startListener((response) => {
      // Ends with its connection, so that half of it looks whole.
      response.writeHead(200, { 'x-amzn-requestid': 'r', connection: 'close' }).end(body);
    });
    expect(await createComplete(endpoint)()).toEqual({ ...AGAIN, reason: 'no_request_id' });
  });

  it('is not confirmed where the head says that it is an exception [SB-23]', async () => {
    const { endpoint } = await startListener((response) => {
      const headers = { 'x-amzn-requestid': 'r', 'x-amzn-errortype': 'AccessDeniedException' };
      response.writeHead(200, headers).end('{}');
    });
    expect(await createComplete(endpoint)()).toEqual({ ...AGAIN, reason: 'no_request_id' });
  });

  it.each(['', '{}', ' {"later": "fields"}\n'])('is confirmed by %j', async (body) => {
    const { endpoint } = await startListener(
      (response) => void response.writeHead(200, { 'x-amzn-requestid': 'r' }).end(body),
    );
    expect(await createComplete(endpoint)()).toEqual({ kind: 'completed', awsRequestId: 'r' });
  });

  it('ends at once where the answer switches protocols', async () => {
    const { endpoint } = await startListener((response) => {
      response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    });
    expect(await createComplete(endpoint)()).toEqual({ ...AGAIN, reason: 'reset' });
  });
});
