import { describe, expect, it } from 'vitest';
import { expectNoCookie, expectPage, expectProblem } from '../support/answers.ts';
import { connectRaw, parseAnswer, sendRaw } from '../support/raw-http.ts';
import { shareWorld } from '../support/shared-world.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';

const calls: StoreCall[] = [];
const world = shareWorld({ store: watchStore((call) => calls.push(call)) });

const OTHER_TYPES: readonly (string | undefined)[] = [
  undefined,
  '',
  'text/plain',
  'text/plain;charset=UTF-8',
  'text/plain; application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/json',
  'application/jsonp',
  'application/json5',
  'application/problem+json',
  'application/vnd.api+json',
  'application/json, text/plain',
  'application/json text/plain',
  'application/xml',
  'application/octet-stream',
  'application/*',
  '*/*',
  'json',
];

const BAD_BODIES: readonly string[] = [
  '',
  ' ',
  '{',
  'null',
  'true',
  '1',
  '"canary"',
  '[]',
  '[{"user_token":"canary"}]',
  '{}',
  '{"user_token":null}',
  '{"user_token":""}',
  '{"user_token":1}',
  '{"user_token":true}',
  '{"user_token":["canary"]}',
  '{"user_token":{"$ne":null}}',
  '{"user_token":{"toString":"canary"}}',
  '{"USER_TOKEN":"canary"}',
  '{"user_token":"canary","canary":1}',
  '{"user_token":"canary","sessionUri":"urn:ietf:params:oauth:request_uri:canary"}',
  '{"user_token":"canary","authorization_url":1}',
  '{"user_token":"canary","authorization_url":null}',
  '{"user_token":"canary","session_uri":["urn:ietf:params:oauth:request_uri:canary"]}',
  '{"user_token":"canary","session_uri":{}}',
  '{"user_token":"canary","__proto__":{"session_uri":"canary"}}',
  '{"__proto__":{"user_token":"canary"}}',
  '{"user_token":"canary","constructor":{"prototype":{"canary":1}}}',
  '{"user_token":"canary"}{"user_token":"canary"}',
  '{"user_token":"canary",}',
  "{'user_token':'canary'}",
  'user_token=canary',
  '\uFEFF[]',
  '{"user_token":"\u0000canary\u0001"}',
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `${'{"user_token":'.repeat(3000)}1${'}'.repeat(3000)}`,
];

describe('POST /userIdentifier/token', () => {
  it.each(OTHER_TYPES)('takes JSON only, not %j, and reads nothing of the rest [SB-03]', async (type) => {
    calls.length = 0;
    const body = JSON.stringify({ user_token: await world().tokenOf('alice') });
    const answer = await post(body, type);
    expectProblem(answer, 415, 'unsupported_media_type');
    expectNoCookie(answer);
    expect(world().log()).toContainEqual(
      expect.objectContaining({
        code: 'unsupported_media_type',
        request_id: answer.headers['x-request-id'],
      }),
    );
    expect(calls).toEqual([]);
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/json;a=b',
  ])('takes %s', async (type) => {
    const body = JSON.stringify({ user_token: await world().tokenOf('alice') });
    expect((await post(body, type)).status).toBe(200);
  });

  it('stands in a service that can parse no text/plain, whatever a route forgets to check [SB-03]', () => {
    expect(world().app.hasContentTypeParser('application/json')).toBe(true);
    expect(world().app.hasContentTypeParser('text/plain')).toBe(false);
  });

  it.each(BAD_BODIES.map((body) => [body.slice(0, 80), body]))(
    'refuses %j, keeps nothing and echoes nothing [SB-17]',
    async (_name, body) => {
      calls.length = 0;
      const answer = await post(body, 'application/json');
      expectProblem(answer, 400, 'invalid_request');
      expectNoCookie(answer);
      expect(answer.body).not.toContain('canary');
      expect(calls).toEqual([]);
      expect(world().rawLog()).not.toContain('canary');
    },
  );

  it('takes a body of 64 KiB and none that is one byte longer [SB-21]', async () => {
    const token = await world().issuer.accessToken({
      clientId: 'demo-client',
      claims: { pad: 'x'.repeat(47_000) },
    });
    const body = JSON.stringify({ user_token: token });
    expect(body.length).toBeGreaterThan(60_000);
    const fitting = body.padEnd(64 * 1024, ' ');
    expect((await post(fitting, 'application/json')).status).toBe(200);

    calls.length = 0;
    const answer = await post(`${fitting} `, 'application/json');
    expectProblem(answer, 413, 'payload_too_large');
    expectNoCookie(answer);
    expect(calls).toEqual([]);
  });

  it.each([
    ['announced', `Content-Length: ${2 * 1024 * 1024}`, 'x'.repeat(100_000)],
    [
      'in chunks, unannounced',
      'Transfer-Encoding: chunked',
      `${(99_999).toString(16)}\r\n${'x'.repeat(99_999)}\r\n`,
    ],
  ])('cuts two megabytes off, %s, with a clear answer first [SB-21]', async (_name, framing, start) => {
    calls.length = 0;
    const connection = await connectRaw(world().url);
    connection.send(
      `POST /userIdentifier/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${framing}\r\n\r\n${start}`,
    );
    const answer = parseAnswer(await connection.untilClosed());
    expectProblem(answer, 413, 'payload_too_large');
    expect(answer.headers['connection']).toBe('close');
    expectNoCookie(answer);
    expect(calls).toEqual([]);
    expect((await post('', undefined, 'GET /ping')).status).toBe(200);
  });

  it('lives through a client that goes away in the middle of its body', async () => {
    calls.length = 0;
    const connection = await connectRaw(world().url);
    connection.send(
      'POST /userIdentifier/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"user_token":',
    );
    await expect.poll(() => openConnections()).toBe(1);
    connection.destroy();
    await expect.poll(() => openConnections()).toBe(0);
    expect(calls).toEqual([]);
    expect(
      world()
        .log()
        .filter((line) => line['level'] === 'error'),
    ).toEqual([]);
  });

  it('tells a person who reads pages, in words', async () => {
    const answer = await sendRaw(
      world().url,
      'POST /userIdentifier/token HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
    expectPage(answer, 415, 'unsupported_media_type');
  });
});

/** Node's own clients would add a content type, or refuse to send some of these. */
function post(body: string, type: string | undefined, start = 'POST /userIdentifier/token') {
  const lines = [
    `${start} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return sendRaw(world().url, `${lines.join('\r\n')}\r\n\r\n${body}`);
}

function openConnections(): Promise<number> {
  return new Promise((resolve) => world().app.server.getConnections((_error, count) => resolve(count)));
}
