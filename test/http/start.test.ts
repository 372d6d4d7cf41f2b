import { describe, expect, it } from 'vitest';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { expectPage, expectProblem } from '../support/answers.ts';
import { consent, unknownSessionId } from '../support/consent.ts';
import { callsFor, postToken } from '../support/flows.ts';
import { shareWorld } from '../support/shared-world.ts';
import { startWorld, type World } from '../support/world.ts';

const APP = 'https://app.example.com';
const world = shareWorld({ config: { returnOrigins: [APP], appUrl: `${APP}/home?x=1` } });

const NAVIGATION = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

interface Started {
  readonly startUrl: string;
  readonly authorizationUrl: string;
  readonly sessionUri: string;
  readonly token: string;
  readonly browser: Browser;
  /** The callback URL, once consent is given. */
  readonly consented: () => Promise<string>;
}

/** The user's app announces the flow in his browser. */
async function announced(
  at: World,
  username = 'alice',
  more: Readonly<Record<string, unknown>> = {},
  browser = new Browser(),
): Promise<Started> {
  const token = await at.tokenOf(username);
  const flow = await at.agent.open(token);
  const { authorizationUrl, sessionUri } = flow;
  const body = { user_token: token, authorization_url: authorizationUrl, ...more };
  const answer = await postToken(at, browser, body);
  expect(answer.status, answer.body).toBe(200);
  const { start_url: startUrl } = JSON.parse(answer.body) as { start_url: string };
  return { startUrl, authorizationUrl, sessionUri, token, browser, consented: () => consent(flow) };
}

/** One step of a navigation: redirects are looked at, not followed. */
function step(browser: Browser, url: string): Promise<Page> {
  return browser.send(url, { headers: NAVIGATION });
}

