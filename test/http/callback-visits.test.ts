import { describe, expect, it } from 'vitest';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { Browser } from '../../src/demo/browser.ts';
import { expectAlreadyConnected, expectPage, expectProblem } from '../support/answers.ts';
import { visitAsProgram } from '../support/consent.ts';
import { callsFor, cookieHeader, pinnedFlow } from '../support/flows.ts';
import { connectRaw } from '../support/raw-http.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';
import { startWorld } from '../support/world.ts';

describe('a callback that binds', () => {
  it('shows a person "connected", with the account’s name and no reference', async () => {
    const world = await startWorld();
    const { browser, url, sessionUri } = await pinnedFlow(world);
    const page = await browser.open(url);
    expectPage(page, 200, 'completed');
    expect(page.body).toContain('Signed in as <bdi>alice</bdi>');
    expect(world.agentcore.vaultOwnerOf(sessionUri)).toMatchObject({ subject: 'sub-of-alice' });
  });

  it('tells a program {"status":"completed"}', async () => {
    const world = await startWorld();
    const { browser, url } = await pinnedFlow(world);
    const answer = await visitAsProgram(browser, url);
    expect([answer.status, answer.body]).toEqual([200, '{"status":"completed"}']);
    expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
  });

  it('is logged once, by fingerprints, with AWS’s request id', async () => {
    const world = await startWorld();
    const { browser, url } = await pinnedFlow(world);
    const page = await browser.open(url);
    expect(world.log().filter((line) => line['event'] === 'callback')).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        duration_ms: expect.any(Number),
        event: 'callback',
        code: 'completed',
        request_id: page.headers['x-request-id'],
        user: expect.stringMatching(/^[\w-]{12}$/),
        authorization_session: expect.stringMatching(/^[\w-]{12}$/),
        calls: [{ answer: 'completed', durationMs: expect.any(Number), awsRequestId: expect.any(String) }],
        msg: 'callback: completed',
      },
    ]);
  });
});

