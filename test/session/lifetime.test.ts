import { describe, expect, it } from 'vitest';
import { digest } from '../../src/binding/digest.ts';
import { Browser } from '../../src/demo/browser.ts';
import type { BrowserSession } from '../../src/session/browser-session.ts';
import { cookieHeader, postToken } from '../support/flows.ts';
import { idIn, sessionCookie, whoIs } from '../support/cookies.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';
import { startWorld, type World } from '../support/world.ts';

const MINUTE_MS = 60_000;

describe('a browser session', () => {
  it('lives for its whole time and no longer, however often it is used', async () => {
    const world = await startWorld({ config: { sessionTtlSeconds: 3600 } });
    const cookie = cookieHeader(await world.signedIn(await world.tokenOf('alice', 7200)), world.url);
    for (const minutes of [15, 15, 15, 13]) {
      world.advance(minutes * MINUTE_MS);
      expect(await whoIs(world, cookie)).toBe('alice');
    }
    world.advance(2 * MINUTE_MS);
    expect(await whoIs(world, cookie)).toBeUndefined();
  });

  it('says nothing to the browser at a visit: its cookie is set once, at the sign-in', async () => {
    const world = await startWorld();
    const alice = await world.signedIn(await world.tokenOf('alice'));
    for (const path of ['/oauth2/callback?error=access_denied', '/oauth2/callback?error=x']) {
      expect((await alice.open(world.url + path)).headers).not.toHaveProperty('set-cookie');
    }
  });

  it('may outlive the user token, and then says "expired", not "unknown"', async () => {
    const world = await startWorld();
    const alice = await world.signedIn(await world.tokenOf('alice', 60));
    world.advance(2 * MINUTE_MS);
    const url = `${world.url}/oauth2/callback?session_id=urn:ietf:params:oauth:request_uri:x`;
    expect((await alice.open(url)).body).toContain('You were away too long');
  });
});

describe('a browser session of a caller that is no browser', () => {
  it('is gone after ten minutes, if its cookie never came back', async () => {
    const world = await startWorld();
    const cookie = await postedByProgram(world, 'alice');
    world.advance(9 * MINUTE_MS);
    expect(await recordOf(world, cookie)).toMatchObject({ provisional: true });
    world.advance(MINUTE_MS);
    expect(await whoIs(world, cookie)).toBeUndefined();
    // Coming back now confirms nothing.
    expect(await whoIs(world, cookie)).toBeUndefined();
    expect(await recordOf(world, cookie)).toBeUndefined();
  });

  it('lives as long as any other once its cookie came back in time, from its sign-in on', async () => {
    const writes: StoreCall[] = [];
    const store = watchStore((call) => /^(?:write|replace)$/.test(call.method) && writes.push(call));
    const world = await startWorld({ store, config: { sessionTtlSeconds: 3600 } });
    const cookie = await postedByProgram(world, 'alice');
    world.advance(9 * MINUTE_MS);
    expect(await whoIs(world, cookie)).toBe('alice');
    expect(await recordOf(world, cookie)).toMatchObject({ provisional: false });
    world.advance(49 * MINUTE_MS);
    expect(await whoIs(world, cookie)).toBe('alice');
    world.advance(2 * MINUTE_MS);
    expect(await whoIs(world, cookie)).toBeUndefined();

    // To the millisecond: ten minutes at first, then the rest of the hour, counted from the sign-in.
    const lifetimesMs = writes
      .filter(({ table }) => table === 'browserSessions')
      .map(({ args }) => Number(args[2]) - (args[1] as BrowserSession).createdAtMs);
    expect(lifetimesMs).toEqual([10 * MINUTE_MS, 60 * MINUTE_MS]);
  });

  it('does not outlive SESSION_TTL_SECONDS where that is less than ten minutes', async () => {
    const world = await startWorld({ config: { sessionTtlSeconds: 60 } });
    const cookie = await postedByProgram(world, 'alice');
    world.advance(61_000);
    expect(await whoIs(world, cookie)).toBeUndefined();
  });

  it('is told from a browser’s, which says Origin or Fetch Metadata', async () => {
    const world = await startWorld();
    const rows = [
      [{}, true],
      [{ 'user-agent': 'Mozilla/5.0' }, true],
      [{ 'sec-fetch-mode': 'cors' }, true],
      [{ origin: world.url }, false],
      [{ 'sec-fetch-site': 'same-origin' }, false],
    ] as const;
    for (const [headers, provisional] of rows) {
      const cookie = await postedByProgram(world, 'alice', headers);
      expect(await recordOf(world, cookie)).toMatchObject({ provisional });
    }
  });
});

describe('of one user', () => {
  it('eight browsers stay signed in; the ninth ends the oldest [SB-22]', async () => {
    const world = await startWorld();
    const cookies: string[] = [];
    for (let browsers = 0; browsers < 9; browsers += 1) {
      cookies.push(cookieHeader(await world.signedIn(await world.tokenOf('alice')), world.url));
    }
    const bob = cookieHeader(await world.signedIn(await world.tokenOf('bob')), world.url);
    const who = await Promise.all(cookies.map((cookie) => whoIs(world, cookie)));
    expect(who).toEqual([undefined, ...Array.from({ length: 8 }, () => 'alice')]);
    expect(await whoIs(world, bob)).toBe('bob');
  });

  it('eight browsers stay signed in while one of them refreshes its token again and again [SB-22]', async () => {
    const world = await startWorld();
    const browsers: Browser[] = [];
    for (let index = 0; index < 8; index += 1) {
      browsers.push(await world.signedIn(await world.tokenOf('alice')));
    }
    for (let refreshes = 0; refreshes < 10; refreshes += 1) {
      await postToken(world, browsers[0] ?? new Browser(), { user_token: await world.tokenOf('alice') });
    }
    const who = await Promise.all(browsers.map((browser) => whoIs(world, cookieHeader(browser, world.url))));
    expect(who).toEqual(Array.from({ length: 8 }, () => 'alice'));
  });

  it('a program that posts a hundred times signs no browser out [SB-22]', async () => {
    const world = await startWorld();
    const cookies: string[] = [];
    for (let browsers = 0; browsers < 7; browsers += 1) {
      cookies.push(cookieHeader(await world.signedIn(await world.tokenOf('alice')), world.url));
    }
    for (let posts = 0; posts < 100; posts += 1) await postedByProgram(world, 'alice');
    const who = await Promise.all(cookies.map((cookie) => whoIs(world, cookie)));
    expect(who).toEqual(Array.from({ length: 7 }, () => 'alice'));
  });
});

/** A program posts the token and keeps the cookie, which it hands to nobody yet. */
async function postedByProgram(
  world: World,
  username: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const program = new Browser();
  const answer = await program.send(`${world.url}/userIdentifier/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ user_token: await world.tokenOf(username, 7200) }),
  });
  if (answer.status !== 200) throw new Error(`the POST answered ${answer.status}`);
  return `session-binding=${sessionCookie(program, world.url)}`;
}

function recordOf({ store }: World, cookie: string) {
  return store.browserSessions.read(digest(idIn(cookie.replace('session-binding=', ''))));
}
