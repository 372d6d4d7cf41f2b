import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSessionBindingClient, type SessionBindingClient } from '../../src/client/client.ts';
import { freePort } from '../support/free-port.ts';
import {
  AUTHORIZATION_URL,
  hang,
  html,
  json,
  problem,
  type Reply,
  REQUEST_ID,
  reset,
  type ScriptedService,
  SESSION_URI,
  startScriptedService,
  STORED,
  truncated,
  USER_TOKEN,
} from './scripted-service.ts';

const pinning = { userToken: USER_TOKEN, authorizationUrl: AUTHORIZATION_URL };
const waiting = { userToken: USER_TOKEN, sessionUri: SESSION_URI };

/** What a moment later may be gone. */
const PASSING: readonly (readonly [string, Reply, code: string])[] = [
  ['a busy service', problem(503, 'overloaded'), 'overloaded'],
  ['an issuer that does not answer', problem(503, 'issuer_unavailable'), 'issuer_unavailable'],
  ['too many requests', problem(429, 'rate_limited'), 'rate_limited'],
  ['a load balancer without targets', html(503), 'unreachable'],
  ['a bad gateway', html(502), 'unreachable'],
  ['a gateway that waited too long', html(504), 'unreachable'],
  ['a limit of something in between', html(429), 'unreachable'],
  ['a reset connection', reset, 'unreachable'],
  ['half an answer', truncated, 'unreachable'],
  ['no answer', hang, 'unreachable'],
];

/** What asking again would not change. */
const FINAL: readonly (readonly [string, Reply, code: string])[] = [
  ['a refused user token', problem(401, 'invalid_token'), 'invalid_token'],
  ['a flow that is pinned to somebody else', problem(403, 'user_mismatch'), 'user_mismatch'],
  ['a bad field', problem(400, 'invalid_request'), 'invalid_request'],
  ['a bug of the service', problem(500, 'internal_error'), 'internal_error'],
  ['a code of a later version', problem(409, 'brand_new'), 'unexpected_answer'],
  ['a page of something else', html(200), 'unexpected_answer'],
  ['a page that is not there', html(404), 'unexpected_answer'],
  ['an answer without its fields', json({ status: 'success' }), 'unexpected_answer'],
  ['a list', json([]), 'unexpected_answer'],
];

/** Two faults, then the answer. On a busy machine the answer to a short patience may itself come too late. */
function expectTries({ arrived, pauses }: ScriptedService, reply: Reply): void {
  if (reply === hang) expect(arrived.length).toBeGreaterThanOrEqual(3);
  else expect(arrived).toHaveLength(3);
  expect(pauses).toHaveLength(arrived.length - 1);
}

