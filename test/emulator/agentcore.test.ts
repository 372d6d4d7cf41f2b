import {
  type BedrockAgentCoreClient,
  CompleteResourceTokenAuthCommand,
  GetWorkloadAccessTokenForJWTCommand,
  GetWorkloadAccessTokenForUserIdCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AgentCoreStandIn, startAgentCore } from '../../src/emulator/agentcore.ts';
import {
  consentedFlow,
  createClient,
  decide,
  jwtOf,
  mint,
  must,
  requestToken,
  RETURN_URL,
} from '../agentcore/stand-in-flow.ts';

const ALICE = jwtOf('alice');
const INVALID = { name: 'AccessDeniedException', message: 'Invalid or expired session' };

let standIn: AgentCoreStandIn;
let client: BedrockAgentCoreClient;

beforeEach(async () => {
  standIn = await startAgentCore();
  standIn.returnUrls.add(RETURN_URL);
  client = createClient(standIn);
});

afterEach(async () => {
  client.destroy();
  await standIn.close();
});

function complete(sessionUri: string, userIdentifier: { userToken: string } | { userId: string }) {
  return client.send(new CompleteResourceTokenAuthCommand({ sessionUri, userIdentifier }));
}

function post(path: string, headers: Record<string, string>, body = '{}') {
  return fetch(`${standIn.endpoint}${path}`, { method: 'POST', headers, body });
}

async function statusOf(url: string, init?: RequestInit): Promise<number> {
  return (await fetch(url, init)).status;
}

async function openFlow(more: Parameters<typeof requestToken>[2] = {}) {
  const workloadAccessToken = await mint(client, ALICE);
  const { authorizationUrl, sessionUri } = await requestToken(client, workloadAccessToken, more);
  return {
    workloadAccessToken,
    authorizationUrl: must(authorizationUrl),
    sessionUri: must(sessionUri),
  };
}

