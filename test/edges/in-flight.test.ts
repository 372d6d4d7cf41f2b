import { EventEmitter, once } from 'node:events';
import { request } from 'node:http';
import { connect, Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import { Browser } from '../../src/demo/browser.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';
import { cookieHeader } from './raw-socket.ts';

/** How long AgentCore takes: longer than a busy machine needs for an answer that waits for nobody. */
const HELD_MS = 5_000;

/** A world with few places, in which AgentCore takes its time. */
async function startCrowded(inFlight: number, inFlightPerUser = inFlight, options: WorldOptions = {}) {
  const world = await startWorld({
    ...options,
    attemptTimeoutMs: 2 * HELD_MS,
    limits: { inFlight, inFlightPerUser },
  });
  world.agentcore.faults.inject({ slowMs: HELD_MS });
  return world;
}

function callbackUrl(world: World, name: string): string {
  return `${world.url}/oauth2/callback?session_id=urn:ietf:params:oauth:request_uri:${name}`;
}

async function browserOf(world: World, username: string): Promise<Browser> {
  return world.signedIn(await world.tokenOf(username));
}

async function untilCalled(world: World, times: number): Promise<void> {
  while (world.agentcore.completeCalls < times) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Says whether one of them has ended. */
function watch(held: readonly Promise<unknown>[]): () => boolean {
  let hasEnded = false;
  for (const one of held) void one.then(() => (hasEnded = true));
  return () => hasEnded;
}

describe('callbacks above the in-flight limit', { timeout: 60_000 }, () => {
  it('are told so at once, without AWS, while everything else goes on [SB-21, SB-23]', async () => {
    const world = await startCrowded(2);
    const [alice, bob] = await Promise.all([browserOf(world, 'alice'), browserOf(world, 'bob')]);
    const carol = await browserOf(world, 'carol');
    const held = [alice.open(callbackUrl(world, 'a')), bob.open(callbackUrl(world, 'b'))];
    const hasEnded = watch(held);
    await untilCalled(world, 2);

    const refused = await carol.open(callbackUrl(world, 'c'));
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('5');
    expect(refused.body).toContain('Busy right now');
    expect(refused.body).toContain('Try again');
    const lines = world.log().filter((line) => line['request_id'] === refused.headers['x-request-id']);
    expect(lines).toMatchObject([{ event: 'refused', code: 'overloaded', level: 'warn' }]);

    expect((await new Browser().send(`${world.url}/ping`)).status).toBe(200);
    expect((await new Browser().send(`${world.url}/ready`)).status).toBe(200);
    // POSTs have places of their own.
    await browserOf(world, 'dave');
    expect(hasEnded()).toBe(false);

    expect(world.agentcore.completeCalls).toBe(2);
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([410, 410]);
    world.agentcore.faults.clear();
    expect((await carol.open(callbackUrl(world, 'c'))).status).toBe(410);
    expect(world.agentcore.completeCalls).toBe(3);
  });

  it('of one user leave places for the others [SB-09, SB-21]', async () => {
    const world = await startCrowded(4, 2);
    const [alice, bob] = await Promise.all([browserOf(world, 'alice'), browserOf(world, 'bob')]);
    const held = [alice.open(callbackUrl(world, 'same')), alice.open(callbackUrl(world, 'same'))];
    const hasEnded = watch(held);
    await untilCalled(world, 1);

    const third = await alice.open(callbackUrl(world, 'same'));
    expect(third.status).toBe(503);
    const other = bob.open(callbackUrl(world, 'bob'));
    await untilCalled(world, 2);
    expect(hasEnded()).toBe(false);

    expect((await Promise.all([...held, other])).map(({ status }) => status)).toEqual([410, 410, 410]);
    expect(world.agentcore.completeCalls).toBe(2);
  });

  it('are not made room for by hanging up: the call of AWS goes on [SB-21]', async () => {
    const world = await startCrowded(1);
    const alice = await browserOf(world, 'alice');
    const bob = await browserOf(world, 'bob');
    const cookie = [...alice.cookies(world.url)].map(([name, value]) => `${name}=${value}`).join('; ');
    const hangingUp = request(callbackUrl(world, 'a'), { headers: { cookie }, agent: false });
    hangingUp.on('error', () => undefined).end();
    await untilCalled(world, 1);
    hangingUp.destroy();

    expect((await bob.open(callbackUrl(world, 'b'))).status).toBe(503);
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('come to an end with the limit: failing visits give their places back', async () => {
    let fails = true;
    const world = await startCrowded(1, 1, {
      store: (store) => ({
        ...store,
        pins: {
          ...store.pins,
          read(key) {
            return fails ? Promise.reject(new StoreUnavailable('down')) : store.pins.read(key);
          },
        },
      }),
    });
    world.agentcore.faults.clear();
    const alice = await browserOf(world, 'alice');
    for (let index = 0; index < 3; index += 1) {
      const page = await alice.open(callbackUrl(world, 'a'));
      expect(page.body).toContain('Not right now');
    }
    fails = false;
    expect((await alice.open(callbackUrl(world, 'a'))).status).toBe(410);
  });

  it('do not exist while fewer than 256 hang: nobody waits for the calls of others [SB-23]', async () => {
    const world = await startWorld({ attemptTimeoutMs: 2 * HELD_MS });
    // More than the SDK's own 50 sockets, at which the next caller would wait for strangers.
    world.agentcore.faults.inject({ slowMs: HELD_MS }, 60);
    const [alice, bob] = await Promise.all([browserOf(world, 'alice'), browserOf(world, 'bob')]);
    const held = Array.from({ length: 60 }, (_, index) => alice.open(callbackUrl(world, `a${index}`)));
    const hasEnded = watch(held);
    await untilCalled(world, 60);

    const page = await bob.open(callbackUrl(world, 'b'));
    expect(page.status).toBe(410);
    expect(hasEnded()).toBe(false);
    expect(world.agentcore.completeCalls).toBe(61);
    expect((await Promise.all(held)).every(({ status }) => status === 410)).toBe(true);
  });
});

describe('a place', () => {
  it('is taken before the cookie is read, and a refusal reads nothing [SB-21]', async () => {
    const reads: StoreCall[] = [];
    const world = await startWorld({
      limits: { inFlight: 1 },
      attemptTimeoutMs: 2 * HELD_MS,
      store: watchStore((call) => {
        if (call.table === 'browserSessions' && call.method === 'read') reads.push(call);
      }),
    });
    const alice = await browserOf(world, 'alice');
    const bob = await browserOf(world, 'bob');
    world.agentcore.faults.inject({ slowMs: 1_000 }, 1);
    const held = alice.open(callbackUrl(world, 'a'));
    await untilCalled(world, 1);
    reads.length = 0;

    expect((await bob.open(callbackUrl(world, 'b'))).status).toBe(503);
    expect((await bob.open(`${world.url}/oauth2/start?flow=any`)).status).not.toBe(503);
    expect(reads).toHaveLength(1);
    await held;
  });

  it('comes back when the store fails before the visit begins, and when its client hangs up meanwhile', async () => {
    let answer: 'fails' | 'hangs' | 'reads' = 'fails';
    let letGo = () => {};
    const hanging = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const waiting = new EventEmitter();
    const world = await startWorld({
      limits: { inFlight: 1 },
      store: (store) => ({
        ...store,
        browserSessions: {
          ...store.browserSessions,
          async read(key) {
            if (answer === 'fails') throw new StoreUnavailable('down');
            if (answer === 'hangs') {
              waiting.emit('read');
              await hanging;
            }
            return store.browserSessions.read(key);
          },
        },
      }),
    });
    const alice = await browserOf(world, 'alice');
    for (let visits = 0; visits < 3; visits += 1) {
      const page = await alice.open(callbackUrl(world, 'a'));
      expect(page.body).toContain('Not right now');
    }

    answer = 'hangs';
    const cookie = [...alice.cookies(world.url)].map(([name, value]) => `${name}=${value}`).join('; ');
    const isWaiting = once(waiting, 'read');
    const hangingUp = request(callbackUrl(world, 'b'), { headers: { cookie }, agent: false });
    hangingUp.on('error', () => undefined).end();
    await isWaiting;
    answer = 'reads';
    expect((await alice.open(callbackUrl(world, 'c'))).body).toContain('Busy right now');
    hangingUp.destroy();
    letGo();
    await vi.waitFor(async () => {
      expect((await alice.open(callbackUrl(world, 'c'))).status).toBe(410);
    });
  });
});

describe('user tokens above the in-flight limit', () => {
  it('find the places free of clients who went while their cookies were read [SB-21]', async () => {
    const held: (() => void)[] = [];
    let holds = false;
    const world = await startWorld({
      limits: { inFlight: 2 },
      store: (store) => ({
        ...store,
        browserSessions: {
          ...store.browserSessions,
          async read(key) {
            if (holds) await new Promise<void>((resolve) => held.push(resolve));
            return store.browserSessions.read(key);
          },
        },
      }),
    });
    const { hostname, port, host } = new URL(world.url);
    // Whole together with its head, so that it has a place at once.
    const empty = [
      'POST /userIdentifier/token HTTP/1.1',
      `Host: ${host}`,
      `Cookie: ${await cookieHeader(world)}`,
      'Content-Type: application/json',
      'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ].join('\r\n');
    holds = true;
    for (let clients = 1; clients <= 3; clients += 1) {
      const accepted: Promise<unknown[]> = once(world.app.server, 'connection');
      const socket = connect(Number(port), hostname);
      socket.write(empty);
      const [connection] = await accepted;
      await vi.waitFor(() => expect(held).toHaveLength(clients));
      socket.resetAndDestroy();
      if (!(connection instanceof Socket)) throw new Error('a connection is a socket');
      await new Promise((resolve) => connection.once('close', resolve));
      held.at(-1)?.();
    }
    holds = false;
    const { status } = await new Browser().postJson(`${world.url}/userIdentifier/token`, world.url, {
      user_token: await world.tokenOf('bob'),
    });
    expect(status).toBe(200);
  });

  it('are told so at once, and callbacks go on, while what they wait for hangs [SB-21]', async () => {
    let letGo = () => {};
    const hanging = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const waiting = new EventEmitter();
    const world = await startWorld({
      limits: { inFlight: 2 },
      store: (store) => ({
        ...store,
        userTokens: {
          ...store.userTokens,
          async write(userToken, pinnedUntilMs) {
            if (userToken.username === 'bob') {
              waiting.emit('bob');
              await hanging;
            }
            return store.userTokens.write(userToken, pinnedUntilMs);
          },
        },
      }),
    });
    const alice = await browserOf(world, 'alice');
    const token = await world.tokenOf('bob');
    const post = () =>
      new Browser().send(`${world.url}/userIdentifier/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ user_token: token }),
      });
    const held = [];
    for (let index = 0; index < 2; index += 1) {
      const isWaiting = once(waiting, 'bob');
      held.push(post());
      await isWaiting;
    }

    const refused = await post();
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'overloaded' });
    expect(refused.headers['retry-after']).toBe('5');
    expect(refused.headers['set-cookie']).toBeUndefined();
    expect((await alice.open(callbackUrl(world, 'a'))).status).toBe(410);
    expect((await new Browser().send(`${world.url}/ping`)).status).toBe(200);

    letGo();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await post()).status).toBe(200);
  });
});
