import { describe, expect, it } from 'vitest';
import { digest } from '../../src/binding/digest.ts';
import { Browser } from '../../src/demo/browser.ts';
import { idIn, sessionCookie, signedCookie, whoIs } from '../support/cookies.ts';
import { postToken } from '../support/flows.ts';
import { startWorld, type World } from '../support/world.ts';

const SECRET = 'a-test-secret-that-is-long-enough-0123456789';

describe('a sign-in', () => {
  it('gives a new id each time, and the old one is dead [SB-05]', async () => {
    const world = await startWorld();
    const alice = new Browser();
    const cookies: string[] = [];
    for (let signIns = 0; signIns < 3; signIns += 1) {
      await postToken(world, alice, { user_token: await world.tokenOf('alice') });
      cookies.push(sessionCookie(alice, world.url));
    }
    expect(new Set(cookies.map(idIn)).size).toBe(3);
    const who = await Promise.all(cookies.map((cookie) => whoIs(world, `session-binding=${cookie}`)));
    expect(who).toEqual([undefined, undefined, 'alice']);
  });

  it('of another user in one browser ends the former’s browser session, in the store too [SB-05]', async () => {
    const world = await startWorld();
    const browser = await world.signedIn(await world.tokenOf('alice'));
    const alices = sessionCookie(browser, world.url);
    expect(await recordOf(world, alices)).toMatchObject({ username: 'alice' });

    await postToken(world, browser, { user_token: await world.tokenOf('bob') });

    expect(await recordOf(world, alices)).toBeUndefined();
    expect(await whoIs(world, `session-binding=${alices}`)).toBeUndefined();
    expect(await whoIs(world, `session-binding=${sessionCookie(browser, world.url)}`)).toBe('bob');
  });

  it('leaves the user’s other browsers signed in', async () => {
    const world = await startWorld();
    const laptop = await world.signedIn(await world.tokenOf('alice'));
    const phone = await world.signedIn(await world.tokenOf('alice'));
    await postToken(world, phone, { user_token: await world.tokenOf('bob') });
    expect(await whoIs(world, `session-binding=${sessionCookie(laptop, world.url)}`)).toBe('alice');
  });

  it('by a program that kept its cookie rotates it as well [SB-05]', async () => {
    const world = await startWorld();
    const program = await world.signedIn(await world.tokenOf('alice'));
    const former = sessionCookie(program, world.url);
    const answer = await program.send(`${world.url}/userIdentifier/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user_token: await world.tokenOf('alice') }),
    });
    expect(answer.status).toBe(200);
    expect(await recordOf(world, former)).toBeUndefined();
    expect(await recordOf(world, sessionCookie(program, world.url))).toMatchObject({ provisional: true });
  });
});

/** Cookies that an attacker could have put into the victim's browser before the victim signs in there. */
const PLANTED: readonly (readonly [name: string, cookie: (world: World) => string | Promise<string>])[] = [
  ['an id of his choice', () => 'chosen-by-the-attacker'],
  [
    'an id of his choice with a signature of his',
    () => signedCookie('chosen-by-the-attacker', 'x'.repeat(40)),
  ],
  ['a genuine id whose browser session is over', () => signedCookie('long-gone', SECRET)],
  [
    'his own live browser session',
    async (world) => sessionCookie(await world.signedIn(await world.tokenOf('mallory')), world.url),
  ],
];

describe('a planted cookie', () => {
  it.each(PLANTED)('with %s is not adopted by the victim’s sign-in [SB-05]', async (_name, plant) => {
    const world = await startWorld();
    const planted = await plant(world);
    const answer = await new Browser().send(`${world.url}/userIdentifier/token`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin: world.url,
        cookie: `session-binding=${planted}`,
      },
      body: JSON.stringify({ user_token: await world.tokenOf('victim') }),
    });
    expect(answer.status).toBe(200);
    const line = [answer.headers['set-cookie'] ?? []].flat();
    expect(line).toHaveLength(1);
    const victims = /^session-binding=([^;]+)/.exec(line[0] ?? '')?.[1] ?? '';
    expect(idIn(victims)).not.toBe(idIn(planted));
    // What the attacker knows names nobody now, least of all the victim.
    expect(await recordOf(world, planted)).toBeUndefined();
    expect(await whoIs(world, `session-binding=${planted}`)).toBeUndefined();
    expect(await whoIs(world, `session-binding=${victims}`)).toBe('victim');
  });

  it('of a live browser session that the victim brings to a callback binds nothing of the victim’s [SB-05]', async () => {
    const world = await startWorld();
    const mallory = sessionCookie(await world.signedIn(await world.tokenOf('mallory')), world.url);
    await world.signedIn(await world.tokenOf('victim'));
    expect(await whoIs(world, `session-binding=${mallory}`)).toBe('mallory');
    const tokens = world.agentcore.calls.map(({ userToken }) => userToken ?? '');
    expect(
      tokens.map((token) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sub),
    ).toEqual(['sub-of-mallory']);
  });
});

function recordOf({ store }: World, cookie: string) {
  return store.browserSessions.read(digest(idIn(cookie)));
}
