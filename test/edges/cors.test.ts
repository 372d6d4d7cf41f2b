import { describe, expect, it } from 'vitest';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { startWorld, type World } from '../support/world.ts';

const APP = 'https://app.example.com';
const OTHER_APP = 'http://localhost:3000';
const URL_PATH = '/userIdentifier/token';
const CONFIG = { publicUrl: 'https://auth.example.com', allowedOrigins: [APP, OTHER_APP] };

function preflight(
  world: World,
  origin: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Page> {
  return new Browser().send(`${world.url}${URL_PATH}`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
      'sec-fetch-mode': 'cors',
      'sec-fetch-site': 'cross-site',
      ...headers,
    },
  });
}

async function post(world: World, origin: string, headers: Readonly<Record<string, string>> = {}) {
  return new Browser().send(`${world.url}${URL_PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin, ...headers },
    body: JSON.stringify({ user_token: await world.tokenOf('alice') }),
  });
}

function corsHeaders({ headers }: Page): readonly string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'));
}

describe('an allowed origin', () => {
  it.each([APP, OTHER_APP])(
    'may post user tokens with credentials, after a preflight: %s',
    async (origin) => {
      const world = await startWorld({ config: CONFIG });
      const asked = await preflight(world, origin);
      expect(asked.status).toBe(204);
      expect(asked.body).toBe('');
      expect(asked.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type',
        'access-control-max-age': '600',
        'cache-control': 'no-store',
      });
      expect(asked.headers['vary']).toMatch(/\bOrigin\b/);
      expect(asked.headers['set-cookie']).toBeUndefined();

      const posted = await post(world, origin);
      expect(posted.status).toBe(200);
      expect(posted.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'x-request-id, retry-after',
      });
      expect(posted.headers['vary']).toMatch(/\bOrigin\b/);
      expect(posted.headers['set-cookie']).toBeDefined();
    },
  );

  it('can read why its POST was refused', async () => {
    const world = await startWorld({ config: CONFIG });
    for (const [body, type, status] of [
      ['{"user_token":"x"}', 'application/json', 401],
      ['{', 'application/json', 400],
      ['x', 'text/plain', 415],
      [' '.repeat(70_000), 'application/json', 413],
    ] as const) {
      const answer = await new Browser().send(`${world.url}${URL_PATH}`, {
        method: 'POST',
        headers: { 'content-type': type, origin: APP },
        body,
      });
      expect(answer.status).toBe(status);
      expect(answer.headers['access-control-allow-origin']).toBe(APP);
    }
  });
});

const STRANGERS = [
  'https://attacker.example',
  'null',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://app.example.com.attacker.example',
  'https://attackerapp.example.com',
  'https://APP.example.com',
  'https://app.example.com/',
  'https://app.example.com, https://attacker.example',
  'https://auth.example.com',
  '*',
  '',
];

describe('any other origin', () => {
  it('gets no CORS header, no cookie and nothing kept, compared exactly [SB-03]', async () => {
    const world = await startWorld({ config: CONFIG });
    for (const origin of STRANGERS) {
      for (const answer of [await preflight(world, origin), await post(world, origin)]) {
        expect({ origin, status: answer.status }).toEqual({ origin, status: 403 });
        expect(JSON.parse(answer.body)).toMatchObject({ code: 'forbidden_origin' });
        expect(corsHeaders(answer)).toEqual([]);
        expect(answer.headers['vary']).toMatch(/\bOrigin\b/);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
    }
    const user = { issuer: world.issuer.issuer, subject: 'sub-of-alice' };
    expect(await world.store.userTokens.list(user)).toEqual([]);
  });

  it('is refused without an Origin too, when the browser says another site asks [SB-03]', async () => {
    const world = await startWorld({ config: CONFIG });
    const answer = await new Browser().send(`${world.url}${URL_PATH}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'sec-fetch-site': 'cross-site' },
      body: JSON.stringify({ user_token: await world.tokenOf('alice') }),
    });
    expect(answer.status).toBe(403);
    expect(corsHeaders(answer)).toEqual([]);
  });
});

describe('every other address', () => {
  it.each(['/oauth2/callback', '/ping', '/ready', '/nowhere'])(
    'lets no page of another origin read it, allowed or not: %s [SB-03]',
    async (path) => {
      const world = await startWorld({ config: CONFIG });
      const read = await new Browser().send(`${world.url}${path}`, { headers: { origin: APP } });
      expect(corsHeaders(read)).toEqual([]);
      const asked = await new Browser().send(`${world.url}${path}`, {
        method: 'OPTIONS',
        headers: { origin: APP, 'access-control-request-method': 'GET' },
      });
      expect([404, 405]).toContain(asked.status);
      expect(corsHeaders(asked)).toEqual([]);
    },
  );
});