describe('a start link', () => {
  it('sends the browser of its user to where consent is asked, and the flow ends there', async () => {
    const { startUrl, authorizationUrl, sessionUri, browser, consented } = await announced(world());
    const going = await step(browser, startUrl);
    expect([going.status, going.headers.location]).toEqual([303, authorizationUrl]);
    expect(going.headers['cache-control']).toBe('no-store');
    expectPage(await browser.open(await consented()), 200, 'completed');
    expect(callsFor(world(), sessionUri)).toBe(1);
  });

  it('is given for a flow with an authorization URL alone, and again for each POST of its user', async () => {
    const token = await world().tokenOf('alice');
    for (const more of [{}, { session_uri: unknownSessionId() }]) {
      const answer = await postToken(world(), new Browser(), { user_token: token, ...more });
      expect([answer.status, answer.body.includes('start_url')]).toEqual([200, false]);
    }
    const { startUrl, authorizationUrl, browser } = await announced(world());
    const refreshed = await postToken(world(), browser, {
      user_token: await world().tokenOf('alice'),
      authorization_url: authorizationUrl,
    });
    const { start_url: again } = JSON.parse(refreshed.body) as { start_url: string };
    for (const url of [startUrl, again]) {
      expect((await step(browser, url)).headers.location).toBe(authorizationUrl);
    }
  });

  it('says nothing: neither flow nor user, and no two are alike [SB-32]', async () => {
    const { startUrl, authorizationUrl, sessionUri } = await announced(world());
    const { origin, pathname, searchParams } = new URL(startUrl);
    expect([origin + pathname, [...searchParams.keys()]]).toEqual([`${world().url}/oauth2/start`, ['flow']]);
    const flow = searchParams.get('flow') ?? '';
    expect(flow).toMatch(/^[\w-]{100}$/);
    const bytes = Buffer.from(flow, 'base64url').toString('latin1');
    for (const secret of [authorizationUrl, sessionUri, sessionUri.split(':').at(-1) ?? '', 'alice']) {
      expect(flow).not.toContain(secret);
      expect(bytes).not.toContain(secret);
    }
    expect((await announced(world())).startUrl).not.toBe(startUrl);
    expect(world().rawLog()).not.toContain(flow);
    expect(world().rawLog()).not.toContain(sessionUri);
  });

  it('opens for nobody but its user: a stranger is refused, and told nothing of it [SB-32]', async () => {
    const { startUrl, sessionUri, browser, consented } = await announced(world(), 'alice', {
      label: 'The label of alice',
      return_to: `${APP}/secret-place`,
    });
    const mallory = await world().signedIn(await world().tokenOf('mallory'));
    for (const [stranger, status, code] of [
      [mallory, 403, 'user_mismatch'],
      [new Browser(), 401, 'not_signed_in'],
    ] as const) {
      const page = await step(stranger, startUrl);
      expectPage(page, status, code);
      expect(page.headers.location).toBeUndefined();
      expect(page.body).not.toMatch(/label of alice|secret-place|request_uri/);
      expect(page.body).toContain(`href="${APP}/home?x=1&amp;binding=${code}"`);
    }
    // Their visits change nothing.
    await step(browser, startUrl);
    expect((await step(browser, await consented())).status).toBe(303);
    expect(callsFor(world(), sessionUri)).toBe(1);
  });

  it('opens in a navigation alone: no frame, image, script or prefetch starts anything [SB-06] [SB-07]', async () => {
    const { startUrl, browser, consented } = await announced(world());
    for (const headers of [
      { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
      { ...NAVIGATION, 'sec-purpose': 'prefetch' },
    ]) {
      expectProblem(
        await browser.send(startUrl, { headers: { ...headers, accept: 'application/json' } }),
        403,
        'not_a_navigation',
      );
    }
    for (const method of ['HEAD', 'POST', 'PUT']) {
      expect((await browser.send(startUrl, { method })).status).toBe(405);
    }
    // Nothing was started, so his other browser may finish it.
    const other = await world().signedIn(await world().tokenOf('alice'));
    expectPage(await other.open(await consented()), 200, 'completed');
  });

  it.each([
    ['forged', 'A'.repeat(100), 404],
    ['that is no handle', 'x', 404],
    ['with a sign that no handle has', 'a.b', 400],
    ['too long', 'a'.repeat(129), 400],
    ['empty', '', 400],
    ['twice', 'a&flow=a', 400],
    ['absent', undefined, 400],
    ['that is a way out', 'https%3A%2F%2Fattacker.example', 400],
  ])('that is %s leads nowhere, whoever opens it [SB-18]', async (_name, flow, status) => {
    const query = flow === undefined ? '' : `?flow=${flow}`;
    const alice = await world().signedIn(await world().tokenOf('alice'));
    for (const browser of [alice, new Browser()]) {
      const page = await step(browser, `${world().url}/oauth2/start${query}`);
      expectPage(page, status, status === 404 ? 'not_found' : 'invalid_request');
      expect(page.headers.location).toBeUndefined();
      expect(page.body).not.toContain('attacker.example');
    }
  });

  it('that was changed by a letter, or made under another secret or for another purpose, is unknown [SB-18]', async () => {
    const { startUrl, browser } = await announced(world());
    const other = await announced(await startWorld());
    const state = JSON.parse(
      (await postToken(world(), browser, { user_token: await world().tokenOf('alice') })).body,
    ) as { custom_state: string };
    const flow = new URL(startUrl).searchParams.get('flow') ?? '';
    const changed = [0, 10, 50, 99].map((at) => {
      const letter = flow[at] === 'A' ? 'B' : 'A';
      return flow.slice(0, at) + letter + flow.slice(at + 1);
    });
    for (const forged of [
      ...changed,
      flow.slice(1),
      flow.slice(0, -1),
      `${flow}A`,
      new URL(other.startUrl).searchParams.get('flow') ?? '',
      state.custom_state.replace('sb1.', '').slice(0, 128),
    ]) {
      const page = await step(browser, `${world().url}/oauth2/start?flow=${forged}`);
      expectPage(page, 404, 'not_found');
    }
  });

  it('of a finished flow says so, to its user alone', async () => {
    const { startUrl, sessionUri, browser, consented } = await announced(world());
    await step(browser, startUrl);
    await browser.open(await consented());
    const page = await step(browser, startUrl);
    expect([page.status, page.body.includes('You are already connected')]).toEqual([200, true]);
    const mallory = await world().signedIn(await world().tokenOf('mallory'));
    expectPage(await step(mallory, startUrl), 403, 'user_mismatch');
    expect(callsFor(world(), sessionUri)).toBe(1);
  });

  it('of a flow that was finished for somebody else tells its user no success [SB-24]', async () => {
    const { startUrl, sessionUri, browser } = await announced(world());
    const key = parseAuthorizationSession(sessionUri)?.key ?? '';
    const mallory = { issuer: world().issuer.issuer, subject: 'sub-of-mallory' };
    await world().store.completions.record(key, mallory);
    const page = await step(browser, startUrl);
    expectPage(page, 403, 'user_mismatch');
    expect(page.headers.location).toBeUndefined();
  });

  it('lives ten minutes, and then leads back to the app', async () => {
    const own = await startWorld({ config: { returnOrigins: [APP] } });
    const { startUrl, browser } = await announced(own, 'alice', { return_to: `${APP}/chat?id=7#end` });
    own.advance(10 * 60_000);
    const page = await step(browser, startUrl);
    expectPage(page, 410, 'authorization_expired');
    expect(page.body).toContain(`href="${APP}/chat?id=7&amp;binding=authorization_expired#end"`);
    own.advance(24 * 60 * 60_000);
    expectPage(
      await step(await own.signedIn(await own.tokenOf('alice', 200_000)), startUrl),
      404,
      'not_found',
    );
  });

  it('tells programs in their language', async () => {
    const { startUrl } = await announced(world());
    const asProgram = (browser: Browser, url: string) =>
      browser.send(url, { headers: { accept: 'application/json' } });
    expectProblem(await asProgram(new Browser(), startUrl), 401, 'not_signed_in');
    const mallory = await world().signedIn(await world().tokenOf('mallory'));
    expectProblem(await asProgram(mallory, startUrl), 403, 'user_mismatch');
    expectProblem(await asProgram(mallory, `${startUrl}A`), 404, 'not_found');
  });
});

describe('a flow that was started by its link', () => {
  it('ends in the browser that opened it last, and in no other of its user’s', async () => {
    const { startUrl, sessionUri, browser: first, consented } = await announced(world());
    const second = await world().signedIn(await world().tokenOf('alice'));
    await step(first, startUrl);
    await step(second, startUrl);
    const url = await consented();
    expectPage(await first.open(url), 403, 'browser_mismatch');
    expect(callsFor(world(), sessionUri)).toBe(0);
    expectPage(await second.open(url), 200, 'completed');
  });

  it('goes on after a token refresh in that browser, and not after somebody else was there', async () => {
    const refreshed = await announced(world());
    await step(refreshed.browser, refreshed.startUrl);
    for (let times = 0; times < 3; times += 1) {
      await postToken(world(), refreshed.browser, { user_token: await world().tokenOf('alice') });
    }
    expectPage(await refreshed.browser.open(await refreshed.consented()), 200, 'completed');

    const lent = await announced(world());
    await step(lent.browser, lent.startUrl);
    await postToken(world(), lent.browser, { user_token: await world().tokenOf('bob') });
    await postToken(world(), lent.browser, { user_token: await world().tokenOf('alice') });
    expectPage(await lent.browser.open(await lent.consented()), 403, 'browser_mismatch');
    expect(callsFor(world(), lent.sessionUri)).toBe(0);
  });

  it('goes on from its link in that other browser', async () => {
    const { startUrl, browser, consented } = await announced(world());
    await step(browser, startUrl);
    const url = await consented();
    const other = await world().signedIn(await world().tokenOf('alice'));
    expectPage(await other.open(url), 403, 'browser_mismatch');
    await step(other, startUrl);
    expectPage(await other.open(url), 200, 'completed');
  });
});
