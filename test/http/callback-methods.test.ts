import { describe, expect, it } from 'vitest';
import { expectPage, expectProblem, expectSafeHeaders } from '../support/answers.ts';
import { callsFor, cookieHeader, pinnedFlow } from '../support/flows.ts';
import { sendRaw } from '../support/raw-http.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';
import { shareWorld } from '../support/shared-world.ts';

const METHODS = ['HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE', 'MKCOL'];

const calls: StoreCall[] = [];
const world = shareWorld({ store: watchStore((call) => calls.push(call)) });

describe('the callback with any method but GET', () => {
  it.each(METHODS)('answers %s with 405 and Allow, and spends nothing [SB-07]', async (method) => {
    const { browser, url, sessionUri } = await pinnedFlow(world());
    calls.length = 0;

    const answer = await browser.send(url, { method, headers: { accept: 'application/json' } });
    if (method === 'HEAD') expect([answer.status, answer.body]).toEqual([405, '']);
    else expectProblem(answer, 405, 'method_not_allowed');
    expectSafeHeaders(answer);
    expect(answer.headers['allow']).toBe('GET');
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(calls).toEqual([]);
    expect(callsFor(world(), sessionUri)).toBe(0);

    expectPage(await browser.open(url), 200, 'completed');
  });

  it.each([
    ['percent-encoded', 'HEAD /oauth2/call%62ack'],
    ['with a fragment', 'DELETE /oauth2/callback#fragment'],
  ])('answers 405 for its path %s too [SB-07]', async (_name, requestLine) => {
    const { browser, url, sessionUri } = await pinnedFlow(world());
    const cookie = cookieHeader(browser, url);

    const answer = await sendRaw(
      world().url,
      `${requestLine}${new URL(url).search} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
    );

    expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET']);
    expect(callsFor(world(), sessionUri)).toBe(0);
  });

  it('reads no body of a wrong method: two megabytes are answered at once, and /ping lives [SB-21]', async () => {
    const { browser, url, sessionUri } = await pinnedFlow(world());
    const answer = await browser.send(url, {
      method: 'POST',
      headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'x'.repeat(2 * 1024 * 1024),
    });
    expectPage(answer, 405, 'method_not_allowed');
    expect((await browser.send(`${world().url}/ping`)).status).toBe(200);
    expect(callsFor(world(), sessionUri)).toBe(0);
  });
});
