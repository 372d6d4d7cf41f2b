import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { digest } from '../../src/binding/digest.ts';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import { Secret } from '../../src/binding/secret.ts';
import { Browser } from '../../src/demo/browser.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { systemClock } from '../../src/system.ts';
import { expectNoCookie, expectPage, expectProblem } from '../support/answers.ts';
import { callbackOf, unknownSessionId } from '../support/consent.ts';
import { idIn, partsOf, sessionCookie, signedCookie, whoIs } from '../support/cookies.ts';
import { cookieHeader, flowWithState, postToken } from '../support/flows.ts';
import { type StoreCall, watchStore, writesIn } from '../support/watched-store.ts';
import { startWorld } from '../support/world.ts';

async function startWatched() {
  const calls: StoreCall[] = [];
  const world = await startWorld({ store: watchStore((call) => calls.push(call)) });
  return { world, calls, sessionCalls: () => calls.filter(({ table }) => table === 'browserSessions') };
}

describe('the store of browser sessions', () => {
  it('knows the hash of a cookie’s id, and never the id, its signature or the cookie [SB-14]', async () => {
    const { world, calls, sessionCalls } = await startWatched();
    const alice = await world.signedIn(await world.tokenOf('alice'));
    const cookie = sessionCookie(alice, world.url);
    await whoIs(world, cookieHeader(alice, world.url));
    await postToken(world, alice, { user_token: await world.tokenOf('alice') });

    const written = JSON.stringify(calls);
    for (const secret of [
      cookie,
      decodeURIComponent(cookie),
      idIn(cookie),
      decodeURIComponent(cookie).split('.')[1],
    ]) {
      expect(written).not.toContain(secret);
    }
    expect(sessionCalls().map(({ args }) => args[0])).toContain(digest(idIn(cookie)));
  });

  it('is read once by a visit of somebody, and not written', async () => {
    const { world, calls, sessionCalls } = await startWatched();
    const alice = await world.signedIn(await world.tokenOf('alice'));
    calls.length = 0;
    await alice.open(`${world.url}/oauth2/callback?error=access_denied`);
    expect(sessionCalls().map(({ method }) => method)).toEqual(['read']);
    expect(writesIn(calls)).toEqual([]);
  });

  it('is written once more when a program’s cookie comes back, and never again', async () => {
    const { world, calls } = await startWatched();
    const program = new Browser();
    await program.send(`${world.url}/userIdentifier/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user_token: await world.tokenOf('alice') }),
    });
    calls.length = 0;
    for (let visits = 0; visits < 3; visits += 1) await program.open(`${world.url}/oauth2/callback?error=x`);
    expect(writesIn(calls)).toEqual(['browserSessions.replace']);
  });

  it('is not touched by a visit of nobody, who gets no cookie either [SB-22]', async () => {
    const { world, calls } = await startWatched();
    const page = await new Browser().open(callbackOf(world.url, unknownSessionId()));
    expectPage(page, 401, 'not_signed_in');
    expectNoCookie(page);
    expect(calls).toEqual([]);
  });
});

describe('a cookie that names no browser session any more', () => {
  it.each([
    [undefined, /^session-binding=$/, 'Path=/'],
    ['https://binding.example.com', /^__Host-session-binding=$/, 'Secure'],
  ])('is taken back with the attributes it was set with, under %s', async (publicUrl, name, attribute) => {
    const world = await startWorld({ config: publicUrl === undefined ? {} : { publicUrl } });
    const cookie = signedCookie('long-gone', 'a-test-secret-that-is-long-enough-0123456789');
    const cookieName = publicUrl === undefined ? 'session-binding' : '__Host-session-binding';
    const answer = await request(world.url)
      .get('/oauth2/callback?session_id=urn:ietf:params:oauth:request_uri:x')
      .set('cookie', `${cookieName}=${cookie}`);
    expectProblem(answer, 401, 'not_signed_in');
    const [pair, ...attributes] = partsOf(answer.headers['set-cookie']);
    expect(pair).toMatch(name);
    expect(attributes).toEqual(expect.arrayContaining(['Max-Age=0', 'Path=/', 'HttpOnly', attribute]));
  });
});

describe('a store of browser sessions that fails', () => {
  it('breaks only what needs to know who somebody is: /ping and all refusals work on', async () => {
    let isBroken = false;
    const world = await startWorld({
      store: watchStore(({ table }) => {
        if (isBroken && table === 'browserSessions') throw new StoreUnavailable();
      }),
    });
    const alice = await world.signedIn(await world.tokenOf('alice'));
    isBroken = true;

    const statusOf = async (path: string, method = 'GET') =>
      (await alice.send(world.url + path, { method, headers: { origin: world.url } })).status;
    expect(await statusOf('/ping')).toBe(200);
    expect(await statusOf('/ready')).toBe(200);
    expect(await statusOf('/nowhere')).toBe(404);
    expect(await statusOf('/oauth2/callback', 'POST')).toBe(405);
    expect(await statusOf('/oauth2/callback')).toBe(400);
    expect(await statusOf('/userIdentifier/token', 'OPTIONS')).toBe(204);
    expect(await statusOf('/userIdentifier/token', 'POST')).toBe(415);
    const url = callbackOf(world.url, unknownSessionId());
    expectPage(await alice.open(url), 503, 'store_unavailable');
    // Nobody's visit needs no record, and a cookie without our signature is nobody's.
    expectPage(await new Browser().open(url), 401, 'not_signed_in');
    expect(await whoIs(world, 'session-binding=forged.forged')).toBeUndefined();
    expect(world.agentcore.completeCalls).toBe(0);
  });
});

describe('a new SESSION_SECRET in front of the old one', () => {
  const OLD = new Secret('the-old-secret-of-this-service-0123456789');
  const NEW = new Secret('the-new-secret-of-this-service-0123456789');

  it('signs nobody out and invalidates no state; without the old one both end [SB-14]', async () => {
    const store = createMemoryStore(systemClock);
    const before = await startWorld({ store: () => store, config: { sessionSecrets: [OLD] } });
    const { browser, url } = await flowWithState(before);
    const cookie = cookieHeader(browser, before.url);
    const { search } = new URL(url);

    const rotated = await startWorld({ store: () => store, config: { sessionSecrets: [NEW, OLD] } });
    expect(await whoIs(rotated, cookie)).toBe('alice');
    const page = await browser.open(`${rotated.url}/oauth2/callback${search}`);
    expectPage(page, 410, 'authorization_expired');
    expectNoCookie(page);
    const carol = cookieHeader(await rotated.signedIn(await rotated.tokenOf('carol')), rotated.url);

    const without = await startWorld({ store: () => store, config: { sessionSecrets: [NEW] } });
    expect(await whoIs(without, carol)).toBe('carol');
    expect(await whoIs(without, cookie)).toBeUndefined();
  });
});
