import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';

const URN = 'urn:ietf:params:oauth:request_uri:rate-limit';
const LIMIT = 5;

function startLimited(options: WorldOptions = {}): Promise<World> {
  return startWorld({ ...options, config: { rateLimitPerMinute: LIMIT, ...options.config } });
}

/** A stranger's visit of the callback. */
async function stranger(world: World, headers: Readonly<Record<string, string>> = {}) {
  return new Browser().send(`${world.url}/oauth2/callback?session_id=${URN}`, { headers });
}

/** Has this address refused until it is over its limit. */
async function exhaust(world: World, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  for (let index = 0; index < LIMIT; index += 1) {
    expect((await stranger(world, headers)).status).toBe(401);
  }
  expect((await stranger(world, headers)).status).toBe(429);
}

function postToken(world: World, userToken: string, headers: Readonly<Record<string, string>> = {}) {
  return new Browser().send(`${world.url}/userIdentifier/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ user_token: userToken }),
  });
}

describe('an address that was refused too often', () => {
  it('is told to wait, in one log line with its request id, and the store is not asked [SB-21]', async () => {
    let reads = 0;
    const world = await startLimited({
      store: (store) => ({
        ...store,
        browserSessions: {
          ...store.browserSessions,
          read(idHash) {
            reads += 1;
            return store.browserSessions.read(idHash);
          },
        },
      }),
    });
    await exhaust(world);

    const answer = await stranger(world, { cookie: 'session-binding=made-up.signature' });

    expect(answer.status).toBe(429);
    expect(answer.headers['retry-after']).toBe('60');
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'rate_limited' });
    const lines = world.log().filter((line) => line['request_id'] === answer.headers['x-request-id']);
    expect(lines).toMatchObject([{ event: 'refused', code: 'rate_limited', reason: 'refusals' }]);
    expect(reads).toBe(0);
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it('is refused before Fetch Metadata and parameters, but after method and Host (contract §2)', async () => {
    const world = await startLimited();
    await exhaust(world);
    const send = (path: string, options: Parameters<Browser['send']>[1] = {}) =>
      new Browser().send(`${world.url}${path}`, options);

    expect((await send('/oauth2/callback', { headers: { 'sec-fetch-dest': 'iframe' } })).status).toBe(429);
    expect((await send('/oauth2/callback')).status).toBe(429);
    expect((await send('/oauth2/callback', { method: 'DELETE' })).status).toBe(405);
    expect((await send('/nowhere')).status).toBe(404);
    expect((await send('/oauth2/callback', { headers: { host: 'attacker.example' } })).status).toBe(421);
  });

  it('still finds /ping and /ready [SB-21]', async () => {
    const world = await startLimited();
    await exhaust(world);
    expect((await new Browser().send(`${world.url}/ping`)).status).toBe(200);
    expect((await new Browser().send(`${world.url}/ready`)).status).toBe(200);
  });

  it.each([
    ['strangers at the callback', '/oauth2/callback?session_id=x', {}, 400],
    ['iframes', '/oauth2/callback', { headers: { 'sec-fetch-dest': 'iframe' } }, 403],
    [
      'foreign origins',
      '/userIdentifier/token',
      { method: 'POST', headers: { origin: 'https://x.example' } },
      403,
    ],
    ['scanners for other software', '/wp-login.php', {}, 404],
    ['wrong methods', '/ping', { method: 'POST' }, 405],
    ['foreign hosts', '/oauth2/callback', { headers: { host: 'x.example' } }, 421],
    ['addresses that cannot be read', '/oauth2/callback%ff', {}, 400],
    ['bodies that are no JSON', '/userIdentifier/token', { method: 'POST', body: 'x' }, 415],
  ])('gets there by %s alike', async (_, path, options, status) => {
    const world = await startLimited();
    for (let index = 0; index < LIMIT; index += 1) {
      expect((await new Browser().send(`${world.url}${path}`, options)).status).toBe(status);
    }
    expect((await stranger(world)).status).toBe(429);
  });

  it('does not get there by what is accepted, or fails for a fault of ours [SB-35]', async () => {
    const world = await startLimited();
    const userToken = await world.tokenOf('alice');
    const alice = await world.signedIn(userToken);
    world.agentcore.faults.inject('internal_error');
    for (let index = 0; index < LIMIT; index += 1) {
      expect((await postToken(world, userToken)).status).toBe(200);
      expect((await new Browser().send(`${world.url}/ping`)).status).toBe(200);
    }
    const failing = Array.from({ length: LIMIT }, (_, index) =>
      alice.open(`${world.url}/oauth2/callback?session_id=${URN}${index}`),
    );
    for (const page of await Promise.all(failing)) expect(page.status).toBe(503);
    expect((await stranger(world)).status).toBe(401);
  });
});

describe('behind an address that was refused too often', () => {
  it('a live browser session is never limited, refused or not [SB-35]', async () => {
    const world = await startLimited();
    const token = await world.tokenOf('alice');
    const flow = await world.agent.open(token);
    const alice = await world.signedIn(token, { session_uri: flow.sessionUri });
    await exhaust(world);

    for (let index = 0; index < 2 * LIMIT; index += 1) {
      expect((await alice.open(`${world.url}/oauth2/callback?session_id=malformed`)).status).toBe(400);
    }
    const consent = await alice.open(flow.authorizationUrl);
    const page = await alice.submit(consent.url, { decision: 'allow' });
    expect(page.status).toBe(200);
    expect(page.body).toContain('You are connected');
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('a browser session that is over is limited like a stranger [SB-21]', async () => {
    const world = await startLimited();
    const token = await world.tokenOf('alice', 7200);
    const alice = await world.signedIn(token);
    world.advance(3600_000);
    await exhaust(world);
    expect((await alice.open(`${world.url}/oauth2/callback?session_id=${URN}`)).status).toBe(429);
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it('a cookie sent twice with different values is no browser session [SB-33]', async () => {
    const world = await startLimited();
    const alice = await world.signedIn(await world.tokenOf('alice'));
    await exhaust(world);
    const value = alice.cookies(world.url).get('session-binding') ?? '';
    const cookie = (second: string) => ({ cookie: `session-binding=${value}; session-binding=${second}` });
    expect((await stranger(world, cookie(value))).status).toBe(410);
    expect((await stranger(world, cookie('planted'))).status).toBe(429);
  });

  it('a verifying token is never limited, from a page with its preflight or without [SB-35]', async () => {
    const world = await startLimited({ config: { allowedOrigins: ['http://app.localhost'] } });
    await exhaust(world);
    const origin = 'http://app.localhost';
    const preflight = await new Browser().send(`${world.url}/userIdentifier/token`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect((await postToken(world, await world.tokenOf('alice'), { origin })).status).toBe(200);
    expect((await postToken(world, await world.tokenOf('bob'))).status).toBe(200);
  });

  it('a token that does not verify is limited, and so is every other refusal there [SB-21]', async () => {
    const world = await startLimited();
    await exhaust(world);
    const forged = await postToken(world, `${await world.tokenOf('alice')}x`);
    expect(forged.status).toBe(429);
    expect(forged.headers['retry-after']).toBe('60');
    expect(forged.headers['set-cookie']).toBeUndefined();
    const codes = world
      .log()
      .filter((line) => line['request_id'] === forged.headers['x-request-id'])
      .map((line) => line['code']);
    expect(codes).toEqual(['invalid_token', 'rate_limited']);

    expect((await postToken(world, 'x', { origin: 'https://attacker.example' })).status).toBe(429);
    expect((await postToken(world, 'x', { 'content-type': 'text/plain' })).status).toBe(429);
    expect((await postToken(world, '')).status).toBe(429);
  });

  it('a verifying token that is refused for its pin is told so [SB-34]', async () => {
    const world = await startLimited();
    await world.signedIn(await world.tokenOf('alice'), { session_uri: URN });
    await exhaust(world);
    const answer = await new Browser().send(`${world.url}/userIdentifier/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user_token: await world.tokenOf('mallory'), session_uri: URN }),
    });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'user_mismatch' });
  });
});

