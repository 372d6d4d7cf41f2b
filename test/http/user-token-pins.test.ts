import { describe, expect, it } from 'vitest';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { Browser } from '../../src/demo/browser.ts';
import { expectNoCookie, expectPage, expectProblem } from '../support/answers.ts';
import { callbackOf, consent, unknownSessionId } from '../support/consent.ts';
import { pinnedFlow, postToken } from '../support/flows.ts';
import { shareWorld } from '../support/shared-world.ts';
import { type StoreCall, watchStore, writesIn } from '../support/watched-store.ts';

const calls: StoreCall[] = [];
const world = shareWorld({ store: watchStore((call) => calls.push(call)) });
const URN = 'urn:ietf:params:oauth:request_uri:';

describe('a posted user token', () => {
  it('is kept, and the answer says what an app needs to go on', async () => {
    const token = await world().tokenOf('alice', 600);
    const answer = await postToken(world(), new Browser(), { user_token: token });
    expect(answer.status).toBe(200);
    const body: unknown = JSON.parse(answer.body);
    expect(body).toEqual({
      status: 'success',
      user: { subject: 'sub-of-alice', username: 'alice' },
      expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      callback_url: `${world().url}/oauth2/callback`,
      custom_state: expect.stringMatching(/^sb1\.[\w-]{1,1020}$/),
    });
    const expiresInMs = Date.parse((body as { expires_at: string }).expires_at) - Date.now();
    expect(expiresInMs).toBeGreaterThan(500_000);
    expect(expiresInMs).toBeLessThanOrEqual(600_000);
  });

  it.each([
    ['authorization_url', (url: string, _uri: string) => ({ authorization_url: url })],
    ['session_uri', (_url: string, uri: string) => ({ session_uri: uri })],
    ['both of them', (url: string, uri: string) => ({ authorization_url: url, session_uri: uri })],
  ])('with %s pins that flow to its user: another’s visit is refused [SB-01]', async (_name, fields) => {
    const token = await world().tokenOf('alice');
    const flow = await world().agent.open(token);
    const alice = await world().signedIn(token, fields(flow.authorizationUrl, flow.sessionUri));
    const bob = await world().signedIn(await world().tokenOf('bob'));
    const url = await consent(flow);

    expectPage(await bob.open(url), 403, 'user_mismatch');
    expectPage(await alice.open(url), 200, 'completed');
    expect(world().agentcore.calls.filter(({ sessionUri }) => sessionUri === flow.sessionUri)).toEqual([
      expect.objectContaining({ userToken: token }),
    ]);
  });

  it('with the same pin again changes nothing: the first token stays the flow’s [SB-13]', async () => {
    const { browser, url, sessionUri, token } = await pinnedFlow(world());
    const refreshed = await world().tokenOf('alice');
    const again = await postToken(world(), browser, { user_token: refreshed, session_uri: sessionUri });
    expect(again.status).toBe(200);
    expectPage(await browser.open(url), 200, 'completed');
    expect(world().agentcore.calls.at(-1)?.userToken).toBe(token);
  });
});

/** What a pin must not be. CANARY stands where something of the sender's could be echoed. */
const BAD_PINS: readonly ((good: { url: string; uri: string; host: string }) => object)[] = [
  ({ url }) => ({ authorization_url: url, session_uri: `${URN}other` }),
  ({ url }) => ({ authorization_url: url.replace(/[^:]$/, ''), session_uri: url.split('request_uri=')[1] }),
  ({ url }) => ({ authorization_url: url, session_uri: '' }),
  ({ uri }) => ({ authorization_url: '', session_uri: uri }),
  ({ uri }) => ({ session_uri: uri.toUpperCase() }),
  ({ uri }) => ({ session_uri: `${uri} ` }),
  ({ uri }) => ({ session_uri: encodeURIComponent(uri) }),
  ({ uri }) => ({ session_uri: uri.padEnd(1025, 'a') }),
  () => ({ session_uri: 'CANARY' }),
  () => ({ session_uri: URN }),
  () => ({ authorization_url: 'CANARY' }),
  ({ uri }) => ({ authorization_url: uri }),
  ({ host }) => ({ authorization_url: `http://${host}/identities/oauth2/authorize` }),
  ({ url }) => ({ authorization_url: `${url}&request_uri=${URN}CANARY` }),
  ({ url, host }) => ({ authorization_url: url.replace(host, 'evil.example') }),
  ({ url, host }) => ({ authorization_url: url.replace(host, `evil.example@${host}`) }),
  ({ url, host }) => ({ authorization_url: url.replace(host, `${host}.evil.example`) }),
  ({ url }) => ({ authorization_url: url.replace('/authorize', '/authorize/../x') }),
  ({ url }) => ({ authorization_url: url.replace('http:', 'javascript:') }),
  ({ url }) => ({ authorization_url: `${url}#CANARY` }),
];

