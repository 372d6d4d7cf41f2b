import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { startIssuer } from '../../src/emulator/issuer.ts';
import {
  createMemoryStore,
  DEFAULT_MEMORY_BUDGETS,
  type MemoryBudgets,
} from '../../src/store/memory-store.ts';
import { systemClock } from '../../src/system.ts';
import { expectNoCookie, expectPage, expectProblem } from '../support/answers.ts';
import { callbackOf, unknownSessionId } from '../support/consent.ts';
import { freePort } from '../support/free-port.ts';
import { postToken } from '../support/flows.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';
import { startWorld, type World } from '../support/world.ts';

describe('while the issuer’s keys cannot be had, a user token', () => {
  it('is neither good nor bad: 503, nothing kept, and /ping lives [SB-12]', async () => {
    const port = await freePort();
    const calls: StoreCall[] = [];
    const world = await startWorld({
      config: { discoveryUrls: [`http://127.0.0.1:${port}/.well-known/openid-configuration`] },
      store: watchStore((call) => calls.push(call)),
    });
    const answer = await postToken(world, new Browser(), { user_token: await world.tokenOf('alice') });
    expectProblem(answer, 503, 'issuer_unavailable');
    expect(answer.headers['retry-after']).toBe('5');
    expectNoCookie(answer);
    expect(calls).toEqual([]);
    expect((await new Browser().send(`${world.url}/ping`)).status).toBe(200);
  });

  it('is given up within seconds where the issuer hangs, and /ping lives meanwhile [SB-12] [SB-21]', async () => {
    const issuer = await startIssuer();
    onTestFinished(() => issuer.close());
    issuer.faults = { mode: 'hang' };
    const world = await startWorld({ config: { discoveryUrls: [issuer.discoveryUrl] } });

    const token = await issuer.accessToken({ clientId: 'demo-client' });
    const hanging = postToken(world, new Browser(), { user_token: token });
    expect((await new Browser().send(`${world.url}/ping`)).status).toBe(200);
    const answer = await hanging;
    expectProblem(answer, 503, 'issuer_unavailable');
    expectNoCookie(answer);
  });
});

/** The steps of one POST with a pin, each of which a store may fail in. */
const KEEPING = ['pins.create', 'userTokens.write'] as const;
const SIGNING_IN = ['browserSessions.remove', 'browserSessions.write'] as const;