describe('a second visit', () => {
  it('of the same user says "already connected", without a word to AgentCore [SB-08]', async () => {
    const world = await startWorld();
    const { browser, url } = await pinnedFlow(world);
    expectPage(await browser.open(url), 200, 'completed');

    expectAlreadyConnected(await browser.open(url));
    const answer = await visitAsProgram(browser, url);
    expect([answer.status, answer.body]).toEqual([200, '{"status":"completed"}']);
    // Whatever else the link says by now: a forged denial takes nothing back.
    expectAlreadyConnected(await browser.open(`${url}&error=access_denied`));
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('of the same user in another browser says so too [SB-08]', async () => {
    const world = await startWorld();
    const { browser, url, token } = await pinnedFlow(world);
    expectPage(await browser.open(url), 200, 'completed');
    expectAlreadyConnected(await (await world.signedIn(token)).open(url));
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('of another user is refused, without a word to AgentCore [SB-01] [SB-08]', async () => {
    const world = await startWorld();
    const { browser, url } = await pinnedFlow(world);
    expectPage(await browser.open(url), 200, 'completed');

    const bob = await world.signedIn(await world.tokenOf('bob'));
    const page = await bob.open(url);
    expectPage(page, 403, 'user_mismatch');
    expect(page.body).not.toContain('alice');
    expectProblem(await visitAsProgram(new Browser(), url), 401, 'not_signed_in');
    expect(world.agentcore.completeCalls).toBe(1);
  });
});

describe('visits at the same time', () => {
  it('twenty of one user make one call, and all are told its outcome [SB-08] [SB-09]', async () => {
    const world = await startWorld();
    const { browser, url, sessionUri } = await pinnedFlow(world);
    world.agentcore.faults.inject({ slowMs: 500 }, 1);

    const answers = await Promise.all(Array.from({ length: 20 }, () => visitAsProgram(browser, url)));

    expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(
      Array.from({ length: 20 }, () => '200 {"status":"completed"}'),
    );
    expect(world.agentcore.completeCalls).toBe(1);
    expect(world.agentcore.bindings.map((binding) => binding.sessionUri)).toEqual([sessionUri]);
  });

  it('twenty that AgentCore refuses make one call, and all are told so [SB-08] [SB-24]', async () => {
    const world = await startWorld();
    const { browser, url } = await pinnedFlow(world);
    // Slow, so that the first is still under way when the last arrives; and too late by AgentCore's clock alone.
    world.agentcore.faults.inject({ slowMs: 500 }, 1);
    world.agentcore.advance(601_000);

    const answers = await Promise.all(Array.from({ length: 20 }, () => visitAsProgram(browser, url)));

    for (const answer of answers) expectProblem(answer, 410, 'authorization_expired');
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('of two users about one flow: only its own user’s reach AgentCore, and bind [SB-01] [SB-09]', async () => {
    const world = await startWorld();
    const { browser: alice, url, token } = await pinnedFlow(world);
    const bob = await world.signedIn(await world.tokenOf('bob'));

    const visits = Array.from({ length: 10 }, () => [alice.open(url), bob.open(url)]);
    const answers = await Promise.all(visits.map((pair) => Promise.all(pair)));

    for (const [alices, bobs] of answers) {
      expect(alices?.status).toBe(200);
      expectPage(bobs ?? { status: 0, headers: {} }, 403, 'user_mismatch');
    }
    expect(world.agentcore.calls.map(({ userToken }) => userToken)).toEqual([token]);
  });

  it('of many users bind each for himself [SB-01]', async () => {
    const world = await startWorld();
    const names = ['alice', 'bob', 'carol', 'dave', 'erin'];
    const flows = await Promise.all(names.map((name) => pinnedFlow(world, name)));
    const pages = await Promise.all(flows.map(({ browser, url }) => browser.open(url)));
    for (const page of pages) expectPage(page, 200, 'completed');
    for (const [index, { sessionUri }] of flows.entries()) {
      const subject = `sub-of-${names[index]}`;
      expect(world.agentcore.vaultOwnerOf(sessionUri)).toMatchObject({ subject });
      expect(callsFor(world, sessionUri)).toBe(1);
    }
  });
});

describe('a visit whose flow another process holds', () => {
  it('is told "in progress", by a page that looks again by itself [SB-09]', async () => {
    const calls: StoreCall[] = [];
    const world = await startWorld({ store: watchStore((call) => calls.push(call)) });
    const { browser, url, sessionUri } = await pinnedFlow(world);
    const key = parseAuthorizationSession(sessionUri)?.key ?? '';
    const user = { issuer: world.issuer.issuer, subject: 'sub-of-alice' };
    const free = { mayHaveBound: false };
    const held = { ...free, claim: { holder: 'another replica', leaseUntilMs: Date.now() + 20_000 } };

    async function whileHeld<Answer>(visit: () => Promise<Answer>): Promise<Answer> {
      await world.store.attempts.compareAndSet(key, user, await world.store.attempts.read(key, user), held);
      calls.length = 0;
      const visiting = visit();
      const reads = () => calls.filter(({ table }) => table === 'attempts').length;
      await expect.poll(reads).toBeGreaterThan(2);
      // The other process dies, so that nobody ever says how it ended.
      await world.store.attempts.compareAndSet(key, user, held, free);
      return visiting;
    }
    const page = await whileHeld(() => browser.open(url));
    const answer = await whileHeld(() => visitAsProgram(browser, url));

    expectPage(page, 202, 'in_progress');
    expect(page.body).toContain('<meta http-equiv="refresh" content="3" />');
    expect([answer.status, answer.body]).toEqual([202, '{"status":"in_progress"}']);
    expect([page, answer].map(({ headers }) => headers['retry-after'])).toEqual(['3', '3']);
    expect(world.agentcore.completeCalls).toBe(0);
  });
});

describe('a browser that goes away while AgentCore is slow', () => {
  it('finds its flow bound when it comes back, and leaves no error in the log', async () => {
    const world = await startWorld();
    const { browser, url } = await pinnedFlow(world);
    world.agentcore.faults.inject({ slowMs: 300 }, 1);
    const cookie = cookieHeader(browser, url);
    const { pathname, search } = new URL(url);

    const connection = await connectRaw(world.url);
    connection.send(`GET ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`);
    await expect.poll(() => world.agentcore.completeCalls).toBe(1);
    connection.destroy();

    await expect.poll(() => world.log().some((line) => line['code'] === 'completed')).toBe(true);
    expectAlreadyConnected(await browser.open(url));
    expect(world.agentcore.completeCalls).toBe(1);
    expect(world.log().filter((line) => line['level'] === 'error' || 'err' in line)).toEqual([]);
  });
});
