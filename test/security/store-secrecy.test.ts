import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { createTestStore, untilWorking } from '../store/open-redis-store.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { readWholeServer, spellingsOf } from '../support/server-content.ts';
import { startWorld } from '../support/world.ts';

// Six flows.
vi.setConfig({ testTimeout: 60_000 });

const DAY_MS = 24 * 60 * 60_000;

describeWithRedis('somebody who reads the store', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ args: ['--rdbcompression', 'no'] });
  });
  afterAll(() => server.close());

  it('finds no token, cookie id, name or authorization session id, nor does who watches its commands [SB-14] [SB-16]', async () => {
    const commands: string[] = [];
    const monitor = await server.raw.monitor();
    monitor.on('monitor', (_time: string, args: readonly string[]) => commands.push(args.join(' ')));
    onTestFinished(() => monitor.disconnect());

    let store: Store | undefined;
    const world = await startWorld({
      store: (_memory, clock) => (store = createTestStore({ port: server.port, nowMs: () => clock.nowMs() })),
    });
    if (store === undefined) throw new Error('the world has no store');
    await untilWorking(store);
    onTestFinished(() => world.store.close());

    // Connected, denied, left open, refused as a stranger's, and by a program without a browser.
    const secrets: string[] = [world.issuer.issuer];
    for (const name of ['canary-anna', 'canary-bert']) {
      const userToken = await world.tokenOf(name);
      const flows = await Promise.all([1, 2, 3].map(() => world.agent.open(userToken)));
      const [connected, denied, open] = flows;
      if (connected === undefined || denied === undefined || open === undefined) throw new Error('no flow');
      const browser = await world.signedIn(userToken, { session_uri: connected.sessionUri });
      for (const flow of [denied, open]) {
        const posted = await browser.postJson(`${world.url}/userIdentifier/token`, world.url, {
          user_token: userToken,
          session_uri: flow.sessionUri,
        });
        expect(posted.status).toBe(200);
      }
      const consent = await browser.open(connected.authorizationUrl);
      expect((await browser.submit(consent.url, { decision: 'allow' })).status).toBe(200);
      const refusal = await browser.open(denied.authorizationUrl);
      expect((await browser.submit(refusal.url, { decision: 'deny' })).status).toBe(403);
      const stranger = await world.signedIn(await world.tokenOf('canary-stranger'));
      const forwarded = `${world.url}/oauth2/callback?session_id=${encodeURIComponent(open.sessionUri)}`;
      expect((await stranger.open(forwarded)).status).toBe(403);
      const madeUp = encodeURIComponent(`urn:ietf:params:oauth:request_uri:made-up-for-${name}`);
      expect((await stranger.open(`${world.url}/oauth2/callback?session_id=${madeUp}`)).status).toBe(410);
      await fetch(`${world.url}/userIdentifier/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ user_token: userToken }),
      });
      const user = { issuer: world.issuer.issuer, subject: `sub-of-${name}` };
      const candidate = { user, username: name, tokenExpiresAtMs: Date.now() + DAY_MS / 24 };
      await world.store.signInCodes.writeCandidate(candidate);
      await world.store.signInCodes.writeCode('hash-of-a-code', candidate, candidate.tokenExpiresAtMs);

      const cookies = [browser, stranger].map((one) => one.cookies(world.url).get('session-binding') ?? '');
      secrets.push(
        ...cookies.map((cookie) => decodeURIComponent(cookie).split('.')[0] ?? ''),
        ...flows.flatMap(({ sessionUri }) => [sessionUri, sessionUri.split(':').at(-1) ?? '']),
        ...userToken.split('.').slice(1),
        userToken,
        name,
        `sub-of-${name}`,
      );
    }
    secrets.push('canary-stranger');

    const stored = await readWholeServer(server.raw);
    const kinds = new Set(stored.map(({ key }) => key.split(':', 3).join(':')));
    expect([...kinds].toSorted()).toEqual([
      'sb:1:attempt',
      'sb:1:attempts',
      'sb:1:browser-session',
      'sb:1:browser-sessions',
      'sb:1:completion',
      'sb:1:live-pins',
      'sb:1:own-pin',
      'sb:1:pin',
      'sb:1:probe',
      'sb:1:sign-in-candidates',
      'sb:1:sign-in-code',
      'sb:1:user-tokens',
    ]);
    for (const { key, ttlMs } of stored) {
      expect(ttlMs, key).toBeGreaterThan(0);
      expect(ttlMs, key).toBeLessThanOrEqual(DAY_MS);
    }

    const content = stored.map(({ everything }) => everything).join('\n');
    const watched = commands.join('\n');
    expect(content.length).toBeGreaterThan(10_000);
    expect(watched).toContain('sb:1:user-tokens:');
    expect(secrets.every((secret) => secret.length >= 8)).toBe(true);
    for (const spelling of secrets.flatMap(spellingsOf)) {
      expect(content.includes(spelling), `in the store: ${spelling}`).toBe(false);
      expect(watched.includes(spelling), `among the commands: ${spelling}`).toBe(false);
    }
    expect(world.rawLog()).not.toMatch(/record_unreadable|store_unavailable/);
  });
});
