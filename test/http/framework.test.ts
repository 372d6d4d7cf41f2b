import { assert, asyncProperty, constantFrom } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { expectNoCookie, expectPage, expectProblem, expectSafeHeaders } from '../support/answers.ts';
import { anyVisibleText } from '../support/any-text.ts';
import { callbackOf, unknownSessionId } from '../support/consent.ts';
import { connectRaw, parseAnswer, sendRaw } from '../support/raw-http.ts';
import { shareWorld } from '../support/shared-world.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';
import { startWorld } from '../support/world.ts';

const calls: StoreCall[] = [];
const world = shareWorld({ store: watchStore((call) => calls.push(call)) });
const HOST = 'Host: localhost\r\n';

/** Targets that no router can read. */
const MALFORMED = ['/%', '/%zz', '/oauth2/callback%', '/canary%c0%af', '/%E0%A4%A', '/ping%ff?canary=1'];

describe('an address that cannot be decoded', () => {
  it.each(MALFORMED)('%s is a 400 with every header, and echoes nothing [SB-16] [SB-17]', async (target) => {
    const toProgram = await sendRaw(world().url, `GET ${target} HTTP/1.1\r\n${HOST}\r\n`);
    expectProblem(toProgram, 400, 'invalid_request');
    expect(toProgram.body).not.toContain('canary');
    expectLogged(toProgram);
    const toPerson = await sendRaw(world().url, `GET ${target} HTTP/1.1\r\n${HOST}Accept: text/html\r\n\r\n`);
    expectPage(toPerson, 400, 'invalid_request');
  });

  it('is no less so with a method that no route has', async () => {
    const answer = await sendRaw(world().url, `PROPFIND /%zz HTTP/1.1\r\n${HOST}\r\n`);
    expect([400, 404]).toContain(answer.status);
    expectSafeHeaders(answer);
  });
});

describe('bytes that are no request of HTTP/1.1', () => {
  const requests: readonly (readonly [name: string, status: number, bytes: string])[] = [
    ['zeros', 400, '\0\0\0\0\r\n\r\n'],
    ['a TLS hello', 400, '\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003'],
    ['an HTTP/2 preface', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version that does not exist', 400, `GET /ping HTTP/9.9\r\n${HOST}\r\n`],
    ['a method that does not exist', 400, `CANARY /ping HTTP/1.1\r\n${HOST}\r\n`],
    ['a space in the target', 400, `GET /canary canary HTTP/1.1\r\n${HOST}\r\n`],
    ['a control character in a header', 400, `GET /ping HTTP/1.1\r\n${HOST}X: canary\u0001\r\n\r\n`],
    ['a folded header', 400, `GET /ping HTTP/1.1\r\n${HOST}X: a\r\n canary\r\n\r\n`],
    ['a header without a name', 400, `GET /ping HTTP/1.1\r\n${HOST}: canary\r\n\r\n`],
    ['two lengths', 400, `POST /ping HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`],
    [
      'a length and chunks',
      400,
      `POST /ping HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'chunks that are not last',
      400,
      `POST /ping HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    ],
    ['a length that is no number', 400, `POST /ping HTTP/1.1\r\n${HOST}Content-Length: +5\r\n\r\nxxxxx`],
    ['forty kilobytes of headers', 431, `GET /ping HTTP/1.1\r\n${HOST}X: ${'canary'.repeat(7_000)}\r\n\r\n`],
    ['forty kilobytes of target', 431, `GET /?${'canary'.repeat(7_000)} HTTP/1.1\r\n${HOST}\r\n`],
  ];

  it.each(requests)(
    '%s get %i with every header, and no echo [SB-16] [SB-21]',
    async (_name, status, bytes) => {
      const connection = await connectRaw(world().url);
      connection.send(bytes);
      const answer = parseAnswer(await connection.untilClosed());
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.body)).toEqual({
        type: 'about:blank',
        title: expect.any(String),
        status,
        detail: expect.any(String),
        code: 'invalid_request',
        request_id: answer.headers['x-request-id'],
      });
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expectSafeHeaders(answer);
      expect(answer.body).not.toMatch(/canary/i);
      expect(world().rawLog()).not.toMatch(/canary/i);
    },
  );
});

