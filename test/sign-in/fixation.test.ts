import { describe, expect, it } from 'vitest';
import { digest } from '../../src/binding/digest.ts';
import { userDigest } from '../../src/binding/user.ts';
import { Browser } from '../../src/demo/browser.ts';
import { press, readForm } from '../support/forms.ts';
import type { World } from '../support/world.ts';
import { known, post, startSingleUser, whoIs } from './single-user.ts';

const SESSION = 'session-binding';

const signInAs = async (browser: Browser, { url }: World, username: string) =>
  press(browser, await browser.open(`${url}/sign-in`), `Continue as ${username}`);

const cookieOf = (browser: Browser, { url }: World) => browser.cookies(url).get(SESSION) ?? '';

const recordOf = (cookie: string, { store }: World) =>
  store.browserSessions.read(digest(decodeURIComponent(cookie).split('.')[0] ?? ''));

const userOf = ({ issuer }: World, username: string) => ({
  issuer: issuer.issuer,
  subject: `sub-of-${username}`,
});

/** The victim clicks "Continue as alice" in a browser in which somebody has planted this session cookie. */
async function clickWith(planted: string, world: World) {
  const victim = new Browser();
  const { action, fields } = readForm(await victim.open(`${world.url}/sign-in`), 'Continue as alice');
  const form = victim.cookies(world.url).get('session-binding-form');
  const cookie = `${SESSION}=${planted}; session-binding-form=${form}`;
  return { answer: await post(new Browser(), action, fields, { cookie }), cookie };
}

describe('the browser session that a click makes', () => {
  it.each([
    ['a forged one', () => `${'A'.repeat(32)}.${'B'.repeat(43)}`],
    [
      'one of ours that has ended',
      async (world: World) => {
        const attacker = await world.signedIn(await world.tokenOf('mallory'));
        const cookie = cookieOf(attacker, world);
        await world.store.browserSessions.removeAll(userOf(world, 'mallory'));
        return cookie;
      },
    ],
  ])('has a new id whatever cookie was planted, and that stays nobody: %s [SB-05]', async (_name, plant) => {
    const world = await startSingleUser();
    await known(world, 'alice');
    const planted = await plant(world);
    const { answer, cookie } = await clickWith(planted, world);
    expect(answer.status).toBe(303);
    const lines = [answer.headers['set-cookie']].flat().filter((one) => one?.startsWith(`${SESSION}=`));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^session-binding=[^;]+; Max-Age=3600; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(lines[0]).not.toContain(planted);
    expect(await recordOf(planted, world)).toBeUndefined();
    const headers = { accept: 'application/json', cookie };
    expect((await new Browser().send(`${world.url}/sign-in`, { headers })).status).toBe(401);
  });

  it('has a new id at every click, also for the same user; the former one ends [SB-05]', async () => {
    const world = await startSingleUser();
    await known(world, 'alice', 'bob');
    const browser = new Browser();
    await signInAs(browser, world, 'alice');
    const first = cookieOf(browser, world);
    const { action, fields } = readForm(await browser.open(`${world.url}/sign-in`), 'Continue as bob');
    const again = {
      ...fields,
      candidate: userDigest(userOf(world, 'alice')),
    };
    expect((await post(browser, action, again)).status).toBe(303);
    const second = cookieOf(browser, world);
    await signInAs(browser, world, 'bob');
    const third = cookieOf(browser, world);
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await recordOf(first, world)).toBeUndefined();
    expect(await recordOf(second, world)).toBeUndefined();
    expect((await recordOf(third, world))?.username).toBe('bob');
    expect(await whoIs(browser, world)).toBe('bob');
  });

  it("ends the session of another user that was planted in the victim's browser [SB-05]", async () => {
    const world = await startSingleUser();
    await known(world, 'mallory', 'alice');
    const attacker = new Browser();
    await signInAs(attacker, world, 'mallory');
    const planted = cookieOf(attacker, world);
    expect((await clickWith(planted, world)).answer.status).toBe(303);
    expect(await recordOf(planted, world)).toBeUndefined();
    expect(await whoIs(attacker, world)).toBeUndefined();
  });

  it('lives as long as any other, and not longer', async () => {
    const world = await startSingleUser({ config: { sessionTtlSeconds: 600 } });
    await known(world, 'alice');
    const browser = new Browser();
    await signInAs(browser, world, 'alice');
    world.advance(599_000);
    expect(await whoIs(browser, world)).toBe('alice');
    world.advance(2_000);
    expect(await whoIs(browser, world)).toBeUndefined();
  });
});

describe('what the form says about a user', () => {
  it('chooses among the people known here, and nobody else [SB-02] [SB-04]', async () => {
    const world = await startSingleUser();
    await known(world, 'alice');
    const { issuer } = world.issuer;
    const person = new Browser();
    const { action, fields } = readForm(await person.open(`${world.url}/sign-in`), 'Continue as alice');
    const forged = [
      '',
      'alice',
      'sub-of-alice',
      'sub-of-bob',
      userDigest({ issuer, subject: 'sub-of-bob' }),
      userDigest({ issuer: 'https://attacker.example', subject: 'sub-of-alice' }),
      `${fields['candidate']}A`,
      (fields['candidate'] ?? '').toLowerCase(),
      JSON.stringify([issuer, 'sub-of-alice']),
      '0',
      '__proto__',
      '*',
    ];
    for (const candidate of forged) {
      const answer = await post(person, action, { ...fields, candidate });
      expect([candidate, answer.status]).toEqual([candidate, 403]);
    }
    for (const more of [
      [['candidate', fields['candidate'] ?? '']],
      [['candidate', userDigest({ issuer, subject: 'sub-of-bob' })]],
      [['code', 'A'.repeat(43)]],
    ] as const) {
      expect((await post(person, action, [...Object.entries(fields), ...more])).status).toBe(400);
    }
    const { candidate: _, ...nobody } = fields;
    expect((await post(person, action, nobody)).status).toBe(400);
    expect(await whoIs(person, world)).toBeUndefined();
    const named = { ...fields, username: 'root', subject: 'sub-of-bob', user: 'bob', issuer: 'x' };
    expect((await post(person, action, named)).status).toBe(303);
    expect(await whoIs(person, world)).toBe('alice');
  });
});