describe('storing a user token', () => {
  it('posts what it was given and gives the answer typed', async () => {
    const service = await startScriptedService(
      json({ ...STORED, sign_in_url: 'http://localhost/sign-in?code=x' }),
    );
    const stored = await service.client().storeUserToken({
      ...pinning,
      sessionUri: SESSION_URI,
      returnTo: 'https://app.example/done',
      label: 'GitHub',
    });
    expect(stored).toEqual({
      user: { subject: 'sub-of-alice', username: 'alice' },
      expiresAt: new Date('2030-01-01T00:00:00.000Z'),
      callbackUrl: STORED.callback_url,
      customState: 'sb1.sealed',
      startUrl: STORED.start_url,
      signInUrl: 'http://localhost/sign-in?code=x',
    });
    const [request] = service.arrived;
    expect(request).toMatchObject({ method: 'POST', path: '/userIdentifier/token' });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      accept: 'application/json',
    });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      user_token: USER_TOKEN,
      authorization_url: AUTHORIZATION_URL,
      session_uri: SESSION_URI,
      return_to: 'https://app.example/done',
      label: 'GitHub',
    });
  });

  it('sends no field that it was not given', async () => {
    const service = await startScriptedService(json(STORED));
    await service.client().storeUserToken({ userToken: USER_TOKEN });
    expect(JSON.parse(service.arrived[0]?.body ?? '')).toEqual({ user_token: USER_TOKEN });
  });

  it('keeps the path prefix of the service', async () => {
    const service = await startScriptedService(json(STORED));
    await service.client({ baseUrl: `${service.url}/jupyterlab/proxy/9090/` }).storeUserToken(pinning);
    expect(service.arrived[0]?.path).toBe('/jupyterlab/proxy/9090/userIdentifier/token');
  });

  it('does not hand out an authorization URL in place of a start link that is missing [SB-32]', async () => {
    const service = await startScriptedService(json({ ...STORED, start_url: undefined }));
    await expect(service.client().storeUserToken(pinning)).rejects.toMatchObject({
      code: 'unexpected_answer',
    });
  });

  it.each(PASSING)('tries again after %s', async (_what, reply) => {
    const service = await startScriptedService(reply, reply, json(STORED));
    const client = service.client({ requestTimeoutMs: reply === hang ? 300 : 10_000 });
    await expect(client.storeUserToken(pinning)).resolves.toMatchObject({ startUrl: STORED.start_url });
    expectTries(service, reply);
  });

  it.each(PASSING)('names %s when the time is over', async (_what, reply, code) => {
    const service = await startScriptedService(reply);
    const client = service.client({ requestTimeoutMs: reply === hang ? 300 : 10_000 });
    // The end of it leaves a busy machine time enough for one real answer.
    const timeoutMs = reply === hang ? 500 : 5_000;
    await expect(client.storeUserToken({ ...pinning, timeoutMs })).rejects.toMatchObject({ code });
    expect(service.arrived.length).toBeGreaterThan(1);
    expect(service.pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(timeoutMs);
  });

  it.each(FINAL)('does not ask again after %s', async (_what, reply, code) => {
    const service = await startScriptedService(reply);
    await expect(service.client().storeUserToken(pinning)).rejects.toMatchObject({
      name: 'SessionBindingError',
      code,
    });
    expect(service.arrived).toHaveLength(1);
  });

  it('says under which reference the service logged a refusal', async () => {
    const service = await startScriptedService(problem(403, 'user_mismatch'));
    await expect(service.client().storeUserToken(pinning)).rejects.toMatchObject({
      message: `session binding: user_mismatch (request ${REQUEST_ID})`,
      status: 403,
      requestId: REQUEST_ID,
    });
  });

  it('follows no redirect: the user token stays here [SB-16]', async () => {
    const elsewhere = await startScriptedService(json(STORED));
    const service = await startScriptedService((response) =>
      response.writeHead(307, { location: `${elsewhere.url}/userIdentifier/token` }).end(),
    );
    await expect(service.client().storeUserToken(pinning)).rejects.toMatchObject({
      code: 'unexpected_answer',
    });
    expect(elsewhere.arrived).toEqual([]);
  });
});

describe('coming back later', () => {
  it('waits as long as it is told to', async () => {
    const service = await startScriptedService(
      problem(503, 'overloaded', { 'retry-after': '7' }),
      json(STORED),
    );
    await service.client().storeUserToken(pinning);
    expect(service.pauses).toEqual([7_000]);
  });

  it('says so at once when that is later than it may wait', async () => {
    const service = await startScriptedService(problem(429, 'rate_limited', { 'retry-after': '60' }));
    await expect(service.client().storeUserToken(pinning)).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 60_000,
    });
    expect({ calls: service.arrived.length, pauses: service.pauses }).toEqual({ calls: 1, pauses: [] });
  });

  it('is kept away by no answer for longer than a minute', async () => {
    const reply = html(503);
    const service = await startScriptedService(
      (response, arrived) => {
        response.setHeader('retry-after', '86400');
        reply(response, arrived);
      },
      json({ status: 'completed' }),
    );
    await service.client().waitForAuthorization(waiting);
    expect(service.pauses).toEqual([60_000]);
  });

  it.each(['soon', '-5', 'Wed, 21 Oct 2026 07:28:00 GMT', '1e9', '99999999999'])(
    'takes no notice of Retry-After: %s',
    async (value) => {
      const service = await startScriptedService(
        problem(503, 'overloaded', { 'retry-after': value }),
        json(STORED),
      );
      await service.client().storeUserToken(pinning);
      expect(service.pauses).toEqual([100]);
    },
  );

  it.each([
    [0, [100, 200, 400, 800, 1_600, 2_500, 2_500]],
    [0.999_999, [200, 400, 800, 1_600, 3_200, 5_000, 5_000]],
  ])('leaves half of each pause to chance (%s)', async (chance, pauses) => {
    const service = await startScriptedService(...Array.from({ length: 7 }, () => html(503)), json(STORED));
    service.timers.chance = chance;
    await service.client().storeUserToken(pinning);
    expect(service.pauses.map((ms) => Math.round(ms))).toEqual(pauses);
  });
});

