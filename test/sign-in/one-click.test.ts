import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { press } from '../support/forms.ts';
import { consent, countingWrites, known, programPosts, startSingleUser, whoIs } from './single-user.ts';

describe("AWS's Python sample, unchanged", () => {
  it('is connected after one click in a browser that nobody prepared', async () => {
    const world = await startSingleUser();
    // All that the sample does: it waits for the server, posts the token, and ignores the answer.
    const ping = await new Browser().send(`${world.url}/ping`);
    expect([ping.status, JSON.parse(ping.body)]).toEqual([200, { status: 'success' }]);
    const token = await world.tokenOf('testuser');
    await programPosts(world, token);
    const flow = await world.agent.open(token);

    const person = new Browser();
    const allow = await person.open(flow.authorizationUrl);
    const signIn = await person.submit(allow.url, { decision: 'allow' });
    expect(signIn.status).toBe(200);
    expect(signIn.body).toContain('Continue as <bdi>testuser</bdi>');
    expect(world.agentcore.completeCalls).toBe(0);

    const connected = await press(person, signIn, 'Continue as testuser');
    expect([connected.status, new URL(connected.url).pathname]).toEqual([200, '/oauth2/callback']);
    expect(connected.body).toContain('You are connected');
    expect(world.agentcore.calls.map(({ userToken }) => userToken)).toEqual([token]);
    expect(await world.agent.accessToken(flow)).toBeTypeOf('string');
  });
});

