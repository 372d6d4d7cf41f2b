import { expect, it, onTestFinished } from 'vitest';
import type { Browser, Page } from '../../src/demo/browser.ts';
import { createTestStore, untilWorking } from '../store/open-redis-store.ts';
import { pinnedFlow } from '../support/flows.ts';
import { describeWithRedis, type RedisServer, startRedisForTest } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';

/** Store commands take a second at most (contract §10); the rest is what a slow machine may add. */
const BUDGET_MS = 3_000;

async function startShared(options: WorldOptions = {}): Promise<World & { readonly server: RedisServer }> {
  const server = await startRedisForTest();
  const world = await startWorld({
    ...options,
    store: (_memory, clock) => createTestStore({ port: server.port, nowMs: () => clock.nowMs() }),
  });
  onTestFinished(() => world.store.close());
  await untilWorking(world.store);
  return { ...world, server };
}

/** Opens a page while `/ping` is asked; gives the page, in time. */
async function inTime(world: World, ask: () => Promise<Page>): Promise<Page> {
  const startedMs = performance.now();
  const page = ask();
  expect((await fetch(`${world.url}/ping`)).status).toBe(200);
  expect(performance.now() - startedMs).toBeLessThan(500 + 500);
  const answer = await page;
  expect(performance.now() - startedMs).toBeLessThan(BUDGET_MS);
  return answer;
}

async function expectStoreUnavailable(world: World, browser: Browser, callback: string, userToken: string) {
  const page = await inTime(world, () => browser.open(callback));
  expect(page.status).toBe(503);
  expect(page.body).toContain('Try again');
  expect(page.headers['retry-after']).toBe('5');
  const posted = await inTime(world, () =>
    browser.postJson(`${world.url}/userIdentifier/token`, world.url, { user_token: userToken }),
  );
  expect([posted.status, (JSON.parse(posted.body) as { code: string }).code]).toEqual([
    503,
    'store_unavailable',
  ]);
  expect(posted.headers['set-cookie']).toBeUndefined();
}

describeWithRedis('while the store is out, the service', () => {
  it('says so in time and calls nobody when it stalls, and finishes the same flow when it goes on [SB-08]', async () => {
    const world = await startShared();
    const { browser, url: callback, token: userToken } = await pinnedFlow(world);
    world.server.pause();
    await expectStoreUnavailable(world, browser, callback, userToken);
    await expectStoreUnavailable(world, browser, callback, userToken);
    expect(world.agentcore.completeCalls).toBe(0);
    world.server.resume();
    await untilWorking(world.store);
    expect((await browser.open(callback)).status).toBe(200);
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('says so when it is killed; of a store that comes back empty nobody is anybody, until he comes from the app', async () => {
    const world = await startShared();
    const { browser, url: callback, token: userToken, sessionUri } = await pinnedFlow(world);
    await world.server.kill();
    await expectStoreUnavailable(world, browser, callback, userToken);
    await world.server.start();
    await untilWorking(world.store);
    expect((await browser.open(callback)).status).toBe(401);
    expect(world.agentcore.completeCalls).toBe(0);

    const again = await world.signedIn(userToken, { session_uri: sessionUri });
    expect((await again.open(callback)).status).toBe(200);
    expect(world.agentcore.bindings).toHaveLength(1);
  });

  it('says so when it is full, keeps what it has, and goes on when there is room', async () => {
    const world = await startShared();
    const { browser, url: callback, token: userToken } = await pinnedFlow(world);
    await world.server.raw.config('SET', 'maxmemory', '1');
    await expectStoreUnavailable(world, browser, callback, userToken);
    expect(world.agentcore.completeCalls).toBe(0);
    await world.server.raw.config('SET', 'maxmemory', '0');
    expect((await browser.open(callback)).status).toBe(200);
  });

  it.each(['kill', 'pause'] as const)(
    'reports a binding that AgentCore has confirmed although it cannot be written down: %s [SB-24]',
    async (how) => {
      const world = await startShared({ attemptTimeoutMs: 3_000 });
      const { browser, url: callback, sessionUri } = await pinnedFlow(world);
      world.agentcore.faults.inject({ slowMs: 1_000 });
      const visit = browser.open(callback);
      await until('the call', () => (world.agentcore.completeCalls > 0 ? true : undefined));
      await world.server[how]();

      const page = await visit;
      expect(page.status).toBe(200);
      expect(page.body).toContain('You are connected');
      expect(world.agentcore.vaultOwnerOf(sessionUri)).toBeDefined();
      expect(world.log().filter(({ event }) => event === 'record_lost')).toMatchObject([
        { code: 'completed' },
      ]);
    },
  );

  it('never says refused or connected of a call whose answer and record were both lost [SB-23]', async () => {
    const world = await startShared({ attemptTimeoutMs: 700 });
    const { browser, url: callback, sessionUri } = await pinnedFlow(world);
    // It binds long after we have given up waiting for it.
    world.agentcore.faults.inject({ slowMs: 1_500 });
    const visit = browser.open(callback);
    await until('the call', () => (world.agentcore.completeCalls > 0 ? true : undefined));
    world.server.pause();
    expect((await visit).status).toBe(503);
    await until('the binding', () => world.agentcore.vaultOwnerOf(sessionUri));

    world.agentcore.faults.clear();
    world.server.resume();
    await untilWorking(world.store);
    world.advance(20_000);
    const later = await browser.send(callback, { headers: { accept: 'application/json' } });
    expect([later.status, (JSON.parse(later.body) as { code: string }).code]).toEqual([
      503,
      'outcome_unknown',
    ]);
  });
});
