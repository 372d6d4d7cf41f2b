import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import { Browser } from '../../src/demo/browser.ts';
import { press, readForm } from '../support/forms.ts';
import { startWorld } from '../support/world.ts';
import { consent, known, post, programPosts, startSingleUser, whoIs } from './single-user.ts';

const WORDS = 'Sign out of all my browsers';

describe('signing out', () => {
  it('ends every browser session of the user, in other browsers too, and nobody else’s', async () => {
    const world = await startWorld();
    const [here, there] = [
      await world.signedIn(await world.tokenOf('alice')),
      await world.signedIn(await world.tokenOf('alice')),
    ];
    const bobs = await world.signedIn(await world.tokenOf('bob'));
    const page = await press(here, await here.open(`${world.url}/sign-in`), WORDS);
    expect([page.status, page.url]).toEqual([200, `${world.url}/sign-out`]);
    expect(page.body).toContain('You are signed out');
    expect(page.headers['content-security-policy']).toContain("form-action 'none'");
    expect([...here.cookies(world.url).keys()]).toEqual([]);
    expect(page.headers['set-cookie']).toContainEqual(
      'session-binding=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
    );
    expect(await whoIs(here, world)).toBeUndefined();
    expect(await whoIs(there, world)).toBeUndefined();
    expect(await whoIs(bobs, world)).toBe('bob');
    expect(world.log().at(-1)).toBeDefined();
    expect(world.log().filter(({ event }) => event === 'sign_out')).toMatchObject([{ forgets: false }]);
  });

  it('is offered by the page of a connection, and leaves the stored tokens alone', async () => {
    const world = await startWorld();
    const token = await world.tokenOf('alice');
    const alice = await world.signedIn(token);
    const { callback } = await consent(world, token);
    const connected = await alice.open(callback);
    expect(connected.body).toContain('You are connected');
    expect(connected.headers['content-security-policy']).toContain("form-action 'self'");
    expect((await press(alice, connected, WORDS)).body).toContain('You are signed out');
    expect((await alice.send(callback, { headers: { accept: 'application/json' } })).status).toBe(401);

    const again = await world.signedIn(await world.tokenOf('alice'));
    const second = await consent(world, token);
    expect((await again.open(second.callback)).body).toContain('You are connected');
    expect(world.agentcore.calls.at(-1)?.userToken).toBe(token);
  });

  it('is on no page of a refusal, and on no answer for programs', async () => {
    const world = await startWorld();
    const alice = await world.signedIn(await world.tokenOf('alice'));
    const refusal = await alice.open(`${world.url}/oauth2/callback?error=access_denied`);
    expect(refusal.body).not.toContain('<form');
    expect(refusal.headers['content-security-policy']).toContain("form-action 'none'");
    const token = await world.tokenOf('alice');
    await programPosts(world, token);
    const { callback } = await consent(world, token);
    const answer = await alice.send(callback, { headers: { accept: 'application/json' } });
    expect([answer.status, answer.body]).toEqual([200, '{"status":"completed"}']);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('with the box ticked also forgets tokens and name: nothing can be finished with them', async () => {
    const world = await startSingleUser();
    const token = await world.tokenOf('alice');
    await known(world, 'bob');
    const flow = await world.agent.open(token);
    await programPosts(world, token, { session_uri: flow.sessionUri });
    const { callback } = await consent(world, token);
    const alice = new Browser();
    await press(alice, await alice.open(`${world.url}/sign-in`), 'Continue as alice');
    const page = await press(alice, await alice.open(`${world.url}/sign-in`), WORDS, { forget: 'yes' });
    expect(page.body).toContain('are forgotten');
    const user = { issuer: world.issuer.issuer, subject: 'sub-of-alice' };
    expect(await world.store.userTokens.list(user)).toEqual([]);

    const after = await alice.open(callback);
    expect(after.body).toContain('Continue as <bdi>bob</bdi>');
    expect(after.body).not.toContain('alice');
    const back = await world.signedIn(await world.tokenOf('alice'));
    expect((await back.open(callback)).status).toBe(410);
    expect(world.agentcore.calls.map(({ userToken }) => userToken)).not.toContain(token);
    expect((await back.open(`${world.url}/oauth2/callback?session_id=${flow.sessionUri}`)).body).toContain(
      'Please start from your app',
    );
  });

  it('with the box ticked also kills the sign-in links that are still about [SB-04]', async () => {
    const world = await startSingleUser();
    const [link = ''] = await known(world, 'alice');
    await known(world, 'bob');
    const [alice, other] = [await world.signedIn(await world.tokenOf('alice')), new Browser()];
    const open = readForm(await other.open(link), 'Continue as alice');
    await press(alice, await alice.open(`${world.url}/sign-in`), WORDS, { forget: 'yes' });
    const later = await new Browser().open(link);
    expect(later.body).toContain('already used, or has expired');
    const late = await post(other, open.action, open.fields);
    expect(late.status).toBe(403);
    for (const { body } of [later, late]) {
      expect(body).toContain('Continue as <bdi>bob</bdi>');
      expect(body).not.toContain('alice');
    }
    expect(await whoIs(other, world)).toBeUndefined();
  });

  it('is no error a second time, nor for nobody', async () => {
    const world = await startWorld();
    const alice = await world.signedIn(await world.tokenOf('alice'));
    const { action, fields } = readForm(await alice.open(`${world.url}/sign-in`), WORDS);
    await post(alice, action, fields);
    const reload = await post(alice, action, fields);
    expect([reload.status, reload.body.includes('Nobody is signed in to this browser')]).toEqual([200, true]);
    expect((await post(new Browser(), action, {})).status).toBe(200);
  });

  it('leaves everything as it is when the store fails before the end', async () => {
    let broken = false;
    const world = await startWorld({
      store: (store) => ({
        ...store,
        userTokens: {
          ...store.userTokens,
          removeAll: async (user) => {
            if (broken) throw new StoreUnavailable('down');
            await store.userTokens.removeAll(user);
          },
        },
      }),
    });
    const alice = await world.signedIn(await world.tokenOf('alice'));
    const page = await alice.open(`${world.url}/sign-in`);
    broken = true;
    expect((await press(alice, page, WORDS, { forget: 'yes' })).status).toBe(503);
    expect(await whoIs(alice, world)).toBe('alice');
    broken = false;
    expect((await press(alice, page, WORDS, { forget: 'yes' })).body).toContain('are forgotten');
  });
});

describe('a sign-out that its user did not ask for [SB-03]', () => {
  it.each([
    ['without a CSRF token', {}, {}],
    ['with an invented one', { csrf_token: 'A'.repeat(43) }, {}],
    ['from another site', undefined, { origin: 'https://attacker.example', 'sec-fetch-site': 'cross-site' }],
    ['from nowhere', undefined, { origin: 'null' }],
    ['from a sibling domain', undefined, { origin: 'http://evil.localhost', 'sec-fetch-site': 'same-site' }],
    ['in an iframe', undefined, { 'sec-fetch-dest': 'iframe' }],
  ] as const)('is refused %s [SB-03]', async (_name, fields, headers) => {
    const world = await startWorld();
    const alice = await world.signedIn(await world.tokenOf('alice'));
    const form = readForm(await alice.open(`${world.url}/sign-in`), WORDS);
    expect((await post(alice, form.action, fields ?? form.fields, headers)).status).toBe(403);
    expect(await whoIs(alice, world)).toBe('alice');
  });

  it('is refused with the CSRF token of another browser, or with two [SB-03]', async () => {
    const world = await startWorld();
    const alice = await world.signedIn(await world.tokenOf('alice'));
    const form = readForm(await alice.open(`${world.url}/sign-in`), WORDS);
    const mallory = await world.signedIn(await world.tokenOf('mallory'));
    const { fields } = readForm(await mallory.open(`${world.url}/sign-in`), WORDS);
    const foreign = await post(alice, form.action, fields);
    expect([foreign.status, foreign.body.includes('you are still signed in')]).toEqual([403, true]);
    expect(
      (await post(alice, form.action, [...Object.entries(form.fields), ...Object.entries(fields)])).status,
    ).toBe(403);
    expect(await whoIs(alice, world)).toBe('alice');
    await press(alice, foreign, WORDS);
    expect(await whoIs(alice, world)).toBeUndefined();
  });

  it('is no GET, and no other method', async () => {
    const world = await startWorld();
    const alice = await world.signedIn(await world.tokenOf('alice'));
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const answer = await alice.send(`${world.url}/sign-out`, { method });
      expect([method, answer.status, answer.headers.allow]).toEqual([method, 405, 'POST']);
    }
    expect(await whoIs(alice, world)).toBe('alice');
  });
});
