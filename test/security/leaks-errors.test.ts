import { describe, expect, it, onTestFinished } from 'vitest';
import { createAgentCoreCompleter } from '../../src/agentcore/completer.ts';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { Secret } from '../../src/binding/secret.ts';
import { startIssuer } from '../../src/emulator/issuer.ts';
import { createUserTokenVerifier } from '../../src/issuer/user-token-verifier.ts';
import { systemClock } from '../../src/system.ts';
import { startRawServer } from '../agentcore/hostile-servers.ts';
import { FORGERIES } from '../issuer/forgeries.ts';
import { createTestStore, untilWorking } from '../store/open-redis-store.ts';
import { everyCall } from '../store/every-call.ts';
import { Canaries, everythingIn } from '../support/canaries.ts';
import { describeWithRedis, startRedisForTest } from '../support/redis.ts';

const PASSWORD = 'canary-password-of-the-store';
const USERNAME = 'canary-username-of-the-store';
const AWS_SECRET = 'canary-aws-secret-0123456789';

/** What came of some work: an error, or a refusal that is a value. */
function outcomesOf(calls: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  return Promise.all(
    calls.map((call) =>
      call.then(
        (value) => value,
        (error: unknown) => error,
      ),
    ),
  );
}

describeWithRedis('an error of a store with a password', () => {
  it.each([
    ['that it does not know', { password: `${PASSWORD}-of-yesterday` }, 'up'],
    ['whose user may do nothing', { username: USERNAME, password: PASSWORD }, 'up'],
    ['that is not asked for', {}, 'up'],
    ['when it stops in the middle', { password: PASSWORD }, 'stopped'],
    ['when it is gone', { password: PASSWORD }, 'gone'],
    ['when it holds what somebody else has written', { password: PASSWORD }, 'overwritten'],
  ] as const)('says nothing of it, nor of what was asked, %s [SB-14] [SB-16]', async (_when, more, state) => {
    const server = await startRedisForTest({
      args: [
        '--requirepass',
        PASSWORD,
        '--user',
        USERNAME,
        'on',
        `>${PASSWORD}`,
        '~*',
        '+auth',
        '+hello',
        '+info',
      ],
      rawPassword: PASSWORD,
    });
    const reasons: string[] = [];
    const store = createTestStore({
      port: server.port,
      more: Object.fromEntries(Object.entries(more).map(([key, text]) => [key, new Secret(text)])),
      onFault: (reason) => reasons.push(reason),
      onUnreadable: (kind) => reasons.push(kind),
    });
    onTestFinished(() => store.close());
    const calls = everyCall(store);
    if (state !== 'up') await untilWorking(store);
    if (state === 'stopped') server.pause();
    if (state === 'gone') await server.kill();
    if (state === 'overwritten') {
      await outcomesOf(calls.filter(([name]) => /write|create|record/.test(name)).map(([, call]) => call()));
      for (const key of await server.raw.keys('sb:*')) await server.raw.set(key, 'canary-of-somebody-else');
    }

    const outcomes = await outcomesOf(calls.map(([, call]) => call()));
    if (state === 'stopped') server.resume();
    expect(outcomes.filter((outcome) => outcome instanceof Error).length).toBeGreaterThan(0);
    for (const outcome of outcomes.filter((one) => one instanceof Error)) {
      expect(everythingIn(outcome)).not.toMatch(/canary|jwt\.|user-[0-9a-f]{16}|EVALSHA|ReplyError|sb:1:/i);
    }
    expect(reasons.length).toBeGreaterThan(0);
    expect(
      reasons.filter((reason) => !/^[A-Za-z0-9_-]{2,30}$/.test(reason) || reason.includes('canary')),
    ).toEqual([]);
  });
});