describe('a callback in a browser that is nobody yet', () => {
  it('goes on for the user who was clicked, among several', async () => {
    const world = await startSingleUser();
    await known(world, 'bob');
    const token = await world.tokenOf('alice');
    await programPosts(world, token);
    const { flow, callback } = await consent(world, token);
    const person = new Browser();
    const signIn = await person.open(callback);
    expect(signIn.body.match(/Continue as <bdi>[^<]*<\/bdi>/g)).toEqual([
      'Continue as <bdi>alice</bdi>',
      'Continue as <bdi>bob</bdi>',
    ]);
    const page = await press(person, signIn, 'Continue as alice');
    expect(page.body).toContain('You are connected');
    expect(world.agentcore.vaultOwnerOf(flow.sessionUri)).toMatchObject({ subject: 'sub-of-alice' });
  });

  it('binds into no vault when the wrong user was clicked: only his own tokens are tried [SB-01]', async () => {
    const world = await startSingleUser();
    const [alices, bobs] = [await world.tokenOf('alice'), await world.tokenOf('bob')];
    await programPosts(world, alices);
    await programPosts(world, bobs);
    const { flow, callback } = await consent(world, alices);
    const person = new Browser();
    const page = await press(person, await person.open(callback), 'Continue as bob');
    expect(page.status).toBe(410);
    expect(page.body).toContain('This link has expired');
    expect(world.agentcore.calls.map(({ userToken }) => userToken)).toEqual([bobs]);
    expect(world.agentcore.vaultOwnerOf(flow.sessionUri)).toBeUndefined();

    // The wrong click can be put right: the page leads to where he becomes somebody else.
    expect(page.body).toContain('<a href="../sign-in">Not you?</a>');
    await press(person, await person.open(`${world.url}/sign-in`), 'Continue as alice');
    expect((await person.open(callback)).body).toContain('You are connected');
    expect(world.agentcore.vaultOwnerOf(flow.sessionUri)).toMatchObject({ subject: 'sub-of-alice' });
  });

  it("does not invite whoever opened somebody else's link to become that user [SB-01]", async () => {
    const world = await startSingleUser();
    const token = await world.tokenOf('alice');
    const flow = await world.agent.open(token);
    await programPosts(world, token, { session_uri: flow.sessionUri });
    const bobs = await world.signedIn(await world.tokenOf('bob'));
    const page = await bobs.open(`${world.url}/oauth2/callback?session_id=${flow.sessionUri}`);
    expect(page.status).toBe(403);
    expect(page.body).not.toContain('sign-in');
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it('answers programs 401 and signs nobody in', async () => {
    const world = await startSingleUser();
    const token = await world.tokenOf('alice');
    await programPosts(world, token);
    const { callback } = await consent(world, token);
    for (const accept of ['application/json', '*/*', 'application/problem+json']) {
      const answer = await new Browser().send(callback, { headers: { accept } });
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([401, 'not_signed_in']);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it('keeps the state and the consent error of the callback through the click', async () => {
    const world = await startSingleUser();
    const opening = await world.tokenOf('alice');
    const { custom_state: state } = await programPosts(world, opening);
    await programPosts(world, await world.tokenOf('alice'));
    const { callback } = await consent(world, opening, String(state));
    const person = new Browser();
    const page = await press(person, await person.open(callback), 'Continue as alice');
    expect(page.body).toContain('You are connected');
    expect(world.agentcore.calls.map(({ userToken }) => userToken)).toEqual([opening]);

    const other = new Browser();
    const denial = await other.open(`${world.url}/oauth2/callback?error=access_denied&error_description=x`);
    const denied = await press(other, denial, 'Continue as alice');
    expect([denied.status, denied.body.includes('You said no')]).toEqual([403, true]);
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('says what to do when no app has handed over a user', async () => {
    const world = await startSingleUser();
    const token = await world.tokenOf('alice');
    const { callback } = await consent(world, token);
    const person = new Browser();
    const page = await person.open(callback);
    expect(page.status).toBe(200);
    expect(page.body).toContain('Run your app so that it signs you in');
    expect(page.body).not.toContain('<form');
    await programPosts(world, token);
    const second = await press(person, await person.open(callback), 'Continue as alice');
    expect(second.body).toContain('You are connected');
  });

  it('stores nothing for the page, and signs nobody in by it [SB-04] [SB-22]', async () => {
    const counts = { writes: 0 };
    const world = await startSingleUser({ store: countingWrites(counts) });
    const token = await world.tokenOf('alice');
    await programPosts(world, token);
    const { callback } = await consent(world, token);
    const before = counts.writes;
    const person = new Browser();
    for (let visit = 0; visit < 3; visit += 1) await person.open(callback);
    await person.open(`${world.url}/sign-in`);
    expect(counts.writes).toBe(before);
    expect([...person.cookies(world.url).keys()]).toEqual(['session-binding-form']);
    expect(await whoIs(person, world)).toBeUndefined();
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it('offers nobody beyond the life of the token that made him known', async () => {
    const world = await startSingleUser();
    await programPosts(world, await world.tokenOf('alice', 120));
    await programPosts(world, await world.tokenOf('bob'));
    world.advance(121_000);
    const page = await new Browser().open(`${world.url}/sign-in`);
    expect(page.body).toContain('Continue as <bdi>bob</bdi>');
    expect(page.body).not.toContain('alice');
  });
});

describe('names on the page', () => {
  it('are isolated and never markup [SB-17]', async () => {
    const world = await startSingleUser();
    for (const username of ['<b>"x"</b>', 'abc\u202Edcba\nx', 'n'.repeat(300)]) {
      await programPosts(
        world,
        await world.issuer.accessToken({ username, subject: username.slice(0, 60), clientId: 'demo-client' }),
      );
    }
    const { body, headers } = await new Browser().open(`${world.url}/sign-in`);
    expect(body).toContain('<bdi>&lt;b&gt;&quot;x&quot;&lt;/b&gt;</bdi>');
    expect(body).toContain('<bdi>abcdcbax</bdi>');
    expect(body).toContain(`<bdi>${'n'.repeat(63)}…</bdi>`);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; style-src 'sha256-[^']+'; script-src(?: 'sha256-[^']+')+$/,
    );
  });

  it('that are the same are told apart by their subjects', async () => {
    const world = await startSingleUser();
    for (const subject of ['one-subject', 'another-subject']) {
      await programPosts(
        world,
        await world.issuer.accessToken({ username: 'same', subject, clientId: 'demo-client' }),
      );
    }
    await known(world, 'unique');
    const { body } = await new Browser().open(`${world.url}/sign-in`);
    expect(body).toContain('<small><bdi>one-subject</bdi></small>');
    expect(body).toContain('<small><bdi>another-subject</bdi></small>');
    expect(body).not.toContain('sub-of-unique');
  });
});
