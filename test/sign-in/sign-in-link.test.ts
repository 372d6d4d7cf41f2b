import { describe, expect, it } from 'vitest';
import { digest } from '../../src/binding/digest.ts';
import { Browser } from '../../src/demo/browser.ts';
import { press, readForm } from '../support/forms.ts';
import { countingWrites, known, post, programPosts, startSingleUser, whoIs } from './single-user.ts';

const MINUTE = 60_000;

describe('the sign-in link of a posted token', () => {
  it('names its user, and one click signs the browser in', async () => {
    const world = await startSingleUser();
    const [link = ''] = await known(world, 'alice');
    await known(world, 'bob');
    expect(link).toMatch(new RegExp(`^${world.url}/sign-in\\?code=[A-Za-z0-9_-]{43}$`));
    const person = new Browser();
    const page = await person.open(link);
    expect(page.status).toBe(200);
    expect(page.body).toContain('Continue as <bdi>alice</bdi>');
    expect(page.body).not.toMatch(/\bbob\b/);
    const signedIn = await press(person, page, 'Continue as alice');
    expect([signedIn.status, signedIn.url]).toEqual([200, `${world.url}/sign-in`]);
    expect(await whoIs(person, world)).toBe('alice');
  });

  it('is another one each time, and the store never learns it [SB-14]', async () => {
    const world = await startSingleUser();
    const links = [...(await known(world, 'alice')), ...(await known(world, 'alice'))];
    const codes = links.map((link) => new URL(link).searchParams.get('code') ?? '');
    expect(new Set(codes).size).toBe(2);
    for (const code of codes) {
      expect(Buffer.from(code, 'base64url')).toHaveLength(32);
      expect(await world.store.signInCodes.readCode(code)).toBeUndefined();
      expect(await world.store.signInCodes.readCode(digest(code))).toMatchObject({ username: 'alice' });
    }
  });

  it('serves once: a second click gets the page again, not a session [SB-04]', async () => {
    const world = await startSingleUser();
    const [link = ''] = await known(world, 'alice');
    const [first, second] = [new Browser(), new Browser()];
    const pages = [await first.open(link), await second.open(link)] as const;
    await press(first, pages[0], 'Continue as alice');
    const late = await press(second, pages[1], 'Continue as alice');
    expect(late.status).toBe(403);
    expect(late.body).toContain('already used, or has expired');
    expect(await whoIs(second, world)).toBeUndefined();
    // Nobody is stranded: the people known here are offered, and a click on one of them works.
    await press(second, late, 'Continue as alice');
    expect(await whoIs(second, world)).toBe('alice');
  });

  it('gives one browser session to many clicks at once [SB-04]', async () => {
    const world = await startSingleUser();
    const [link = ''] = await known(world, 'alice');
    const browsers = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const browser = new Browser();
        return { browser, form: readForm(await browser.open(link), 'Continue as alice') };
      }),
    );
    const answers = await Promise.all(
      browsers.map(({ browser, form }) => post(browser, form.action, form.fields)),
    );
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(9);
  });

  it('shows the people known here instead when it was used, or is ten minutes old [SB-04]', async () => {
    const world = await startSingleUser();
    const [used = '', old = ''] = [...(await known(world, 'alice')), ...(await known(world, 'alice'))];
    const other = new Browser();
    await press(other, await other.open(used), 'Continue as alice');
    const expectPeopleInstead = async (link: string) => {
      const person = new Browser();
      const page = await person.open(link);
      expect(page.status).toBe(200);
      expect(page.body).toContain('already used, or has expired');
      expect(await whoIs(person, world)).toBeUndefined();
      await press(person, page, 'Continue as alice');
      expect(await whoIs(person, world)).toBe('alice');
    };
    await expectPeopleInstead(used);
    world.advance(10 * MINUTE);
    await expectPeopleInstead(old);
  });

  it.each(['', 'x', 'A'.repeat(43), '%00', '../../x', '<script>alert(1)</script>', 'A'.repeat(4000)])(
    'that nobody made shows the people known here instead: %j [SB-04] [SB-17]',
    async (code) => {
      const world = await startSingleUser();
      await known(world, 'alice');
      const page = await new Browser().open(`${world.url}/sign-in?code=${encodeURIComponent(code)}`);
      expect(page.status).toBe(200);
      expect(page.body).toContain('Continue as <bdi>alice</bdi>');
      expect(page.body).not.toContain('alert(1)');
    },
  );

  it('counts for nothing where two are in one address', async () => {
    const world = await startSingleUser();
    const [link = ''] = await known(world, 'alice');
    const code = new URL(link).searchParams.get('code');
    const page = await new Browser().open(`${link}&code=${code}`);
    expect(readForm(page, 'Continue as alice').fields['code']).toBeUndefined();
  });

  it('never outlives the token it was made for', async () => {
    const world = await startSingleUser();
    const { sign_in_url: link } = await programPosts(world, await world.tokenOf('alice', 60));
    await known(world, 'bob');
    const person = new Browser();
    const page = await person.open(String(link));
    world.advance(61_000);
    const late = await press(person, page, 'Continue as alice');
    expect(late.status).toBe(403);
    expect(late.body).not.toContain('Continue as <bdi>alice</bdi>');
    expect(await whoIs(person, world)).toBeUndefined();
  });

  it('is neither spent nor followed by scanners: GET in any form, HEAD, prefetch [SB-04] [SB-07]', async () => {
    const counts = { writes: 0 };
    const world = await startSingleUser({ store: countingWrites(counts) });
    const [link = ''] = await known(world, 'alice');
    const before = counts.writes;
    const scanner = new Browser();
    for (let visit = 0; visit < 3; visit += 1) expect((await scanner.open(link)).status).toBe(200);
    expect((await scanner.send(link, { method: 'HEAD' })).status).toBe(405);
    expect((await scanner.send(link, { headers: { 'sec-purpose': 'prefetch' } })).status).toBe(403);
    expect((await scanner.send(link, { headers: { 'sec-fetch-dest': 'iframe' } })).status).toBe(403);
    expect((await scanner.send(link, { method: 'PUT' })).status).toBe(405);
    expect(counts.writes).toBe(before);
    expect(await whoIs(scanner, world)).toBeUndefined();
    const person = new Browser();
    await press(person, await person.open(link), 'Continue as alice');
    expect(await whoIs(person, world)).toBe('alice');
  });

  it('is not spent by a click without the CSRF token of its page [SB-03] [SB-04]', async () => {
    const world = await startSingleUser();
    const [link = ''] = await known(world, 'alice');
    const code = new URL(link).searchParams.get('code') ?? '';
    const person = new Browser();
    expect((await post(person, `${world.url}/sign-in`, { code })).status).toBe(403);
    await press(person, await person.open(link), 'Continue as alice');
    expect(await whoIs(person, world)).toBe('alice');
  });

  it('is in no line of the log, nor is what the forms carry [SB-16]', async () => {
    const world = await startSingleUser();
    const [link = ''] = await known(world, 'alice');
    const person = new Browser();
    const page = await person.open(link);
    const { fields } = readForm(page, 'Continue as alice');
    await press(person, page, 'Continue as alice');
    const replay = new Browser();
    await press(replay, await replay.open(link), 'Continue as alice');
    const cookies = [...person.cookies(world.url).values()];
    for (const canary of [...Object.values(fields), ...cookies, 'sub-of-alice']) {
      expect(canary).not.toBe('');
      expect(world.rawLog()).not.toContain(canary);
    }
    expect(world.log().filter(({ event }) => event === 'sign_in')).toMatchObject([
      { by: 'code' },
      { by: 'candidate' },
    ]);
  });
});