describe('a POST of which the store fails', () => {
  it.each(KEEPING)('at %s keeps nothing, and leaves who was signed in there signed in', async (step) => {
    const { world, fail, heal } = await startFailing(step);
    const alice = await world.signedIn(await world.tokenOf('alice'));
    const before = new Map(alice.cookies(world.url));
    fail(new StoreUnavailable('canary of the store'));
    const answer = await postToken(world, alice, await pinningBody(world));
    heal();

    expectProblem(answer, 503, 'store_unavailable');
    expect(answer.headers['retry-after']).toBe('5');
    await expectNothingKept(world, answer);
    expect(alice.cookies(world.url)).toEqual(before);
    const page = await alice.open(callbackOf(world.url, unknownSessionId()));
    expect(page.body).toContain('<bdi>alice</bdi>');
  });

  it.each(SIGNING_IN)('at %s gives no cookie, and the same POST again succeeds [SB-05]', async (step) => {
    const { world, fail, heal } = await startFailing(step);
    const browser = new Browser();
    fail(new StoreUnavailable('canary of the store'));
    const answer = await postToken(world, browser, await pinningBody(world));
    expectProblem(answer, 503, 'store_unavailable');
    expect(answer.body).not.toContain('canary');
    expectNoCookie(answer);

    heal();
    expect((await postToken(world, browser, await pinningBody(world))).status).toBe(200);
    expect(browser.cookies(world.url).size).toBe(1);
  });

  it('at the removal of the former browser session leaves that one as it was [SB-05]', async () => {
    const { world, fail, heal } = await startFailing('browserSessions.remove');
    const alice = await world.signedIn(await world.tokenOf('alice'));
    fail(new StoreUnavailable('canary of the store'));
    const answer = await postToken(world, alice, await pinningBody(world));
    expectProblem(answer, 503, 'store_unavailable');
    expectNoCookie(answer);

    heal();
    const page = await alice.open(callbackOf(world.url, unknownSessionId()));
    expect(page.body).toContain('<bdi>alice</bdi>');
  });

  it.each([...KEEPING, ...SIGNING_IN])(
    'at %s by a bug is a 500, logged once with its stack',
    async (step) => {
      const { world, fail } = await startFailing(step);
      fail(new TypeError('canary of a bug'));
      const answer = await postToken(world, new Browser(), await pinningBody(world));
      expectProblem(answer, 500, 'internal_error');
      expect(answer.body).not.toContain('canary');
      expectNoCookie(answer);
      expect(world.log().filter((line) => line['level'] === 'error')).toEqual([
        expect.objectContaining({
          code: 'internal_error',
          request_id: answer.headers['x-request-id'],
          err: expect.objectContaining({ name: 'TypeError', stack: expect.stringContaining('at ') }),
        }),
      ]);
    },
  );

  it.each(['pins', 'pinnedUserTokens'] as const)('since %s are full keeps nothing [SB-22]', async (table) => {
    const full: MemoryBudgets = {
      ...DEFAULT_MEMORY_BUDGETS,
      [table]: { maxEntries: 0, maxBytes: 1_000_000 },
    };
    const world = await startWorld({ store: () => createMemoryStore(systemClock, full) });
    const answer = await postToken(world, new Browser(), await pinningBody(world));
    expectProblem(answer, 503, 'store_unavailable');
    await expectNothingKept(world, answer);
  });
});

const SESSION_URI = 'urn:ietf:params:oauth:request_uri:of-this-post';

async function pinningBody(world: World): Promise<object> {
  return { user_token: await world.tokenOf('mallory'), session_uri: SESSION_URI };
}

async function startFailing(step: string) {
  let failure: Error | undefined;
  const world = await startWorld({
    store: watchStore(({ table, method }) => {
      if (`${table}.${method}` === step && failure !== undefined) throw failure;
    }),
  });
  return { world, fail: (error: Error) => void (failure = error), heal: () => void (failure = undefined) };
}

async function expectNothingKept({ store, issuer }: World, answer: Page): Promise<void> {
  expectNoCookie(answer);
  expect(answer.body).not.toContain('canary');
  const user = { issuer: issuer.issuer, subject: 'sub-of-mallory' };
  expect(await store.userTokens.list(user)).toEqual([]);
  expect(await store.pins.read(parseAuthorizationSession(SESSION_URI)?.key ?? '')).toBeUndefined();
}

describe('a callback of which the store fails', () => {
  it.each([
    'browserSessions.read',
    'completions.read',
    'pins.read',
    'userTokens.list',
    'attempts.compareAndSet',
  ])('at %s is answered 503 with a way to try again, and AgentCore is not called', async (step) => {
    const { world, fail, heal } = await startFailing(step);
    const alice = await world.signedIn(await world.tokenOf('alice'));
    const url = callbackOf(world.url, unknownSessionId());
    fail(new StoreUnavailable('canary of the store'));

    const page = await alice.open(url);
    expectPage(page, 503, 'store_unavailable');
    expect(page.body).toContain('Try again');
    expect(page.body).not.toContain('canary');
    expectNoCookie(page);
    expect(page.headers['retry-after']).toBe('5');
    for (const path of ['/ping', '/ready']) expect((await alice.send(world.url + path)).status).toBe(200);
    expect(world.agentcore.completeCalls).toBe(0);

    heal();
    expectPage(await alice.open(url), 410, 'authorization_expired');
  });
});
