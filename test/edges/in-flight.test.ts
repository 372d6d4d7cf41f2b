import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';

const HELD_MS = 2_500;
/** Far more than an answer "at once" takes on a busy machine, and far less than a place is held. */
const AT_ONCE_MS = 1_500;

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

async function timed(answer: Promise<Page>): Promise<Page & { readonly tookMs: number }> {
  const startedAtMs = performance.now();
  const page = await answer;
  return { ...page, tookMs: performance.now() - startedAtMs };
}

describe('callbacks above the in-flight limit', () => {
  it('are told so at once, without AWS, while everything else goes on [SB-21, SB-23]', async () => {
    const world = await startCrowded(2);
    const [alice, bob, carol] = await Promise.all(
      ['alice', 'bob', 'carol'].map((name) => browserOf(world, name)),
    );
    const held = [alice?.open(callbackUrl(world, 'a')), bob?.open(callbackUrl(world, 'b'))];
    await untilCalled(world, 2);

    const refused = await timed(carol?.open(callbackUrl(world, 'c')) ?? Promise.reject(new Error('nobody')));
    expect(refused.status).toBe(503);
    expect(refused.tookMs).toBeLessThan(AT_ONCE_MS);
    expect(refused.headers['retry-after']).toBe('5');
    expect(refused.body).toContain('Busy right now');
    expect(refused.body).toContain('Try again');
    const lines = world.log().filter((line) => line['request_id'] === refused.headers['x-request-id']);
    expect(lines).toMatchObject([{ event: 'refused', code: 'overloaded', level: 'warn' }]);

    expect((await timed(new Browser().send(`${world.url}/ping`))).status).toBe(200);
    expect((await timed(new Browser().send(`${world.url}/ready`))).status).toBe(200);
    // POSTs have places of their own.
    await browserOf(world, 'dave');

    expect(world.agentcore.completeCalls).toBe(2);
    expect((await Promise.all(held)).map((page) => page?.status)).toEqual([410, 410]);
    world.agentcore.faults.clear();
    expect((await carol?.open(callbackUrl(world, 'c')))?.status).toBe(410);
    expect(world.agentcore.completeCalls).toBe(3);
  });

  it('of one user leave places for the others [SB-09, SB-21]', async () => {
    const world = await startCrowded(4, 2);
    const [alice, bob] = await Promise.all([browserOf(world, 'alice'), browserOf(world, 'bob')]);
    const held = [alice.open(callbackUrl(world, 'same')), alice.open(callbackUrl(world, 'same'))];
    await untilCalled(world, 1);

    const third = await timed(alice.open(callbackUrl(world, 'same')));
    expect(third.status).toBe(503);
    expect(third.tookMs).toBeLessThan(AT_ONCE_MS);
    const other = bob.open(callbackUrl(world, 'bob'));
    await untilCalled(world, 2);

    expect((await Promise.all([...held, other])).map(({ status }) => status)).toEqual([410, 410, 410]);
    expect(world.agentcore.completeCalls).toBe(2);
  });

  it('are not made room for by hanging up: the call of AWS goes on [SB-21]', async () => {
    const world = await startCrowded(1);
    const [alice, bob] = await Promise.all([browserOf(world, 'alice'), browserOf(world, 'bob')]);
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
    await untilCalled(world, 60);

    const page = await timed(bob.open(callbackUrl(world, 'b')));
    expect(page.status).toBe(410);
    expect(page.tookMs).toBeLessThan(AT_ONCE_MS);
    expect(world.agentcore.completeCalls).toBe(61);
    expect((await Promise.all(held)).every(({ status }) => status === 410)).toBe(true);
  });
});

describe('user tokens above the in-flight limit', () => {
  it('are told so at once, and callbacks go on, while what they wait for hangs [SB-21]', async () => {
    let letGo = () => {};
    const hanging = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let waiting = 0;
    const world = await startWorld({
      limits: { inFlight: 2 },
      store: (store) => ({
        ...store,
        userTokens: {
          ...store.userTokens,
          async write(userToken, pinnedUntilMs) {
            if (userToken.username === 'bob') {
              waiting += 1;
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
    const held = [post(), post()];
    while (waiting < 2) await new Promise((resolve) => setTimeout(resolve, 10));

    const refused = await timed(post());
    expect(refused.status).toBe(503);
    expect(refused.tookMs).toBeLessThan(AT_ONCE_MS);
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
