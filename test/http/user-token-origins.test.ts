import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { expectNoCookie, expectPage, expectProblem, expectSafeHeaders } from '../support/answers.ts';
import { callbackOf, unknownSessionId } from '../support/consent.ts';
import { cookieHeader } from '../support/flows.ts';
import { shareWorld } from '../support/shared-world.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';

const APP = 'https://app.example';
const calls: StoreCall[] = [];
const world = shareWorld({
  config: { allowedOrigins: [APP, 'http://localhost:3000'] },
  store: watchStore((call) => calls.push(call)),
});

type Headers = Readonly<Record<string, string>>;

/** Pages that may not make this browser somebody, by what their browsers say. */
const FOREIGN: readonly Headers[] = [
  { origin: 'https://evil.example' },
  { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  // Whatever a page can do to its own Fetch Metadata, its Origin decides.
  { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  { origin: 'null' },
  { origin: 'null', 'sec-fetch-site': 'same-origin' },
  { origin: '' },
  { origin: 'http://app.example' },
  { origin: 'https://app.example:8443' },
  { origin: 'https://app.example/' },
  { origin: 'https://app.example.' },
  { origin: 'https://APP.example' },
  { origin: 'https://app.example.evil.example' },
  { origin: 'https://evil.example/https://app.example' },
  { origin: 'https://xapp.example' },
  { origin: 'https://sub.app.example' },
  { origin: 'https://app.example, https://evil.example' },
  { origin: 'https://app.example https://evil.example' },
  { origin: 'http://localhost' },
  { origin: 'http://localhost:3001' },
  { origin: 'http://127.0.0.1:3000' },
  { origin: 'file://' },
  { origin: 'chrome-extension://abcdefghijklmnop' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'same-origin, cross-site' },
  { 'sec-fetch-site': '' },
];

const WELCOME: readonly Headers[] = [
  { origin: APP, 'sec-fetch-site': 'cross-site' },
  { origin: APP },
  { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-site': 'none' },
  {},
];

describe('a user token posted', () => {
  it.each(FOREIGN)(
    'by a foreign page, %j, changes nothing, whoever is signed in there [SB-03]',
    async (headers) => {
      const alice = new Browser();
      const token = await world().tokenOf('alice');
      await alice.postJson(`${world().url}/userIdentifier/token`, APP, { user_token: token });
      const cookie = cookieHeader(alice, world().url);
      calls.length = 0;

      const answer = await request(world().url)
        .post('/userIdentifier/token')
        .set({ ...headers, cookie })
        .send({ user_token: await world().tokenOf('mallory') });

      expectProblem(answer, 403, 'forbidden_origin');
      expectNoCookie(answer);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
      expect(calls).toEqual([]);
      expect(world().log()).toContainEqual(
        expect.objectContaining({ code: 'forbidden_origin', request_id: answer.headers['x-request-id'] }),
      );
      // The victim is still himself.
      const page = await alice.open(callbackOf(world().url, unknownSessionId()));
      expectPage(page, 410, 'authorization_expired');
      expect(page.body).toContain('<bdi>alice</bdi>');
    },
  );

  it.each(WELCOME)('by a page or program that may, %j, is kept', async (headers) => {
    const answer = await request(world().url)
      .post('/userIdentifier/token')
      .set(headers)
      .send({ user_token: await world().tokenOf('alice') });
    expect(answer.status).toBe(200);
    expect(answer.headers['set-cookie']).toHaveLength(1);
    expect(answer.headers['access-control-allow-origin']).toBe(headers['origin']);
    expect(answer.headers['vary']).toBe('Origin');
  });

  it('by an allowed page is answered readably also where it is wrong', async () => {
    const answer = await request(world().url)
      .post('/userIdentifier/token')
      .set({ origin: APP, 'content-type': 'text/plain' })
      .send('x');
    expectProblem(answer, 415, 'unsupported_media_type');
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'x-request-id, retry-after',
      vary: 'Origin',
    });
  });
});

describe('a CORS preflight', () => {
  const preflight = (origin: string) =>
    request(world().url).options('/userIdentifier/token').set({
      origin,
      'sec-fetch-mode': 'cors',
      'sec-fetch-site': 'cross-site',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    });

  it('of an allowed origin opens POST with JSON and credentials, and no more [SB-03]', async () => {
    calls.length = 0;
    const answer = await preflight(APP);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expectSafeHeaders(answer);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type',
      'access-control-max-age': '600',
      vary: 'Origin',
    });
    expectNoCookie(answer);
    expect(calls).toEqual([]);
  });

  it.each(['https://evil.example', 'null', 'https://app.example.evil.example'])(
    'of %s is refused [SB-03]',
    async (origin) => {
      const answer = await preflight(origin);
      expectProblem(answer, 403, 'forbidden_origin');
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    },
  );

  it('is not answered for any other address: the callback answers no foreign page [SB-03] [SB-06]', async () => {
    for (const path of ['/oauth2/callback', '/ping', '/ready']) {
      const answer = await request(world().url).options(path).set('origin', APP);
      expectProblem(answer, 405, 'method_not_allowed');
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });
});
