import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { expectNoCookie, expectProblem } from '../support/answers.ts';
import { callsFor, cookieHeader, pinnedFlow } from '../support/flows.ts';
import { type IdentityChanges, type LoadBalancer, startLoadBalancer } from '../support/load-balancer.ts';
import { type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { startWorld, type World } from '../support/world.ts';

const HEADER = 'x-amzn-oidc-data';

let loadBalancer: LoadBalancer;
let world: World;
let end = async () => {};

beforeAll(async () => {
  loadBalancer = await startLoadBalancer();
  world = await startWorld({ config: loadBalancer.config }, (close) => (end = close));
});
afterAll(async () => {
  await end();
  await loadBalancer.close();
});
beforeEach(() => {
  loadBalancer.answer = undefined;
});

const claimsOf = (username: string) => ({ sub: `sub-of-${username}`, username, email: 'a@example.com' });
const identityOf = (username: string, changes?: IdentityChanges) =>
  loadBalancer.identityOf(world.issuer.issuer, claimsOf(username), changes);

/** A visit through the load balancer, with these header lines of its. */
async function visit(url: string, lines: readonly string[], cookie?: string): Promise<RawAnswer> {
  const { host, pathname, search } = new URL(url);
  const headers = [
    `Host: ${host}`,
    'Accept: application/json',
    ...(cookie === undefined ? [] : [`Cookie: ${cookie}`]),
    ...lines.map((line) => `${HEADER}: ${line}`),
  ];
  return sendRaw(url, `GET ${pathname}${search} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
}

describe('the identity that the load balancer has signed', () => {
  it('binds its user’s flow without any cookie, and makes a browser session of his [SB-20]', async () => {
    const { url, sessionUri } = await pinnedFlow(world);
    const answer = await visit(url, [identityOf('alice')]);
    expect(answer).toMatchObject({ status: 200, body: '{"status":"completed"}' });
    expect(world.agentcore.vaultOwnerOf(sessionUri)).toMatchObject({ subject: 'sub-of-alice' });
    expect(answer.headers['set-cookie']).toMatch(/^session-binding=/);
  });

  it('keeps the browser session of its user: no new cookie at every visit', async () => {
    const { url, browser } = await pinnedFlow(world);
    const answer = await visit(url, [identityOf('alice')], cookieHeader(browser, world.url));
    expect(answer.status).toBe(200);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('may be padded or not, and carry names of any script', async () => {
    for (const username of ['alice', 'Zoë', '利用者', 'a']) {
      for (const unpadded of [true, false]) {
        const { url } = await pinnedFlow(world, username);
        expect((await visit(url, [identityOf(username, { unpadded })])).status).toBe(200);
      }
    }
  });

  it('wins over the cookie of somebody else, whose browser session ends [SB-20]', async () => {
    const flow = await pinnedFlow(world, 'alice');
    const mallory = await world.signedIn(await world.tokenOf('mallory'));
    const cookie = cookieHeader(mallory, world.url);
    const answer = await visit(flow.url, [identityOf('alice')], cookie);
    expect(answer.status).toBe(200);
    const own = answer.headers['set-cookie'] ?? '';
    expect(own).toMatch(/^session-binding=/);
    expect(cookie).not.toContain(own.split(';')[0]);
    const signedOut = await mallory.send(`${world.url}/sign-in`, { headers: { accept: 'application/json' } });
    expect(signedOut.status).toBe(401);
  });

  it('vetoes the flow of another user, although the cookie is that user’s [SB-01] [SB-20]', async () => {
    const { url, browser, sessionUri } = await pinnedFlow(world, 'alice');
    const answer = await visit(url, [identityOf('mallory')], cookieHeader(browser, world.url));
    expectProblem(answer, 403, 'user_mismatch');
    expect(callsFor(world, sessionUri)).toBe(0);
  });

  it('is told from others by USER_CLAIM, as user tokens are', async () => {
    const entra = await startWorld({ config: { ...loadBalancer.config, userClaim: 'oid' } });
    const token = await entra.issuer.accessToken({
      subject: 'pairwise-1',
      clientId: 'demo-client',
      claims: { oid: 'object-1' },
    });
    const { sessionUri } = await entra.agent.open(token);
    const browser = await entra.signedIn(token, { session_uri: sessionUri });
    const callback = `${entra.url}/oauth2/callback?session_id=${sessionUri}`;
    const named = (claims: object) => [loadBalancer.identityOf(entra.issuer.issuer, { ...claims })];
    const cookie = cookieHeader(browser, entra.url);
    expectProblem(await visit(callback, named({ sub: 'object-1' }), cookie), 401, 'not_signed_in');
    expectProblem(await visit(callback, named({ sub: 'x', oid: 'other' }), cookie), 403, 'user_mismatch');
    // Nobody has consented, so AgentCore itself refuses.
    expectProblem(
      await visit(callback, named({ sub: 'other', oid: 'object-1' })),
      410,
      'authorization_expired',
    );
  });
});

const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const OTHER_ARN =
  'arn:aws:elasticloadbalancing:us-east-1:210987654321:loadbalancer/app/other/0123456789abcdef';

/** Header lines that name alice and must not: beside her own cookie, which must not help either. */
const BAD: readonly (readonly [string, string, () => readonly string[]])[] = [
  ['is missing', 'header_missing', () => []],
  ['is doubled', 'header_doubled', () => [identityOf('alice'), identityOf('alice')]],
  ['comes beside an empty one', 'header_doubled', () => ['', identityOf('alice')]],
  ['is joined from two', 'malformed', () => [`${identityOf('alice')}, ${identityOf('alice')}`]],
  ['is empty', 'malformed', () => ['']],
  ['lost its signature', 'malformed', () => [identityOf('alice').split('.').slice(0, 2).join('.')]],
  ['has an empty signature', 'malformed', () => [`${identityOf('alice').split('.').slice(0, 2).join('.')}.`]],
  ['has half a signature', 'malformed', () => [identityOf('alice').slice(0, -44)]],
  ['is no JSON', 'malformed', () => ['YWJj.YWJj.YWJj']],
  ['is signed by nobody', 'algorithm_not_allowed', () => [identityOf('alice', { header: { alg: 'none' } })]],
  ['says HS256', 'algorithm_not_allowed', () => [identityOf('alice', { header: { alg: 'HS256' } })]],
  ['says RS256', 'algorithm_not_allowed', () => [identityOf('alice', { header: { alg: 'RS256' } })]],
  ['says ES384', 'algorithm_not_allowed', () => [identityOf('alice', { header: { alg: 'ES384' } })]],
  ['has no algorithm', 'algorithm_not_allowed', () => [identityOf('alice', { header: { alg: undefined } })]],
  [
    'has an extension',
    'critical_header',
    () => [identityOf('alice', { header: { crit: ['b64'], b64: false } })],
  ],
  [
    'is of another load balancer',
    'wrong_signer',
    () => [identityOf('alice', { header: { signer: OTHER_ARN } })],
  ],
  ['names no load balancer', 'wrong_signer', () => [identityOf('alice', { header: { signer: undefined } })]],
  ['is for another client', 'wrong_client', () => [identityOf('alice', { header: { client: 'other-app' } })]],
  ['is for no client', 'wrong_client', () => [identityOf('alice', { header: { client: undefined } })]],
  ['has expired', 'expired', () => [identityOf('alice', { header: { exp: Math.floor(Date.now() / 1000) } })]],
  ['never expires', 'expired', () => [identityOf('alice', { header: { exp: undefined } })]],
  ['expires in words', 'expired', () => [identityOf('alice', { header: { exp: '9999999999' } })]],
  ['is of no issuer', 'malformed', () => [identityOf('alice', { header: { iss: undefined } })]],
  [
    'is of a strange issuer',
    'wrong_issuer',
    () => [identityOf('alice', { header: { iss: 'https://stranger.example' } })],
  ],
  [
    'is of nearly our issuer',
    'wrong_issuer',
    () => [identityOf('alice', { header: { iss: `${world.issuer.issuer}/` } })],
  ],
  ['has no key', 'wrong_kid', () => [identityOf('alice', { header: { kid: undefined } })]],
  ['names a key by a path', 'wrong_kid', () => [identityOf('alice', { header: { kid: '../keys/key' } })]],
  ['names a key by a query', 'wrong_kid', () => [identityOf('alice', { header: { kid: 'key?x' } })]],
  ['names a key with an escape', 'wrong_kid', () => [identityOf('alice', { header: { kid: 'a%2Fb' } })]],
  ['names a key too long', 'wrong_kid', () => [identityOf('alice', { header: { kid: 'k'.repeat(65) } })]],
  [
    'names an unknown key',
    'unknown_key',
    () => [identityOf('alice', { header: { kid: 'nobody-has-this' } })],
  ],
  ['is signed by a stranger', 'bad_signature', () => [identityOf('alice', { key: stranger.privateKey })]],
  ['was changed', 'bad_signature', () => [withClaims(identityOf('mallory'), 'alice')]],
  ['lost its padding on the way', 'bad_signature', () => [identityOf('alicia').replaceAll('=', '')]],
  [
    'names no user',
    'no_user_claim',
    () => [loadBalancer.identityOf(world.issuer.issuer, { email: 'alice' })],
  ],
  ['numbers its user', 'no_user_claim', () => [loadBalancer.identityOf(world.issuer.issuer, { sub: 1 })]],
  [
    'names an endless user',
    'no_user_claim',
    () => [loadBalancer.identityOf(world.issuer.issuer, { sub: 'x'.repeat(129) })],
  ],
];

/** Signed for one user, and names another. */
function withClaims(identity: string, username: string): string {
  const [head = '', , signature = ''] = identity.split('.');
  return [head, Buffer.from(JSON.stringify(claimsOf(username))).toString('base64url'), signature].join('.');
}

describe('a browser is nobody, whatever its cookie says, when the header', () => {
  let url: string;
  let cookie: string;

  beforeAll(async () => {
    const flow = await pinnedFlow(world, 'alice');
    url = flow.url;
    cookie = cookieHeader(flow.browser, world.url);
  });

  it.each(BAD)('%s (%s) [SB-20]', async (_, reason, lines) => {
    const callsBefore = world.agentcore.completeCalls;
    const logBefore = world.log().length;
    const presented = lines();
    const answer = await visit(url, presented, cookie);
    expectProblem(answer, 401, 'not_signed_in');
    expectNoCookie(answer);
    expect(world.agentcore.completeCalls).toBe(callsBefore);
    const written = world.log().slice(logBefore);
    expect(written.filter(({ event }) => event === 'load_balancer_identity')).toMatchObject([{ reason }]);
    for (const line of presented.filter((text) => text.length > 20)) {
      expect(world.rawLog()).not.toContain(line.slice(-20));
    }
  });

  it('never names a key outside its endpoint: no request left for any of these', () => {
    for (const path of loadBalancer.requests) expect(path).toMatch(/^\/keys\/[A-Za-z0-9_-]{1,64}$/);
  });

  it('and is somebody again with a good one: no bad one has ended anything [SB-20]', async () => {
    expect((await visit(url, [identityOf('alice')], cookie)).headers['set-cookie']).toBeUndefined();
  });
});

describe('the same header from anybody but a trusted proxy', () => {
  it.each([
    ['nobody is trusted', []],
    ['proxies elsewhere are', ['10.0.0.0/8', '127.0.0.2', '::1']],
  ])('makes nobody somebody while %s [SB-20]', async (_, trustedProxies) => {
    const direct = await startWorld({ config: { ...loadBalancer.config, trustedProxies } });
    const { url, browser, sessionUri } = await pinnedFlow(direct);
    const identity = loadBalancer.identityOf(direct.issuer.issuer, claimsOf('alice'));
    const cookie = cookieHeader(browser, direct.url);
    expectProblem(await visit(url, [identity], cookie), 401, 'not_signed_in');
    expect(callsFor(direct, sessionUri)).toBe(0);
  });
});

describe('where no load balancer is configured', () => {
  it('its header changes nothing: the cookie alone says who it is [SB-02] [SB-20]', async () => {
    const plain = await startWorld({ config: { trustedProxies: ['127.0.0.1'] } });
    const { url, browser } = await pinnedFlow(plain);
    const mallory = loadBalancer.identityOf(plain.issuer.issuer, claimsOf('mallory'));
    const alice = loadBalancer.identityOf(plain.issuer.issuer, claimsOf('alice'));
    expectProblem(await visit(url, [alice]), 401, 'not_signed_in');
    expect((await visit(url, [mallory], cookieHeader(browser, plain.url))).status).toBe(200);
  });
});

describe('while a key cannot be had', () => {
  it('the answer is "unavailable", never a verdict: no cookie, no call [SB-20]', async () => {
    const fresh = await startWorld({ config: loadBalancer.config });
    const { url, sessionUri } = await pinnedFlow(fresh);
    loadBalancer.answer = (_, response) => void response.writeHead(500).end();
    const answer = await visit(url, [loadBalancer.identityOf(fresh.issuer.issuer, claimsOf('alice'))]);
    expectProblem(answer, 503, 'issuer_unavailable');
    expectNoCookie(answer);
    expect(callsFor(fresh, sessionUri)).toBe(0);
  });

  it('nor while the issuer it names was never reached [SB-20]', async () => {
    const fresh = await startWorld({
      config: {
        ...loadBalancer.config,
        discoveryUrls: ['http://127.0.0.1:9/.well-known/openid-configuration'],
      },
    });
    const identity = loadBalancer.identityOf(fresh.issuer.issuer, claimsOf('alice'));
    const answer = await visit(`${fresh.url}/oauth2/callback?error=access_denied`, [identity]);
    expectProblem(answer, 503, 'issuer_unavailable');
  });
});

describe('a page of a user token posted in a browser', () => {
  it('is still there, but the header says whose browser it is [SB-20]', async () => {
    const browser = new Browser();
    const { url } = await pinnedFlow(world, 'bob');
    await browser.postJson(`${world.url}/userIdentifier/token`, world.url, {
      user_token: await world.tokenOf('carol'),
    });
    expectProblem(await visit(url, [], cookieHeader(browser, world.url)), 401, 'not_signed_in');
    expect((await visit(url, [identityOf('bob')], cookieHeader(browser, world.url))).status).toBe(200);
  });
});
