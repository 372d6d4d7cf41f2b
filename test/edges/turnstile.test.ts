import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Turnstile } from '../../src/routes/turnstile.ts';
import { startWorld } from '../support/world.ts';
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

  it('lets in whoever came last once somebody has been waiting for a fifth of a second, and turns away who came first [SB-21]', async () => {
    let nowMs = 0;
    const turnstile = new Turnstile({ perTurn: 1 }, { monotonicMs: () => nowMs });
    const turn = async (milliseconds: number) => {
      nowMs += milliseconds;
      await nextTurn();
    };
    const first = askAtOnce(turnstile, 12);
    for (let turns = 1; turns <= 4; turns += 1) await turn(49);
    expect(first).toEqual({ letIn: [0, 1, 2, 3, 4], turnedAway: [] });
    await turn(4);
    expect(first.letIn).toEqual([0, 1, 2, 3, 4, 11]);
    const second = askAtOnce(turnstile, 2);
    await turn(50);
    await turn(49);
    // Those who came last go first, and nobody has been told anything yet.
    expect([first, second]).toEqual([
      { letIn: [0, 1, 2, 3, 4, 11], turnedAway: [] },
      { letIn: [1, 0], turnedAway: [] },
    ]);
    await turn(1);
    expect(first).toEqual({ letIn: [0, 1, 2, 3, 4, 11, 10], turnedAway: [5, 6, 7, 8, 9] });

    // It is over with the last who waited: the others come in order again.
    const after = askAtOnce(turnstile, 3);
    for (let turns = 1; turns <= 3; turns += 1) await turn(49);
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
    expect(asked).toEqual({ letIn: [0, 1, 2, 3, 4, 5], turnedAway: [] });
  });

  it('lets nobody wait behind a thousand others [SB-21, SB-22]', async () => {
    const turnstile = new Turnstile({ perTurn: 1 }, { monotonicMs: () => 0 });
    const asked = askAtOnce(turnstile, 1 + 1024);
    expect(turnstile.isShut).toBe(true);
    const late = askAtOnce(turnstile, 2);
    await Promise.resolve();
    expect(late.turnedAway).toEqual([0, 1]);
    await nextTurn();
    expect(turnstile.isShut).toBe(false);
    expect(asked).toEqual({ letIn: [0, 1], turnedAway: [] });
  });
});

describe('callbacks that come in one turn of the event loop', () => {
  it('are served as many as can be; in a flood those who came first are turned away, and their cookies are not read [SB-21]', async () => {
    const reads: string[] = [];
    let nowMs = 0;
    const world = await startWorld({
      limits: { perTurn: 1 },
      // Turns are as long as they can be.
      monotonicMs: () => (nowMs += 100),
      store: (store) => ({
        ...store,
        browserSessions: {
          ...store.browserSessions,
          read(key) {
            reads.push(key);
            return store.browserSessions.read(key);
          },
        },
      }),
    });
    const id = encodeURIComponent('urn:ietf:params:oauth:request_uri:at-once');
    const lines = [
      `GET /oauth2/callback?session_id=${id} HTTP/1.1`,
      `Host: ${new URL(world.url).host}`,
      `Cookie: ${await cookieHeader(world)}`,
    ];
    const request = `${lines.join('\r\n')}\r\n\r\n`;

    // In one packet, so that one turn of the event loop reads them all.
    const { statuses } = await sendRaw(world.url, request.repeat(12), { answers: 12 });
    expect(statuses).toEqual([410, 410, 410, 410, 503, 503, 503, 503, 503, 410, 410, 410]);
    expect(reads).toHaveLength(7);
    // It is over with them.
    expect((await sendRaw(world.url, request, { answers: 1 })).statuses).toEqual([410]);
  });
});