describe('a POST is refused whole, and nothing of it is kept, when', () => {
  it.each(BAD_PINS.map((make) => [make.toString().replace(/^.*?=> \(/, ''), make] as const))(
    'its pin is malformed or contradicts itself: %s [SB-18]',
    async (_name, make) => {
      const token = await world().tokenOf('alice');
      const { authorizationUrl: url, sessionUri: uri } = await world().agent.open(token);
      calls.length = 0;
      const answer = await postToken(world(), new Browser(), {
        user_token: token,
        ...make({ url, uri, host: new URL(url).host }),
      });
      expectProblem(answer, 400, 'invalid_request');
      expectNoCookie(answer);
      expect(answer.body).not.toMatch(/CANARY|evil|javascript/);
      expect(calls).toEqual([]);
    },
  );

  it('its flow is another user’s: no token, no pin, no browser session, and no word of whose [SB-34]', async () => {
    const { browser: alice, url, sessionUri } = await pinnedFlow(world());
    const bob = new Browser();
    const token = await world().tokenOf('bob-of-this-test');
    calls.length = 0;

    const answer = await postToken(world(), bob, { user_token: token, session_uri: sessionUri });

    expectProblem(answer, 403, 'user_mismatch');
    expectNoCookie(answer);
    expect(answer.body).not.toContain('alice');
    expect(writesIn(calls)).toEqual(['pins.create']);
    const user = { issuer: world().issuer.issuer, subject: 'sub-of-bob-of-this-test' };
    expect(await world().store.userTokens.list(user)).toEqual([]);
    expect(bob.cookies(world().url).size).toBe(0);
    expectPage(await alice.open(url), 200, 'completed');
  });

  it('its flow is another user’s, posted from a browser that is signed in: that one stays so [SB-05] [SB-34]', async () => {
    const { sessionUri } = await pinnedFlow(world());
    const bob = await world().signedIn(await world().tokenOf('bob'));
    const before = new Map(bob.cookies(world().url));
    const answer = await postToken(world(), bob, {
      user_token: await world().tokenOf('bob'),
      session_uri: sessionUri,
    });
    expectProblem(answer, 403, 'user_mismatch');
    expectNoCookie(answer);
    expect(bob.cookies(world().url)).toEqual(before);
    const page = await bob.open(callbackOf(world().url, unknownSessionId()));
    expect(page.body).toContain('<bdi>bob</bdi>');
  });

  it('its user has 32 live pins already [SB-22] [SB-34]', async () => {
    const browser = new Browser();
    const post = async () =>
      postToken(world(), browser, {
        user_token: await world().tokenOf('pinner'),
        session_uri: unknownSessionId(),
      });
    for (let pins = 0; pins < 32; pins += 1) expect((await post()).status).toBe(200);
    const before = new Map(browser.cookies(world().url));
    const user = { issuer: world().issuer.issuer, subject: 'sub-of-pinner' };
    const tokens = await world().store.userTokens.list(user);
    calls.length = 0;

    const answer = await post();

    expectProblem(answer, 429, 'rate_limited');
    expect(answer.headers['retry-after']).toBe('60');
    expectNoCookie(answer);
    expect(browser.cookies(world().url)).toEqual(before);
    expect(writesIn(calls)).toEqual(['pins.create']);
    expect(await world().store.userTokens.list(user)).toEqual(tokens);
  });
});

describe('a pin', () => {
  it('is kept under the hash of the flow’s id: the store never learns the id [SB-14]', async () => {
    calls.length = 0;
    const { browser, url, sessionUri } = await pinnedFlow(world());
    await browser.open(url);
    expect(JSON.stringify(calls)).not.toContain(sessionUri);
    expect(JSON.stringify(calls)).toContain(parseAuthorizationSession(sessionUri)?.key);
  });
});
