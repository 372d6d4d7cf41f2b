import { array, assert, asyncProperty, constantFrom, oneof } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyVisibleText } from '../support/any-text.ts';
import { pinnedFlow } from '../support/flows.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareWorld } from '../support/shared-world.ts';

const world = shareWorld();

const CHROME = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

/** What clients say they accept, and what an error and a success are sent as. */
const ACCEPTS: readonly (readonly [
  accept: string | undefined,
  error: 'html' | 'json',
  success: 'html' | 'json',
])[] = [
  [undefined, 'json', 'html'],
  ['', 'json', 'html'],
  ['*/*', 'json', 'html'],
  [CHROME, 'html', 'html'],
  ['text/html', 'html', 'html'],
  ['TEXT/HTML', 'html', 'html'],
  ['text/*', 'html', 'html'],
  ['text/html;level=1, text/html', 'html', 'html'],
  ['application/json', 'json', 'json'],
  ['application/problem+json', 'json', 'json'],
  ['application/json, text/plain, */*', 'json', 'json'],
  ['application/json;q=0.9, text/html', 'html', 'html'],
  ['application/json, text/html;q=0.9', 'json', 'json'],
  ['text/html;q=0, */*', 'json', 'json'],
  ['application/json;q=0, */*', 'html', 'html'],
  ['text/html;q=0.5, application/problem+json;q=0.6', 'json', 'json'],
  ['image/png', 'json', 'html'],
  ['text/plain', 'json', 'html'],
  ['*/*;q=0', 'json', 'html'],
  ['text/html;q=abc', 'json', 'html'],
  ['nonsense', 'json', 'html'],
  [',,;;==""', 'json', 'html'],
];

const JSON_TYPE = /^application\/(?:problem\+)?json; charset=utf-8$/;

describe('the answer to a client that accepts', () => {
  it.each(ACCEPTS)('%j: an error as %s, a success as %s', async (accept, error, success) => {
    const { browser, url } = await pinnedFlow(world());
    const headers = accept === undefined ? {} : { accept };
    const bad = await browser.send(`${world().url}/oauth2/callback`, { headers });
    const good = await browser.send(url, { headers });
    expect([bad.status, good.status]).toEqual([400, 200]);
    const kinds = [bad, good].map((answer) => {
      const type = String(answer.headers['content-type']);
      return type === 'text/html; charset=utf-8' ? 'html' : JSON_TYPE.test(type) ? 'json' : type;
    });
    expect(kinds).toEqual([error, success]);
  });
});

describe('a hostile Accept header', () => {
  it('is answered all the same, and at once [SB-21]', async () => {
    const piece = constantFrom(
      'text/html',
      '*/*',
      'a/b',
      ';',
      ',',
      '=',
      '"',
      '\\',
      'q=',
      '0.',
      '1e999',
      '-1',
      ' ',
      '\t',
      '/',
      '__proto__',
      'constructor',
      '\u00ff',
      'q',
    );
    const pieces = array(piece, { maxLength: 60 }).map((chosen) => chosen.join(''));
    const hostile = oneof(pieces, anyVisibleText(60));
    await assert(
      asyncProperty(hostile, async (accept) => {
        expect(await statusFor(accept)).toBe(404);
      }),
      { numRuns: 100 },
    );
  });

  it.each(['text/html,', 'a/b;', '"', ';q=1', 'a/b;c="', 'x', '\\"'])(
    'of eight kilobytes of %j costs no more than another request [SB-21]',
    async (piece) => {
      const startedMs = performance.now();
      expect(await statusFor(piece.repeat(Math.floor(8000 / piece.length)))).toBe(404);
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    },
  );
});

async function statusFor(accept: string): Promise<number> {
  const bytes = Buffer.from(
    `GET /nowhere HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\n\r\n`,
    'latin1',
  );
  return (await sendRaw(world().url, bytes)).status;
}
