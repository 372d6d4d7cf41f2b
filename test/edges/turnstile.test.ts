import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Turnstile } from '../../src/routes/turnstile.ts';
import { until } from '../support/until.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';
import { startWorld, type World } from '../support/world.ts';
import { cookieHeader, sendRaw } from './raw-socket.ts';

/** Asks so often at once, and tells who has been let in so far. */
function askAtOnce(turnstile: Turnstile, times: number) {
  const letIn: number[] = [];
  const turnedAway: number[] = [];
  for (let index = 0; index < times; index += 1) {
    void turnstile.pass().then((isLetIn) => (isLetIn ? letIn : turnedAway).push(index));
  }
  return { letIn, turnedAway };
}

describe('the turnstile', () => {
  it('lets so many in at once and the others in the next turns, in order', async () => {
    const turnstile = new Turnstile({ perTurn: 2 }, { monotonicMs: () => 0 });
    const asked = askAtOnce(turnstile, 5);
    await Promise.resolve();
    expect(asked).toEqual({ letIn: [0, 1], turnedAway: [] });
    await nextTurn();
    expect(asked.letIn).toEqual([0, 1, 2, 3]);
    // Nobody passes those who wait.
    const later = askAtOnce(turnstile, 1);
    await nextTurn();
    expect([asked.letIn, later.letIn]).toEqual([[0, 1, 2, 3, 4], [0]]);
    expect(asked.turnedAway).toEqual([]);
  });

  it('lets in whoever came last once somebody has been waiting for a twentieth of a second, and turns away who came first [SB-21]', async () => {
    let nowMs = 0;
    const turnstile = new Turnstile({ perTurn: 1 }, { monotonicMs: () => nowMs });
    const turn = async (milliseconds: number) => {
      nowMs += milliseconds;
      await nextTurn();
    };
    const first = askAtOnce(turnstile, 12);
    await turn(49);
    expect(first).toEqual({ letIn: [0, 1], turnedAway: [] });
    await turn(1);
    expect(first.letIn).toEqual([0, 1, 11]);
    const second = askAtOnce(turnstile, 2);
    for (let turns = 1; turns <= 4; turns += 1) await turn(50);
    await turn(49);
    // Those who came last go first, and nobody has been told anything yet.
    expect([first, second]).toEqual([
      { letIn: [0, 1, 11, 10, 9, 8], turnedAway: [] },
      { letIn: [1, 0], turnedAway: [] },
    ]);
    await turn(1);
    expect(first).toEqual({ letIn: [0, 1, 11, 10, 9, 8, 7], turnedAway: [2, 3, 4, 5, 6] });

    // It is over with the last who waited: the others come in order again.
    const after = askAtOnce(turnstile, 3);
    for (let turns = 1; turns <= 3; turns += 1) await turn(16);
    expect(after).toEqual({ letIn: [0, 1, 2], turnedAway: [] });
  });

  it('turns nobody away for the time that the machine was taken away', async () => {
    let nowMs = 0;
    const turnstile = new Turnstile({ perTurn: 2 }, { monotonicMs: () => nowMs });
    const asked = askAtOnce(turnstile, 6);
    for (let turns = 1; turns <= 3; turns += 1) {
      nowMs += 5_000;
      await nextTurn();
    }
    expect(asked).toEqual({ letIn: [0, 1, 4, 5, 2, 3], turnedAway: [] });
  });

  it('does not count the time in which nobody came', async () => {
    let nowMs = 0;
    const turnstile = new Turnstile({ perTurn: 1 }, { monotonicMs: () => nowMs });
    nowMs += 60_000;
    const asked = askAtOnce(turnstile, 8);
    for (const turnMs of [1, 24, 24]) {
      nowMs += turnMs;
      await nextTurn();
    }
    expect(asked).toEqual({ letIn: [0, 1, 2, 3], turnedAway: [] });
  });

  it('turns away who came first where a thousand wait [SB-21, SB-22]', async () => {
    const turnstile = new Turnstile({ perTurn: 1 }, { monotonicMs: () => 0 });
    const asked = askAtOnce(turnstile, 1 + 1024);
    await Promise.resolve();
    expect(asked).toEqual({ letIn: [0], turnedAway: [] });
    askAtOnce(turnstile, 2);
    for (let ticks = 0; ticks < 3; ticks += 1) await Promise.resolve();
    expect(asked).toEqual({ letIn: [0], turnedAway: [1, 2] });
  });
});

/** A service in which each turn of the loop lets one in and takes so long; and what it reads of the store. */
async function startFlooded(turnMs = 100) {
  const reads: StoreCall[] = [];
  const clock = { turnMs };
  let nowMs = 0;
  const world = await startWorld({
    limits: { perTurn: 1 },
    monotonicMs: () => (nowMs += clock.turnMs),
    store: watchStore((call) => {
      if (call.table === 'browserSessions' && call.method === 'read') reads.push(call);
    }),
  });
  return { world, reads, clock };
}