describe('waiting for an authorization', () => {
  it('asks with the user token for the flow, and holds the poll open', async () => {
    const service = await startScriptedService(json({ status: 'completed' }));
    await service.client().waitForAuthorization(waiting);
    expect(service.arrived).toHaveLength(1);
    expect(service.arrived[0]).toMatchObject({
      method: 'GET',
      path: `/authorizations/${encodeURIComponent(SESSION_URI)}?wait=25`,
      headers: { authorization: `Bearer ${USER_TOKEN}`, accept: 'application/json' },
    });
  });

  it('knows the flow by its authorization URL as well', async () => {
    const service = await startScriptedService(json({ status: 'completed' }));
    await service.client().waitForAuthorization(pinning);
    expect(service.arrived[0]?.path).toContain(encodeURIComponent(SESSION_URI));
  });

  it.each(['not a URL', 'https://authorize.example/?client_id=1'])(
    'asks nobody about a flow that %s does not name',
    async (authorizationUrl) => {
      const service = await startScriptedService(json({ status: 'completed' }));
      const wait = service.client().waitForAuthorization({ userToken: USER_TOKEN, authorizationUrl });
      await expect(wait).rejects.toMatchObject({ code: 'invalid_request' });
      expect(service.arrived).toEqual([]);
    },
  );

  it('goes on asking while the user has not decided', async () => {
    const pending: Reply = (response, arrived) => {
      service.timers.advance(25_000);
      json({ status: 'pending' })(response, arrived);
    };
    const service = await startScriptedService(pending, pending, json({ status: 'completed' }));
    await service.client().waitForAuthorization(waiting);
    expect({ calls: service.arrived.length, pauses: service.pauses }).toEqual({ calls: 3, pauses: [] });
  });

  it('takes a poll that was held for the end of an outage', async () => {
    const pending: Reply = (response, arrived) => {
      service.timers.advance(25_000);
      json({ status: 'pending' })(response, arrived);
    };
    const outage = html(503);
    const done = json({ status: 'completed' });
    const service = await startScriptedService(outage, outage, outage, pending, outage, done);
    await service.client().waitForAuthorization(waiting);
    expect(service.pauses).toEqual([100, 200, 400, 100]);
  });

  it('does not run round in circles where polls are not held', async () => {
    const pending = json({ status: 'pending' });
    const service = await startScriptedService(
      ...Array.from({ length: 4 }, () => pending),
      json({ status: 'completed' }),
    );
    await service.client().waitForAuthorization(waiting);
    expect(service.pauses).toEqual([100, 200, 400, 800]);
  });

  it.each([
    ['denied', 'consent_denied'],
    ['expired', 'authorization_expired'],
    ['refused', 'authorization_refused'],
    ['unknown', 'outcome_unknown'],
    ['something_else', 'unexpected_answer'],
  ])('ends at once when it is %s', async (status, code) => {
    const service = await startScriptedService(json({ status: 'pending' }), json({ status }));
    await expect(service.client().waitForAuthorization(waiting)).rejects.toMatchObject({ code });
    expect(service.arrived).toHaveLength(2);
  });

  it.each(PASSING)('waits out %s', async (_what, reply) => {
    const service = await startScriptedService(reply, reply, json({ status: 'completed' }));
    // A poll that asks for no waiting time, so that silence ends after the request's own time.
    const client = service.client({ requestTimeoutMs: reply === hang ? 300 : 10_000 });
    await client.waitForAuthorization({ ...waiting, ...(reply === hang && { timeoutMs: 999 }) });
    expectTries(service, reply);
  });

  it.each([
    [401, 'invalid_token'],
    [404, 'not_found'],
    [500, 'internal_error'],
  ])('ends at once when the service answers %s', async (status, code) => {
    const service = await startScriptedService(problem(status, code));
    await expect(service.client().waitForAuthorization(waiting)).rejects.toMatchObject({ code, status });
    expect(service.arrived).toHaveLength(1);
  });

  it('ends with its time, and never waits past it', async () => {
    const service = await startScriptedService(problem(503, 'overloaded', { 'retry-after': '40' }));
    const wait = service.client().waitForAuthorization({ ...waiting, timeoutMs: 90_000 });
    await expect(wait).rejects.toMatchObject({ code: 'timed_out', requestId: undefined });
    expect(service.pauses).toEqual([40_000, 40_000, 10_000]);
    expect(service.arrived.map(({ path }) => path.split('wait=')[1])).toEqual(['25', '25', '10']);
  });
});