describe('a request for something else than an answer', () => {
  it('is no tunnel: CONNECT is cut without a word [SB-21]', async () => {
    const connection = await connectRaw(world().url);
    connection.send(`CONNECT 127.0.0.1:22 HTTP/1.1\r\n${HOST}\r\n`);
    expect(await connection.untilClosed()).toBe('');
  });

  it('is answered as if it had not asked for an upgrade', async () => {
    const bytes = `GET /ping HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    expect((await sendRaw(world().url, bytes)).status).toBe(200);
  });
});

describe('an address that does not exist', () => {
  it.each([
    '/',
    '/canary',
    '/oauth2',
    '/oauth2/callback/',
    '//oauth2/callback',
    '/OAUTH2/CALLBACK',
    '/oauth2/callback;a=b',
    '/ping/../canary',
    '/.env',
    '/canary%2Fcallback',
    '*',
  ])('%s is a 404 for every method, with no echo [SB-16]', async (target) => {
    for (const method of ['GET', 'POST', 'PROPFIND']) {
      const answer = await sendRaw(world().url, `${method} ${target}?canary HTTP/1.1\r\n${HOST}\r\n`);
      expectProblem(answer, 404, 'not_found');
      expect(answer.body).not.toContain('canary');
      expectNoCookie(answer);
      expectLogged(answer);
    }
    expect(calls).toEqual([]);
  });

  it('is told to a person as a page', async () => {
    expectPage(await new Browser().open(`${world().url}/canary`), 404, 'not_found');
  });
});

describe('X-Request-Id', () => {
  it('is never taken over: the reference is ours, and new each time [SB-16]', async () => {
    const headers = { 'x-request-id': 'canary', 'request-id': 'canary', 'x-correlation-id': 'canary' };
    const ids = [];
    for (const path of ['/ping', '/ready', '/oauth2/callback', '/nowhere', '/ping']) {
      const answer = await new Browser().send(world().url + path, { headers });
      expectSafeHeaders(answer);
      ids.push(answer.headers['x-request-id']);
    }
    expect(ids).not.toContain('canary');
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('whatever a client sends', () => {
  it('is answered by no 5xx, and never echoed [SB-16] [SB-17]', async () => {
    const text = anyVisibleText(40);
    const path = constantFrom('/oauth2/callback', '/userIdentifier/token', '/', '/ping', '/x');
    const method = constantFrom('GET', 'POST', 'OPTIONS', 'PROPFIND');
    const header = constantFrom(
      'Accept',
      'Cookie',
      'Origin',
      'Content-Type',
      'Sec-Fetch-Dest',
      'X-Request-Id',
    );
    await assert(
      asyncProperty(method, path, text, header, text, async (verb, route, query, name, value) => {
        const bytes = `${verb} ${route}?session_id=${query}canary HTTP/1.1\r\n${HOST}${name}: ${value}canary\r\nContent-Length: 0\r\n\r\n`;
        const answer = await sendRaw(world().url, Buffer.from(bytes, 'utf8'));
        expect(answer.status).toBeLessThan(500);
        expectSafeHeaders(answer);
        expect(JSON.stringify(answer)).not.toContain('canary');
      }),
      { numRuns: 80 },
    );
    expect(
      world()
        .log()
        .filter((line) => line['level'] === 'error'),
    ).toEqual([]);
    expect(world().rawLog()).not.toContain('canary');
  });
});

describe('a bug of ours', () => {
  it('is a 500 that says nothing of it, logged once with its stack and the same reference', async () => {
    const broken = await startWorld({
      store: watchStore(({ method, table }) => {
        if (`${table}.${method}` === 'completions.read') throw new RangeError('canary of a bug');
      }),
    });
    const alice = await broken.signedIn(await broken.tokenOf('alice'));
    const page = await alice.open(callbackOf(broken.url, unknownSessionId()));
    expectPage(page, 500, 'internal_error');
    expect(page.body).not.toMatch(/canary|RangeError|at /);
    const lines = broken.log().filter((line) => line['request_id'] === page.headers['x-request-id']);
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'error',
        code: 'internal_error',
        err: {
          name: 'RangeError',
          message: 'canary of a bug',
          stack: expect.stringContaining('watched-store'),
        },
      }),
    ]);
    expect(broken.agentcore.completeCalls).toBe(0);
    expect((await alice.send(`${broken.url}/ping`)).status).toBe(200);
  });
});

/** Whoever is refused can quote a reference, under which the log says the code. */
function expectLogged(answer: { readonly body: string }): void {
  const { code, request_id } = JSON.parse(answer.body) as Readonly<Record<string, unknown>>;
  expect(
    world()
      .log()
      .filter((line) => line['request_id'] === request_id),
  ).toEqual([expect.objectContaining({ event: 'refused', code })]);
}