function requestOf(world: World, firstLine: string, headers: Readonly<Record<string, string>>, body = '') {
  const lines = Object.entries({ Host: new URL(world.url).host, ...headers }).map((pair) => pair.join(': '));
  return `${[`${firstLine} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n${body}`;
}

/** A connection that sends the head of a request, and the rest when it is told to; gives the status of the answer. */
function holdBack(url: string, head: string) {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
  socket.write(head);
  return {
    connected: once(socket, 'connect'),
    letGo: (body: string) =>
      new Promise<number>((resolve, reject) => {
        socket.once('error', reject);
        socket.once('data', (answer) => {
          resolve(Number(/^HTTP\/1\.1 ([0-9]{3}) /.exec(answer.toString('latin1'))?.[1]));
          socket.destroy();
        });
        socket.write(body);
      }),
  };
}

/** Alice's browser hands over her token. */
async function postOf(world: World) {
  const body = JSON.stringify({ user_token: await world.tokenOf('alice') });
  const head = requestOf(world, 'POST /userIdentifier/token', {
    Cookie: await cookieHeader(world),
    Origin: world.url,
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
  });
  return { head, body };
}

const CALLBACK = `GET /oauth2/callback?session_id=${encodeURIComponent('urn:ietf:params:oauth:request_uri:at-once')}`;

// In one packet, so that one turn of the event loop reads them all.
describe('eight requests that come at once', () => {
  it('are served as many as can be; in a flood those who came first are turned away, and their cookies are not read [SB-21]', async () => {
    const { world, reads } = await startFlooded();
    const request = requestOf(world, CALLBACK, { Cookie: await cookieHeader(world) });
    const { statuses } = await sendRaw(world.url, request.repeat(8), { answers: 8 });
    expect(statuses).toEqual([410, 503, 410, 410, 410, 410, 410, 410]);
    expect(reads).toHaveLength(7);
    // It is over with them.
    expect((await sendRaw(world.url, request, { answers: 1 })).statuses).toEqual([410]);
  });

  it('with bodies get in line before their cookies and bodies are read [SB-21]', async () => {
    const { world, reads } = await startFlooded();
    const { head, body } = await postOf(world);
    reads.length = 0;
    const { statuses } = await sendRaw(world.url, (head + body).repeat(8), { answers: 8 });
    const served = statuses.filter((status) => status === 200).length;
    expect(statuses.filter((status) => status === 503)).toHaveLength(8 - served);
    // The first is let in while the rest of its body is being read, and gets in line once more.
    expect([served, served + 1]).toContain(reads.length);
    expect(reads.length).toBeLessThan(8);
  });

  it('with bodies that came with their heads get in line once [SB-21]', async () => {
    const { world, clock } = await startFlooded(0);
    const { head, body } = await postOf(world);
    const connections = Array.from({ length: 8 }, () => holdBack(world.url, ''));
    await Promise.all(connections.map(({ connected }) => connected));
    clock.turnMs = 100;
    const statuses = await Promise.all(connections.map(({ letGo }) => letGo(head + body)));
    expect(statuses).toEqual(Array.from({ length: 8 }, () => 200));
  });

  it('with bodies that were held back get in line once more when these come [SB-21]', async () => {
    const { world, reads, clock } = await startFlooded(0);
    const { head, body } = await postOf(world);
    reads.length = 0;
    const held = Array.from({ length: 8 }, () => holdBack(world.url, head));
    // Each has been let in: its cookie was read.
    await until('eight heads', () => (reads.length === 8 ? true : undefined));
    clock.turnMs = 100;
    const statuses = await Promise.all(held.map(({ letGo }) => letGo(body)));
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(0);
  });

  it('do not get in line without a token where one is needed [SB-21]', async () => {
    const { world } = await startFlooded();
    const request = requestOf(world, 'GET /authorizations/urn:ietf:params:oauth:request_uri:x', {});
    const { statuses } = await sendRaw(world.url, request.repeat(8), { answers: 8 });
    expect(statuses).toEqual(Array.from({ length: 8 }, () => 401));
  });

  it('come to nothing when their client leaves while they are in line [SB-21]', async () => {
    const { world, reads } = await startFlooded(0);
    const request = requestOf(world, CALLBACK, { Cookie: await cookieHeader(world) });
    const before = world.log().length;
    reads.length = 0;
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(world.url).port) });
    world.app.server.once('request', () => socket.resetAndDestroy());
    socket.write(request.repeat(8));
    // A line each, whatever became of it.
    await until('eight ends', () => (world.log().length >= before + 8 ? true : undefined));
    expect(reads.length).toBeLessThan(8);
  });
});

describe('a connection that sends and does not wait', () => {
  it('is cut, and what else its packet held costs nothing [SB-21]', async () => {
    const { world } = await startFlooded(0);
    const before = world.log().length;
    const request = requestOf(world, 'GET /nowhere', {});
    const { closed, statuses } = await sendRaw(world.url, request.repeat(500));
    expect({ closed, few: statuses.length <= 8 }).toEqual({ closed: true, few: true });
    expect(world.log().length - before).toBeLessThanOrEqual(8);
    expect((await sendRaw(world.url, request, { answers: 1 })).statuses).toEqual([404]);
  });

  it('may have eight under way, again and again', async () => {
    const { world } = await startFlooded(0);
    const request = requestOf(world, 'GET /ping', {});
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(world.url).port) });
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => (received += text));
    for (let packets = 1; packets <= 3; packets += 1) {
      socket.write(request.repeat(8));
      await until('eight answers', () =>
        received.split('HTTP/1.1 200').length > 8 * packets ? true : undefined,
      );
    }
    socket.destroy();
  });
});
