import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { startWorld, type World } from '../support/world.ts';
import { cookieHeader, sendRaw } from './raw-socket.ts';

/** A request that would be bound, for hiding in another one: whoever is fooled calls AWS. */
async function hiddenRequest(world: World): Promise<string> {
  const target = '/oauth2/callback?session_id=urn:ietf:params:oauth:request_uri:hidden';
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\nCookie: ${await cookieHeader(world)}\r\n\r\n`;
}

function post(headers: string, body: string): string {
  const line = 'POST /userIdentifier/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  return `${line}${headers}\r\n\r\n${body}`;
}

/** By name: what a proxy in front might read as one request, and a lax server as two. */
function ambiguous(hidden: string): Readonly<Record<string, string>> {
  const { length } = hidden;
  const chunk = `${length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
  const end = `0\r\n\r\n${hidden}`;
  return {
    'length and chunks': post(`Content-Length: ${length + 5}\r\nTransfer-Encoding: chunked`, end),
    'chunks and length': post(`Transfer-Encoding: chunked\r\nContent-Length: ${length + 5}`, end),
    'two lengths': post(`Content-Length: 0\r\nContent-Length: ${length}`, hidden),
    'two equal lengths': post('Content-Length: 0\r\nContent-Length: 0', hidden),
    'a list of lengths': post(`Content-Length: 0, ${length}`, hidden),
    'a signed length': post('Content-Length: +0', hidden),
    'a negative length': post('Content-Length: -1', hidden),
    'a hexadecimal length': post('Content-Length: 0x0', hidden),
    'an empty length': post('Content-Length: ', hidden),
    'a huge length': post('Content-Length: 99999999999999999999', hidden),
    'a blank before the colon of a length': post('Content-Length : 0', hidden),
    'a blank before the colon of the coding': post('Transfer-Encoding : chunked', end),
    'an unknown coding': post('Transfer-Encoding: xchunked', end),
    'a coding behind chunked': post('Transfer-Encoding: chunked, identity', end),
    'a coding behind a control character': post('Transfer-Encoding: \u000bchunked', end),
    'a folded coding': post('Transfer-Encoding:\r\n chunked', end),
    'a folded header': post(`X-A: b\r\n Content-Length: ${length}\r\nContent-Length: 0`, hidden),
    'a bare CR before a length': post(`X-A: b\rContent-Length: ${length}\r\nContent-Length: 0`, hidden),
    'a bare LF before a length': post(`X-A: b\nContent-Length: 0`, hidden),
    'bare LF alone': post('Content-Length: 0', hidden).replaceAll('\r\n', '\n'),
    'a null byte in a header': post('X-A: b\u0000\r\nContent-Length: 0', hidden),
    'a header line without a name': post(': b\r\nContent-Length: 0', hidden),
    'a negative chunk': post('Transfer-Encoding: chunked', `-1\r\n${hidden}`),
    'a chunk larger than anything': post('Transfer-Encoding: chunked', `fffffffffffffffff\r\n${hidden}`),
    'a chunk with a prefix': post('Transfer-Encoding: chunked', `0x0\r\n\r\n${hidden}`),
    'a chunk ended by bare LF': post('Transfer-Encoding: chunked', `0\n\n${hidden}`),
    'a chunk longer than it says': post('Transfer-Encoding: chunked', `1\r\n  \r\n${end}`),
    'a chunk extension without end': post(
      'Transfer-Encoding: chunked',
      `1;${'a'.repeat(40_000)}\r\n \r\n${end}`,
    ),
    'the whole request as one chunk': post('Transfer-Encoding: chunked', chunk),
    'the whole request as a body': post(`Content-Length: ${length}`, hidden),
    'the body of a GET': `GET /ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n${hidden}`,
    'the body of an address that is not there': `POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n${hidden}`,
    'the body of an upgrade': `GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: ${length}\r\n\r\n${hidden}`,
    'what follows a CONNECT': `CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n${hidden}`,
    'what follows HTTP/1.0': `GET /ping HTTP/1.0\r\nHost: localhost\r\n\r\n${hidden}`,
    'what follows a request without version': `GET /ping\r\n\r\n${hidden}`,
    'what follows Connection: close': `GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n${hidden}`,
    'what follows the preface of HTTP/2': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}`,
    'what follows garbage': `\u0016\u0003\u0001\u0002\r\n\r\n${hidden}`,
  };
}

describe('a request hidden in another one', () => {
  it('is never run, however the outer one is framed [SB-21]', { timeout: 60_000 }, async () => {
    const world = await startWorld();
    const hidden = await hiddenRequest(world);
    // The hidden request itself is good, and would be seen at AWS.
    const openly = hidden.replace('Host:', 'Connection: close\r\nHost:');
    expect((await sendRaw(world.url, openly)).statuses).toEqual([410]);
    expect(world.agentcore.completeCalls).toBe(1);

    for (const [name, text] of Object.entries(ambiguous(hidden))) {
      const answer = await sendRaw(world.url, text, { patienceMs: 500 });
      expect({ name, calls: world.agentcore.completeCalls }).toEqual({ name, calls: 1 });
      // One answer at most, or the bare end of the connection; and never an echo.
      expect({ name, answers: answer.statuses.length <= 1 }).toEqual({ name, answers: true });
      expect(answer.text).not.toContain('hidden');
      expect((await new Browser().send(`${world.url}/ping`)).status).toBe(200);
    }
    // Nor later: what was sent before this one would have been seen by now.
    expect((await sendRaw(world.url, openly)).statuses).toEqual([410]);
    expect(world.agentcore.completeCalls).toBe(2);
  });

  it('is refused with all our headers where it is no HTTP at all, and the connection ends', async () => {
    const world = await startWorld();
    const answer = await sendRaw(world.url, 'GET / HTTP/1.1\r\nX-A: b\r\n c\r\n\r\n');
    expect(answer.statuses).toEqual([400]);
    expect(answer.closed).toBe(true);
    for (const line of [
      /^cache-control: no-store\r$/im,
      /^x-content-type-options: nosniff\r$/im,
      /^content-security-policy: default-src 'none'/im,
      /^x-request-id: [\w-]{16}\r$/im,
      /^content-type: application\/problem\+json\r$/im,
      /^connection: close\r$/im,
    ]) {
      expect(answer.text).toMatch(line);
    }
    expect(answer.text).toContain('"code":"invalid_request"');
  });
});

describe('requests sent one behind the other', () => {
  it('are answered each, in order', async () => {
    const world = await startWorld();
    const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const last = ask('/ping').replace('Host:', 'Connection: close\r\nHost:');
    const text = `${ask('/ping')}${ask('/nowhere')}${ask('/oauth2/callback')}${last}`;
    const answer = await sendRaw(world.url, text);
    expect(answer.statuses).toEqual([200, 404, 400, 200]);
  });

  it('leave the service alive when nobody reads the answers [SB-21]', async () => {
    const world = await startWorld();
    const text = 'GET /oauth2/callback HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2_000);
    const flood = sendRaw(world.url, text, { reads: false, patienceMs: 2_000 });
    for (let index = 0; index < 5; index += 1) {
      expect((await new Browser().send(`${world.url}/ping`)).status).toBe(200);
    }
    await flood;
    expect(world.agentcore.completeCalls).toBe(0);
  });
});