describe('waiting for the service', () => {
  it('asks until it is ready', async () => {
    const service = await startScriptedService(
      reset,
      json({ status: 'starting', checks: {} }, 503),
      json({ status: 'degraded', checks: {} }),
    );
    await service.client().waitUntilReady();
    expect(service.arrived.map(({ path }) => path)).toEqual(['/ready', '/ready', '/ready']);
  });

  it('gives up when it does not come', async () => {
    const client = createSessionBindingClient({ baseUrl: `http://127.0.0.1:${await freePort()}` });
    await expect(client.waitUntilReady({ timeoutMs: 150 })).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('the callback URL', () => {
  it('is what the service says, asked once', async () => {
    const service = await startScriptedService(json(STORED));
    const client = service.client();
    expect(await client.getCallbackUrl({ userToken: USER_TOKEN })).toBe(STORED.callback_url);
    expect(await client.getCallbackUrl({ userToken: USER_TOKEN })).toBe(STORED.callback_url);
    expect(service.arrived).toHaveLength(1);
  });
});

describe('an abort', () => {
  const calls: readonly (readonly [
    string,
    (client: SessionBindingClient, signal: AbortSignal) => Promise<unknown>,
  ])[] = [
    ['storeUserToken', (client, signal) => client.storeUserToken({ ...pinning, signal })],
    ['waitForAuthorization', (client, signal) => client.waitForAuthorization({ ...waiting, signal })],
    ['waitUntilReady', (client, signal) => client.waitUntilReady({ signal })],
  ];

  it.each(calls)('of %s before it began asks nobody', async (_name, call) => {
    const service = await startScriptedService(json({ status: 'completed' }));
    const signal = AbortSignal.abort(new Error('the user left'));
    await expect(call(service.client(), signal)).rejects.toThrow('the user left');
    expect(service.arrived).toEqual([]);
  });

  it.each(calls)('of %s hangs up and gives the reason', async (_name, call) => {
    const service = await startScriptedService(hang);
    const controller = new AbortController();
    const answer = call(service.client(), controller.signal);
    await expect.poll(() => service.arrived.length).toBe(1);
    controller.abort(new Error('the user left'));
    await expect(answer).rejects.toThrow('the user left');
    await expect.poll(() => service.arrived[0]?.hasLeft).toBe(true);
  });

  it('is the reason even where the time is over as well', async () => {
    const controller = new AbortController();
    const client = createSessionBindingClient({
      fetch: () => {
        controller.abort(new Error('the user left'));
        return Promise.reject(new TypeError('fetch failed'));
      },
    });
    const limits = { timeoutMs: 1, signal: controller.signal };
    await expect(client.storeUserToken({ ...pinning, ...limits })).rejects.toThrow('the user left');
  });

  it('ends a pause', async () => {
    const service = await startScriptedService(problem(503, 'overloaded', { 'retry-after': '20' }));
    const client = createSessionBindingClient({ baseUrl: service.url });
    const controller = new AbortController();
    const answer = client.storeUserToken({ ...pinning, signal: controller.signal });
    await expect.poll(() => service.arrived.length).toBe(1);
    await sleep(20);
    controller.abort(new Error('the user left'));
    await expect(answer).rejects.toThrow('the user left');
    expect(service.arrived).toHaveLength(1);
  });
});

describe('where user tokens may go', () => {
  it.each([
    'https://binding.example',
    'https://binding.example/prefix/',
    'http://localhost:9090',
    'http://app.localhost',
    'http://127.0.0.1:1',
    'http://[::1]:9090',
  ])('takes %s', (baseUrl) => {
    expect(() => createSessionBindingClient({ baseUrl })).not.toThrow();
  });

  it.each([
    'http://binding.example',
    'http://10.0.0.7:9090',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'ftp://localhost',
    'https://user:word@binding.example',
    'https://binding.example/?a=b',
    'https://binding.example/#a',
    'binding.example',
    '',
  ])('refuses %s, which others on the network could read [SB-16]', (baseUrl) => {
    expect(() => createSessionBindingClient({ baseUrl })).toThrow(TypeError);
  });
});
