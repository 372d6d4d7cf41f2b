import { describe, expect, it } from 'vitest';
import { expectPage, expectSafeHeaders } from '../support/answers.ts';
import { cookieHeader, pinnedFlow } from '../support/flows.ts';
import { connectRaw, parseAnswer } from '../support/raw-http.ts';
import { startWorld, type World } from '../support/world.ts';

/** Fifteen seconds are long for a test; Node reads the limits of a running server anew each second. */
async function startImpatient(): Promise<World> {
  const world = await startWorld();
  const { server } = world.app;
  expect([server.requestTimeout, server.headersTimeout]).toEqual([15_000, 15_000]);
  server.requestTimeout = 1_000;
  server.headersTimeout = 1_000;
  return world;
}

function openConnections({ app }: World): Promise<number> {
  return new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count)));
}

const HEAD = 'POST /userIdentifier/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

describe('a request that is not whole in time is cut, with an answer', () => {
  it.each([
    ['it never begins', ''],
    ['its first line stops', 'GET /oauth2/callb'],
    ['its headers stop', 'GET /oauth2/callback HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
    ['its body stops', `${HEAD}Content-Length: 100\r\n\r\n{"user_token"`],
    ['its chunks stop', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n{"use\r\n`],
  ])('when %s [SB-21]', async (_name, bytes) => {
    const world = await startImpatient();
    const connection = await connectRaw(world.url);
    connection.send(bytes);
    const answer = parseAnswer(await connection.untilClosed());
    expect(answer.status).toBe(408);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'invalid_request', status: 408 });
    expectSafeHeaders(answer);
    expect(answer.headers['connection']).toBe('close');
  });

  it('however steadily it trickles [SB-21]', async () => {
    const world = await startImpatient();
    const connection = await connectRaw(world.url);
    connection.send(`${HEAD}Content-Length: 1000\r\n\r\n`);
    const trickle = setInterval(() => connection.send('x'), 50);
    const received = await connection.untilClosed();
    clearInterval(trickle);
    expect(parseAnswer(received).status).toBe(408);
  });
});

describe('a client that never closes its side', () => {
  it.each([
    ['is cut for being slow', 'GET /oauth2/callb'],
    ['sends garbage', '\0\u0001\u00ff\r\n\r\n'],
    [
      'sends too many headers',
      `GET /ping HTTP/1.1\r\nHost: localhost\r\n${'X: '.padEnd(40_000, 'x')}\r\n\r\n`,
    ],
  ])('holds no connection of ours once it %s [SB-21]', async (_name, bytes) => {
    const world = await startImpatient();
    const connection = await connectRaw(world.url);
    connection.send(bytes);
    expect(parseAnswer(await connection.untilClosed()).status).toBeGreaterThanOrEqual(400);
    await expect.poll(() => openConnections(world)).toBe(0);
  });
});

describe('garbage behind a good request', () => {
  it('costs its sender the answer, but nothing is half-done or logged as an error [SB-21]', async () => {
    const world = await startWorld();
    const { browser, url } = await pinnedFlow(world);
    world.agentcore.faults.inject({ slowMs: 300 }, 1);
    const { pathname, search } = new URL(url);
    const connection = await connectRaw(world.url);
    connection.send(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookieHeader(browser, url)}\r\n\r\n`,
    );
    await expect.poll(() => world.agentcore.completeCalls).toBe(1);
    connection.send('\0garbage\r\n\r\n');
    await connection.untilClosed();

    await expect.poll(() => world.log().some((line) => line['code'] === 'completed')).toBe(true);
    expect((await browser.open(url)).body).toContain('You are already connected');
    expect(world.log().filter((line) => line['level'] === 'error')).toEqual([]);
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('is not answered into the middle of another answer', async () => {
    const world = await startWorld();
    const connection = await connectRaw(world.url);
    connection.send('GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50));
    connection.send('\0garbage\r\n\r\n');
    const received = await connection.untilClosed();
    expect(received.replaceAll(/HTTP\/1\.1 200 OK\r\n[^]*?\r\n\r\n\{"status":"success"\}/g, '')).toMatch(
      /^(?:HTTP\/1\.1 400 Bad Request\r\n[^]*\})?$/,
    );
  });
});

describe('many connections that do nothing', () => {
  it('leave the service answering [SB-21]', async () => {
    const world = await startWorld();
    const { browser, url } = await pinnedFlow(world);
    const idle = await Promise.all(Array.from({ length: 200 }, () => connectRaw(world.url)));
    for (const connection of idle) connection.send('GET /oauth2/callback HTTP/1.1\r\nX: ');
    expectPage(await browser.open(url), 200, 'completed');
    expect((await browser.send(`${world.url}/ping`)).status).toBe(200);
  });
});
