import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { LIMITS } from '../../src/routes/limits.ts';
import { startWorld, type World } from '../support/world.ts';
import { type RawOptions, sendRaw } from './raw-socket.ts';

const SHORT = { requestTimeoutMs: 600, idleTimeoutMs: 600, connectionCheckMs: 100 };
/** Long enough for a busy machine; a connection that is never cut outlasts it. */
const PATIENCE_MS = 12_000;
const POST = 'POST /userIdentifier/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

function send(world: World, text: string, options: RawOptions = {}) {
  return sendRaw(world.url, text, { patienceMs: PATIENCE_MS, ...options });
}

function connections(world: World): Promise<number> {
  return new Promise((resolve, reject) => {
    world.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

describe('a request that is not whole in time', { timeout: 60_000 }, () => {
  it.each([
    ['nothing at all', '', undefined],
    ['headers line by line', 'GET /ping HTTP/1.1\r\n', 'a: b\r\n'],
    ['one header letter by letter', 'GET /ping HTTP/1.1\r\na: ', 'b'],
    ['an address letter by letter', 'GET /', 'a'],
    ['a body blank by blank', `${POST}Content-Length: 9999\r\n\r\n`, ' '],
    ['a body chunk by chunk', `${POST}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
    ['a body that was asked for', `${POST}Content-Length: 9\r\nExpect: 100-continue\r\n\r\n`, undefined],
    [
      'the second on its connection',
      'GET /ping HTTP/1.1\r\nHost: a\r\n\r\nGET /ping HTTP/1.1\r\n',
      'a: b\r\n',
    ],
  ])('is cut, with an answer: %s [SB-21]', async (_, text, drip) => {
    const world = await startWorld({ limits: SHORT });
    const answer = await send(world, text, drip === undefined ? {} : { drip: { text: drip, everyMs: 50 } });
    expect(answer.closed).toBe(true);
    expect(answer.statuses.at(-1)).toBe(408);
    expect(answer.text).toMatch(/^x-request-id: [\w-]{16}\r$/im);
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it.each([
    ['of a GET', 'GET /ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n', 200],
    [
      'of a request that was refused for its type',
      `${POST.replace('application/json', 'text/plain')}Content-Length: 9\r\n\r\n`,
      415,
    ],
  ])('is cut although it was answered, when the body never comes: %s [SB-21]', async (_, text, status) => {
    const world = await startWorld({ limits: SHORT });
    const answer = await send(world, text, { drip: { text: ' ', everyMs: 5_000 } });
    expect(answer.closed).toBe(true);
    expect(answer.statuses[0]).toBe(status);
  });

  it('has fifteen seconds for it (contract §10)', () => {
    expect(LIMITS.requestTimeoutMs).toBe(15_000);
    expect(LIMITS.connectionCheckMs).toBeLessThanOrEqual(1_000);
  });
});

describe('a connection', () => {
  it('without request is closed after a while [SB-21]', async () => {
    const world = await startWorld({ limits: SHORT });
    const answer = await send(world, 'GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(answer).toMatchObject({ statuses: [200], closed: true });
  });

  it('outlives the minute after which load balancers close theirs', () => {
    expect(LIMITS.idleTimeoutMs).toBeGreaterThan(60_000);
  });

  it('is let go by us even if the other side never lets go [SB-21]', async () => {
    const world = await startWorld({ limits: SHORT });
    const { port } = new URL(world.url);
    const sockets = Array.from({ length: 20 }, () => {
      const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => undefined).resume();
      socket.write('this is no HTTP\r\n\r\n');
      return socket;
    });
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    const startedAtMs = performance.now();
    while ((await connections(world)) > 0 && performance.now() - startedAtMs < PATIENCE_MS) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await connections(world)).toBe(0);
    for (const socket of sockets) socket.destroy();
  });
});

const CROWD = 2_000;

describe('a crowd of connections that say nothing, or say it slowly', () => {
  it('keeps nobody from being answered, and is gone after a while [SB-21]', { timeout: 60_000 }, async () => {
    const world = await startWorld({ limits: { ...SHORT, requestTimeoutMs: 4_000 } });
    const alice = await world.signedIn(await world.tokenOf('alice'));
    let arrived = 0;
    world.app.server.on('connection', () => (arrived += 1));
    const crowd = [];
    while (crowd.length < CROWD) {
      // Few at once, since a full backlog makes the kernel wait for seconds.
      for (let count = 0; count < 200; count += 1) {
        const drip = count % 20 === 0 ? { text: ' ', everyMs: 100 } : undefined;
        crowd.push(drip ? send(world, `${POST}Content-Length: 9999\r\n\r\n`, { drip }) : send(world, ''));
      }
      while (arrived < crowd.length) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect((await new Browser().send(`${world.url}/ping`)).status).toBe(200);
    const page = await alice.open(
      `${world.url}/oauth2/callback?session_id=urn:ietf:params:oauth:request_uri:x`,
    );
    expect(page.status).toBe(410);
    expect(world.agentcore.completeCalls).toBe(1);
    expect((await Promise.all(crowd)).every(({ closed }) => closed)).toBe(true);
  });
});