describe('what AgentCore refuses', () => {
  const MESSAGES = [
    (told: string) =>
      `User: ${told} is not authorized to perform: bedrock-agentcore:${told} on resource: ${told}`,
    (told: string) => `is not authorized to perform: ${told}`,
    (told: string) => `Invalid or expired session ${told}`,
    (told: string) => told,
  ];
  const TYPES = ['AccessDeniedException', 'ValidationException', 'ThrottlingException', 'CanaryException'];

  it('is told without what AgentCore said, was told, or was signed with [SB-16] [SB-23]', async () => {
    const issuer = await startIssuer();
    onTestFinished(() => issuer.close());
    const token = await issuer.accessToken();
    const id = 'urn:ietf:params:oauth:request_uri:canary-flow-0123456789';
    const session = parseAuthorizationSession(id);
    if (session === undefined) throw new Error('the id is one');
    const canaries = new Canaries();
    canaries.addAll({ token, id, AWS_SECRET });

    let answer = (_told: string): readonly [number, Record<string, string>, string] => [500, {}, ''];
    const server = await startRawServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        const [status, headers, text] = answer(`${body} ${request.headers.authorization ?? ''}`);
        response.writeHead(status, headers).end(text);
      });
    });
    onTestFinished(() => server.close());
    const completer = createAgentCoreCompleter({
      region: 'us-east-1',
      endpoint: server.endpoint,
      attemptTimeoutMs: 500,
      credentials: { accessKeyId: 'AKIACANARY', secretAccessKey: AWS_SECRET },
    });
    const broken = createAgentCoreCompleter({
      region: 'us-east-1',
      endpoint: server.endpoint,
      credentials: () => Promise.reject(new Error(AWS_SECRET)),
    });
    onTestFinished(() => {
      completer.close();
      broken.close();
    });
    const complete = (by = completer) =>
      by.complete(session, { userToken: new Secret(token) }, new AbortController().signal);

    const outcomes: unknown[] = [...(await outcomesOf([complete(broken)]))];
    for (const type of TYPES) {
      for (const message of MESSAGES) {
        answer = (told) => [
          403,
          {
            'content-type': 'application/json',
            'x-amzn-requestid': 'r',
            'x-amzn-errortype': type,
            'retry-after': told.slice(0, 20),
          },
          JSON.stringify({ message: message(`${told} ${token}`), __type: type }),
        ];
        outcomes.push(...(await outcomesOf([complete()])));
      }
    }
    for (const page of [200, 301, 400, 503]) {
      answer = (told) => [page, { 'content-type': 'text/html', location: '/' }, `<p>${told}`];
      outcomes.push(...(await outcomesOf([complete()])));
    }
    for (const text of [(told: string) => `{"${told}`, (told: string) => JSON.stringify({ told })]) {
      const headers = { 'content-type': 'application/json', 'x-amzn-requestid': 'r'.repeat(8) };
      answer = (told) => [200, headers, text(told)];
      outcomes.push(...(await outcomesOf([complete()])));
    }

    expect(new Set(outcomes.map((outcome) => (outcome as { kind?: string }).kind))).toEqual(
      new Set(['unavailable', 'forbidden', 'wrong_artifact', 'gone', 'completed']),
    );
    for (const outcome of outcomes) expect(canaries.foundIn(everythingIn(outcome))).toEqual([]);
  });
});

describe('what a verifier says of a token', () => {
  it('is a word of ours, and its own token only as a secret [SB-10] [SB-16]', async () => {
    const [ours, foreign] = await Promise.all([startIssuer(), startIssuer()]);
    onTestFinished(async () => {
      await Promise.all([ours.close(), foreign.close()]);
    });
    const options = {
      allowedClients: ['emulated-client'],
      allowedAudience: [],
      allowedScopes: [],
      userClaim: 'sub',
      clock: systemClock,
    };
    const told: unknown[] = [];
    const onFault = (fault: unknown) => told.push(fault);
    const verifier = createUserTokenVerifier({ ...options, discoveryUrls: [ours.discoveryUrl], onFault });
    await verifier.load();
    const canaries = new Canaries();
    const good = await ours.accessToken();
    canaries.add('a good one', good);
    told.push(await verifier.verify(new Secret(good)));
    for (const [name, , make] of FORGERIES) {
      const forged = await make({ ours, foreign });
      if (forged.length > 20) canaries.add(name, forged.replaceAll('%', ''));
      told.push(await verifier.verify(new Secret(forged)));
    }
    // And of an issuer that cannot be reached, whose library says what it tried.
    const broken = createUserTokenVerifier({
      ...options,
      discoveryUrls: [ours.discoveryUrl],
      onFault,
      fetch: () => Promise.reject(new TypeError(`could not send ${good}`, { cause: new Error(good) })),
    });
    told.push(...(await outcomesOf([broken.load(), broken.verify(new Secret(good))])), broken.status());

    expect(told.length).toBeGreaterThan(FORGERIES.length);
    for (const one of told) expect(canaries.foundIn(everythingIn(one))).toEqual([]);
  });
});
