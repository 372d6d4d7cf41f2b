import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { startWorld } from '../support/world.ts';
import { cookieHeader, sendRaw } from './raw-socket.ts';

const URN = 'urn:ietf:params:oauth:request_uri:odd';

describe('an odd request line', () => {
  it.each([
    ['a null byte in the address', `GET /oauth2/callback\u0000?session_id=${URN} HTTP/1.1`, [400]],
    ['a blank in the address', `GET /oauth2/callback x?session_id=${URN} HTTP/1.1`, [400]],
    ['a letter beyond ASCII', `GET /oauth2/callback\u00ff?session_id=${URN} HTTP/1.1`, [400]],
    ['no slash', `GET oauth2/callback?session_id=${URN} HTTP/1.1`, [400]],
    ['no address', 'GET  HTTP/1.1', [400]],
    ['an asterisk', 'GET * HTTP/1.1', [404]],
    ['an asterisk with OPTIONS', 'OPTIONS * HTTP/1.1', [404]],
    ['a method in lower case', `get /oauth2/callback?session_id=${URN} HTTP/1.1`, [400]],
    ['an unknown method', `FROB /oauth2/callback?session_id=${URN} HTTP/1.1`, [400]],
    ['a version to come', `GET /oauth2/callback?session_id=${URN} HTTP/1.2`, [400]],
    ['percent and nothing', `GET /%?session_id=${URN} HTTP/1.1`, [400]],
    ['bytes that are no UTF-8', `GET /oauth2/callback%ff?session_id=${URN} HTTP/1.1`, [400]],
    ['an address of 40 KB', `GET /oauth2/callback?session_id=${URN}&x=${'a'.repeat(40_000)} HTTP/1.1`, [431]],
  ])('is answered and does nothing: %s', async (_, line, statuses) => {
    const world = await startWorld();
    const headers = `Host: localhost\r\nCookie: ${await cookieHeader(world)}\r\nConnection: close\r\n\r\n`;
    const answer = await sendRaw(world.url, `${line}\r\n${headers}`);
    expect(answer.statuses).toEqual(statuses);
    expect(answer.text).toMatch(/^content-type: application\/problem\+json/im);
    expect(answer.text).not.toContain(URN);
    expect(answer.closed).toBe(true);
    expect(world.agentcore.completeCalls).toBe(0);
    expect(world.rawLog()).not.toContain(URN);
    expect((await new Browser().send(`${world.url}/ping`)).status).toBe(200);
  });

  it('HTTP/1.0 is answered and closed, and needs its Host like any other', async () => {
    const world = await startWorld();
    const ask = (path: string, headers = '') => sendRaw(world.url, `GET ${path} HTTP/1.0\r\n${headers}\r\n`);
    expect(await ask('/ping')).toMatchObject({ statuses: [200], closed: true });
    expect(await ask('/oauth2/callback?error=x')).toMatchObject({ statuses: [400], closed: true });
    expect(await ask('/oauth2/callback?error=x', 'Host: localhost\r\n')).toMatchObject({ statuses: [401] });
  });
});

describe('headers', () => {
  it('of more than 32 KiB are refused, and of less are read [SB-21]', async () => {
    const world = await startWorld();
    const ask = (bytes: number) =>
      sendRaw(
        world.url,
        `GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-A: ${'a'.repeat(bytes)}\r\n\r\n`,
      );
    expect(await ask(31 * 1024)).toMatchObject({ statuses: [200] });
    const refused = await ask(33 * 1024);
    expect(refused).toMatchObject({ statuses: [431], closed: true });
    expect(refused.text).toMatch(/^cache-control: no-store\r$/im);
  });

  it.each([129, 2_500])(
    'of %i lines are refused, before a late Host could go unseen [SB-19, SB-21]',
    async (count) => {
      const world = await startWorld();
      const cookie = await cookieHeader(world);
      const lines = 'a:b\r\n'.repeat(count - 4);
      const headers = `Host: localhost\r\nCookie: ${cookie}\r\nConnection: close\r\n${lines}Host: attacker.example\r\n`;
      const answer = await sendRaw(
        world.url,
        `GET /oauth2/callback?session_id=${URN} HTTP/1.1\r\n${headers}\r\n`,
      );
      // Beyond 2,000 lines newer versions of Node refuse by themselves, with a 431.
      expect([[400], [431]].slice(0, count > 2_000 ? 2 : 1)).toContainEqual(answer.statuses);
      if (answer.statuses[0] === 400) expect(answer.text).toContain('more than 128 header lines');
      expect(world.agentcore.completeCalls).toBe(0);
    },
  );

  it('of 128 lines are read', async () => {
    const world = await startWorld();
    const headers = `Host: localhost\r\nConnection: close\r\n${'a:b\r\n'.repeat(126)}`;
    expect((await sendRaw(world.url, `GET /ping HTTP/1.1\r\n${headers}\r\n`)).statuses).toEqual([200]);
  });

  it('that expect the unexpected are answered in our own way', async () => {
    const world = await startWorld();
    const text = `GET /oauth2/callback HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\nConnection: close\r\n\r\n`;
    const answer = await sendRaw(world.url, text);
    expect(answer.statuses).toEqual([400]);
    expect(answer.text).toMatch(/^x-request-id: /im);
  });
});

describe('a body', () => {
  const post = (length: number) =>
    `POST /userIdentifier/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

  it('that announces more than 64 KiB is refused before it is sent [SB-21]', async () => {
    const world = await startWorld();
    const answer = await sendRaw(world.url, post(64 * 1024 + 1), { answers: 1 });
    expect(answer.statuses).toEqual([413]);
    expect(answer.text).toContain('"payload_too_large"');
  });

  it('that grows beyond 64 KiB in chunks is refused, however long it goes on [SB-21]', async () => {
    const world = await startWorld();
    const head = post(0).replace('Content-Length: 0', 'Transfer-Encoding: chunked');
    const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
    const answer = await sendRaw(world.url, head + chunk.repeat(64), { drip: { text: chunk, everyMs: 20 } });
    expect(answer.closed).toBe(true);
    // Closed with a body half sent, the connection is reset, and the answer may be lost with it.
    expect([[413], []]).toContainEqual(answer.statuses);
    expect((await new Browser().send(`${world.url}/ping`)).status).toBe(200);
  });

  it('is not waited for by those who refuse its kind, its sender or its address [SB-03, SB-21]', async () => {
    const world = await startWorld();
    const statuses = [];
    for (const head of [
      post(100).replace('application/json', 'text/plain'),
      post(100).replace('\r\n\r\n', '\r\nOrigin: https://attacker.example\r\n\r\n'),
      post(100).replace('/userIdentifier/token', '/nowhere'),
      post(100).replace('/userIdentifier/token', '/oauth2/callback'),
      post(100).replace('Host: localhost', 'Host: attacker.example'),
    ]) {
      statuses.push((await sendRaw(world.url, head, { answers: 1 })).statuses);
    }
    expect(statuses).toEqual([[415], [403], [404], [405], [421]]);
  });
});