describe('a flow on the AgentCore stand-in', () => {
  it('ends with the resource token in the vault of the user whose token opened it', async () => {
    const { workloadAccessToken, authorizationUrl, sessionUri } = await openFlow();
    expect(authorizationUrl).toBe(
      `${standIn.endpoint}/identities/oauth2/authorize?request_uri=${encodeURIComponent(sessionUri)}`,
    );
    expect(await requestToken(client, workloadAccessToken, { sessionUri })).toMatchObject({
      sessionStatus: 'IN_PROGRESS',
    });
    await decide(authorizationUrl, 'allow');
    expect(standIn.vaultOwnerOf(sessionUri)).toBeUndefined();

    const completed = await complete(sessionUri, { userToken: ALICE });

    expect(completed.$metadata).toMatchObject({ httpStatusCode: 200, requestId: expect.any(String) });
    expect(standIn.vaultOwnerOf(sessionUri)).toEqual({
      kind: 'jwt',
      issuer: 'https://idp.example',
      subject: 'alice',
    });
    const polled = await requestToken(client, workloadAccessToken, { sessionUri });
    expect(polled.accessToken).toBe(must(standIn.bindings[0]).accessToken);
    expect(standIn.calls).toMatchObject([
      { sessionUri, userToken: ALICE, userId: undefined, answer: 'bound' },
    ]);
    expect(standIn.completeCalls).toBe(1);
  });

  it('gives the stored token to a fresh JWT of the same user, and to nobody else', async () => {
    await complete(await consentedFlow(standIn, ALICE), { userToken: ALICE });

    const fresh = await requestToken(client, await mint(client, jwtOf('alice', 2)));
    const stranger = await requestToken(client, await mint(client, jwtOf('mallory')));
    const namesake = await requestToken(
      client,
      await mint(client, jwtOf('alice', 1, 'https://other.example')),
    );
    const otherProvider = await requestToken(client, await mint(client, ALICE), {
      resourceCredentialProviderName: 'slack',
    });

    expect(fresh.accessToken).toBeDefined();
    expect(fresh.authorizationUrl).toBeUndefined();
    expect([stranger, namesake, otherProvider].map((answer) => answer.accessToken)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('asks for consent again on forceAuthentication', async () => {
    await complete(await consentedFlow(standIn, ALICE), { userToken: ALICE });
    const again = await requestToken(client, await mint(client, ALICE), { forceAuthentication: true });
    expect(again.accessToken).toBeUndefined();
    expect(again.authorizationUrl).toBeDefined();
  });

  it('completes a user id flow with the same user id only', async () => {
    const { workloadAccessToken } = await client.send(
      new GetWorkloadAccessTokenForUserIdCommand({ workloadName: 'agent', userId: 'alice' }),
    );
    const opened = await requestToken(client, must(workloadAccessToken));
    await decide(must(opened.authorizationUrl), 'allow');
    const sessionUri = must(opened.sessionUri);

    await expect(complete(sessionUri, { userId: 'mallory' })).rejects.toMatchObject(INVALID);
    await expect(complete(sessionUri, { userToken: 'alice' })).rejects.toMatchObject(INVALID);
    await complete(sessionUri, { userId: 'alice' });
    expect(standIn.vaultOwnerOf(sessionUri)).toEqual({ kind: 'user_id', userId: 'alice' });
  });

  it('refuses a return URL that is not registered', async () => {
    standIn.returnUrls.clear();
    await expect(openFlow()).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(/^You must register and use at least one ResourceOauth2ReturnUrl/),
    });
  });

  it('shows a flow to its own user only', async () => {
    const { sessionUri } = await openFlow();
    const stranger = await mint(client, jwtOf('mallory'));
    await expect(requestToken(client, stranger, { sessionUri })).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });

  it('refuses an unknown workload access token, a token that is no JWT, and machine-to-machine', async () => {
    await expect(requestToken(client, 'unknown')).rejects.toMatchObject({ name: 'UnauthorizedException' });
    await expect(
      client.send(new GetWorkloadAccessTokenForJWTCommand({ workloadName: 'agent', userToken: 'opaque' })),
    ).rejects.toMatchObject({ name: 'UnauthorizedException' });
    await expect(openFlow({ oauth2Flow: 'M2M' })).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('completion on the AgentCore stand-in', () => {
  it('accepts the original artifact only, not a fresh token of the same user', async () => {
    const sessionUri = await consentedFlow(standIn, ALICE);
    await expect(complete(sessionUri, { userToken: jwtOf('alice', 2) })).rejects.toMatchObject(INVALID);
    await expect(complete(sessionUri, { userToken: jwtOf('mallory') })).rejects.toMatchObject(INVALID);
    await expect(complete(sessionUri, { userId: ALICE })).rejects.toMatchObject(INVALID);
    expect(standIn.bindings).toEqual([]);
  });

  it('refuses an unknown session, one without consent, a denied one, a used one and an old one', async () => {
    await expect(
      complete('urn:ietf:params:oauth:request_uri:unknown', { userToken: ALICE }),
    ).rejects.toMatchObject(INVALID);

    const awaited = await openFlow();
    await expect(complete(awaited.sessionUri, { userToken: ALICE })).rejects.toMatchObject(INVALID);

    const denied = await openFlow();
    await decide(denied.authorizationUrl, 'deny');
    await expect(complete(denied.sessionUri, { userToken: ALICE })).rejects.toMatchObject(INVALID);
    expect(
      await requestToken(client, denied.workloadAccessToken, { sessionUri: denied.sessionUri }),
    ).toMatchObject({ sessionStatus: 'FAILED' });

    const used = await consentedFlow(standIn, ALICE);
    await complete(used, { userToken: ALICE });
    await expect(complete(used, { userToken: ALICE })).rejects.toMatchObject(INVALID);

    const old = await consentedFlow(standIn, ALICE);
    standIn.advance(10 * 60_000);
    await expect(complete(old, { userToken: ALICE })).rejects.toMatchObject(INVALID);

    expect(standIn.bindings.map((binding) => binding.sessionUri)).toEqual([used]);
  });

  it.each([
    ['no identifier', 'urn:ietf:params:oauth:request_uri:a', {}],
    ['both identifiers', 'urn:ietf:params:oauth:request_uri:a', { userToken: 'a.b.c', userId: 'u' }],
    ['an empty identifier', 'urn:ietf:params:oauth:request_uri:a', { userToken: '' }],
    ['a user id of 129 characters', 'urn:ietf:params:oauth:request_uri:a', { userId: 'u'.repeat(129) }],
    ['a user token of 131073', 'urn:ietf:params:oauth:request_uri:a', { userToken: 'u'.repeat(131_073) }],
    ['an empty session', '', { userToken: ALICE }],
    ['a session that is no urn', 'https://evil.example', { userToken: ALICE }],
    [
      'a session of 1025 characters',
      `urn:ietf:params:oauth:request_uri:${'a'.repeat(991)}`,
      { userToken: ALICE },
    ],
  ])(
    'answers %s with ValidationException, since the SDK lets it through',
    async (_, sessionUri, identifier) => {
      const command = new CompleteResourceTokenAuthCommand({
        sessionUri,
        // @ts-expect-error: some of these are what the type forbids and the SDK sends.
        userIdentifier: identifier,
      });
      await expect(client.send(command)).rejects.toMatchObject({
        name: 'ValidationException',
        $metadata: { httpStatusCode: 400, requestId: expect.any(String) },
      });
    },
  );
});

describe('the wire of the AgentCore stand-in', () => {
  const COMPLETE = '/identities/CompleteResourceTokenAuth';
  const signature = `Signature=${'a'.repeat(64)}`;
  const signedFor = (service: string) =>
    `AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host;x-amz-date, ${signature}`;

  it('refuses a request without signature as AWS does', async () => {
    const answer = await post(COMPLETE, {});
    expect(answer.status).toBe(403);
    expect(answer.headers.get('x-amzn-errortype')).toBe('MissingAuthenticationTokenException');
    expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(standIn.completeCalls).toBe(0);
  });

  it.each([
    ['for another service', { authorization: signedFor('s3'), 'x-amz-date': '20260101T000000Z' }],
    ['without a date', { authorization: signedFor('bedrock-agentcore') }],
    ['that is a bearer token', { authorization: 'Bearer a.b.c', 'x-amz-date': '20260101T000000Z' }],
  ])('refuses a signature %s', async (_, headers) => {
    const answer = await post(COMPLETE, headers);
    expect(answer.status).toBe(403);
    expect(answer.headers.get('x-amzn-errortype')).toBe('InvalidSignatureException');
    expect(standIn.completeCalls).toBe(0);
  });

  it('answers an unknown operation, and a body that is no JSON', async () => {
    const headers = { authorization: signedFor('bedrock-agentcore'), 'x-amz-date': '20260101T000000Z' };
    const unknown = await post('/identities/Nothing', headers);
    const notJson = await post(COMPLETE, headers, 'nonsense');
    expect([unknown.status, notJson.status]).toEqual([404, 400]);
  });

  it('plays a fault as often as told, then behaves again', async () => {
    const sessionUri = await consentedFlow(standIn, ALICE);
    standIn.faults.inject('throttled', 2);
    await expect(complete(sessionUri, { userToken: ALICE })).rejects.toMatchObject({
      name: 'ThrottlingException',
    });
    await expect(complete(sessionUri, { userToken: ALICE })).rejects.toMatchObject({
      name: 'ThrottlingException',
    });
    await complete(sessionUri, { userToken: ALICE });
    expect(standIn.calls.map((call) => call.answer)).toEqual(['throttled', 'throttled', 'bound']);
  });

  it('plays a fault until it is cleared', async () => {
    const sessionUri = await consentedFlow(standIn, ALICE);
    standIn.faults.inject('internal_error');
    await expect(complete(sessionUri, { userToken: ALICE })).rejects.toMatchObject({
      name: 'InternalServerException',
    });
    standIn.faults.clear();
    await complete(sessionUri, { userToken: ALICE });
  });

  it('binds before it loses the answer, so that a retry is told "Invalid or expired session"', async () => {
    const sessionUri = await consentedFlow(standIn, ALICE);
    standIn.faults.inject('reset_after_binding', 1);
    await expect(complete(sessionUri, { userToken: ALICE })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(standIn.bindings).toHaveLength(1);
    await expect(complete(sessionUri, { userToken: ALICE })).rejects.toMatchObject(INVALID);
  });

  it('binds nothing when the connection breaks before', async () => {
    const sessionUri = await consentedFlow(standIn, ALICE);
    standIn.faults.inject('reset', 1);
    await expect(complete(sessionUri, { userToken: ALICE })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(standIn.bindings).toEqual([]);
  });
});

describe('the consent page of the AgentCore stand-in', () => {
  it('sends the browser back with the session and the custom state', async () => {
    const { authorizationUrl, sessionUri } = await openFlow({ customState: 'sb1.x&y' });
    const page = await fetch(authorizationUrl);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('value="allow"');

    const answer = await decide(authorizationUrl, 'allow');

    expect(answer.status).toBe(302);
    const location = new URL(must(answer.headers.get('location')));
    expect(location.origin + location.pathname).toBe(RETURN_URL);
    expect([...location.searchParams]).toEqual([
      ['session_id', sessionUri],
      ['state', 'sb1.x&y'],
    ]);
  });

  it('reports a denial as OAuth does', async () => {
    const { authorizationUrl, sessionUri } = await openFlow();
    const answer = await decide(authorizationUrl, 'deny');
    expect([...new URL(must(answer.headers.get('location'))).searchParams]).toEqual([
      ['error', 'access_denied'],
      ['session_id', sessionUri],
    ]);
  });

  it('escapes the names that it shows [SB-17]', async () => {
    const { authorizationUrl } = await openFlow({
      resourceCredentialProviderName: '<script>alert(1)</script>',
    });
    const page = await (await fetch(authorizationUrl)).text();
    expect(page).not.toContain('<script>');
  });

  it('refuses unknown, repeated and expired requests, other methods and other decisions', async () => {
    const { authorizationUrl } = await openFlow();
    expect(await statusOf(`${standIn.endpoint}/identities/oauth2/authorize`)).toBe(400);
    expect(await statusOf(`${standIn.endpoint}/identities/oauth2/authorize?request_uri=urn:x`)).toBe(400);
    expect(await statusOf(`${authorizationUrl}&request_uri=urn:x`)).toBe(400);
    expect(await statusOf(authorizationUrl, { method: 'PUT' })).toBe(405);
    expect((await decide(authorizationUrl, 'perhaps')).status).toBe(400);
    standIn.advance(10 * 60_000);
    expect(await statusOf(authorizationUrl)).toBe(400);
  });
});
