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

  it('turns away whoever does not fit into the next three turns once somebody has been waiting for a tenth of a second [SB-21]', async () => {
    let nowMs = 0;
    const turnstile = new Turnstile({ perTurn: 2 }, { monotonicMs: () => nowMs });
    const first = askAtOnce(turnstile, 8);
    nowMs = 99;
    expect(turnstile.isShut).toBe(false);
    nowMs = 100;
    expect(turnstile.isShut).toBe(true);
    const flood = askAtOnce(turnstile, 3);
    await Promise.resolve();
    expect(flood.turnedAway).toEqual([0, 1, 2]);

    while (first.letIn.length < 8) await nextTurn();
    expect(turnstile.isShut).toBe(false);
    // Nobody waits any more: what comes at once may wait again.
    const after = askAtOnce(turnstile, 11);
    await Promise.resolve();
    expect(after.turnedAway).toEqual([]);
  });
});

describe('callbacks that come in one turn of the event loop', () => {
  it('are served as many as can be; in a flood the others are told so at once, and their cookies are not read [SB-21]', async () => {
    const reads: string[] = [];
    let nowMs = 0;
    const world = await startWorld({
      limits: { perTurn: 1 },
      // Between two requests of one packet, too: whoever waits has always waited long.
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
    const { statuses } = await sendRaw(world.url, request.repeat(6), { answers: 6 });
    expect(statuses).toEqual([410, 410, 410, 410, 503, 503]);
    expect(reads).toHaveLength(4);
    // It is over with the turn.
    expect((await sendRaw(world.url, request, { answers: 1 })).statuses).toEqual([410]);
  });
});