describe('whose refusals count', () => {
  it('a trusted proxy says, by the last address in X-Forwarded-For that is not its own [SB-20]', async () => {
    const world = await startLimited({ config: { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] } });
    const from = (hops: string) => ({ 'x-forwarded-for': hops });
    await exhaust(world, from('198.51.100.1'));
    expect((await stranger(world, from('198.51.100.2'))).status).toBe(401);
    // Neither an invented hop nor one of our own before it makes another client of this one.
    expect((await stranger(world, from('203.0.113.9, 198.51.100.1, 10.0.0.2'))).status).toBe(429);
    expect((await stranger(world, { ...from('198.51.100.1'), forwarded: 'for=203.0.113.9' })).status).toBe(
      429,
    );
    // And nobody is framed by a hop further left.
    await exhaust(world, from('198.51.100.7, 198.51.100.3'));
    expect((await stranger(world, from('198.51.100.7'))).status).toBe(401);
  });

  it('nobody knows behind a proxy that does not say, so nobody is limited there [SB-35]', async () => {
    const world = await startLimited({ config: { trustedProxies: ['127.0.0.1'] } });
    for (let index = 0; index < 3 * LIMIT; index += 1) expect((await stranger(world)).status).toBe(401);
  });

  it('is the peer, whatever X-Forwarded-For says, where no proxy is trusted [SB-20]', async () => {
    const world = await startLimited();
    for (let index = 0; index < LIMIT; index += 1) {
      await stranger(world, { 'x-forwarded-for': `198.51.100.${index}` });
    }
    expect((await stranger(world, { 'x-forwarded-for': '203.0.113.1' })).status).toBe(429);
  });

  it('does not matter while the limit is off [SB-35]', async () => {
    const world = await startLimited({ config: { rateLimitPerMinute: undefined } });
    for (let index = 0; index < 120; index += 1) expect((await stranger(world)).status).toBe(401);
  });
});
