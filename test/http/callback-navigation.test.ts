import { describe, expect, it } from 'vitest';
import { expectNoCookie, expectPage, expectProblem } from '../support/answers.ts';
import { callsFor, pinnedFlow } from '../support/flows.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';
import { shareWorld } from '../support/shared-world.ts';

type Headers = Readonly<Record<string, string>>;

/** What browsers send with requests that no person made by opening a page. */
const NOT_NAVIGATIONS: readonly (readonly [name: string, headers: Headers])[] = [
  ['an iframe', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
  ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'frame' }],
  ['a fenced frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'fencedframe' }],
  ['an object', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'object' }],
  ['an embed', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'embed' }],
  ['an image', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
  ['a script', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }],
  ['a style sheet', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'style' }],
  ['a worker', { 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'worker' }],
  [
    'a fetch of our own page',
    { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
  ],
  ['a fetch without cors', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'empty' }],
  ['a web socket', { 'sec-fetch-mode': 'websocket', 'sec-fetch-dest': 'websocket' }],
  ['a browser that names the destination alone', { 'sec-fetch-dest': 'image' }],
  ['a browser that names the mode alone', { 'sec-fetch-mode': 'no-cors' }],
  ['an iframe that claims to be a document too', { 'sec-fetch-dest': 'document, iframe' }],
  ['a destination that is empty', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': '' }],
  ['a prefetch', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch' }],
  [
    'a prerender',
    { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch;prerender' },
  ],
  ['a private prefetch', { 'sec-purpose': 'prefetch;anonymous-client-ip' }],
  ['an older Chromium’s prefetch', { purpose: 'prefetch' }],
  ['an older Safari’s preview', { 'x-purpose': 'preview' }],
  ['an older Firefox’s prefetch', { 'x-moz': 'prefetch' }],
];

const NAVIGATIONS: readonly (readonly [name: string, headers: Headers])[] = [
  [
    'a redirect from the provider',
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  ],
  [
    'an address typed by hand',
    {
      'sec-fetch-site': 'none',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-user': '?1',
    },
  ],
  [
    'a reload of the page',
    { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  ],
  ['a browser without Fetch Metadata', {}],
];

const calls: StoreCall[] = [];
const world = shareWorld({ store: watchStore((call) => calls.push(call)) });

describe('the callback', () => {
  it.each(NOT_NAVIGATIONS)(
    'refuses %s, reads no record and spends nothing [SB-06]',
    async (_name, headers) => {
      const { browser, url, sessionUri } = await pinnedFlow(world());
      calls.length = 0;

      const toPerson = await browser.send(url, { headers: { ...headers, accept: 'text/html' } });
      expectPage(toPerson, 403, 'not_a_navigation');
      const toProgram = await browser.send(url, { headers });
      expectProblem(toProgram, 403, 'not_a_navigation');

      for (const answer of [toPerson, toProgram]) {
        expectNoCookie(answer);
        expect(world().log()).toContainEqual(
          expect.objectContaining({ code: 'not_a_navigation', request_id: answer.headers['x-request-id'] }),
        );
      }
      expect(calls).toEqual([]);
      expect(callsFor(world(), sessionUri)).toBe(0);
      expectPage(await browser.open(url), 200, 'completed');
    },
  );

  it.each(NAVIGATIONS)('serves %s', async (_name, headers) => {
    const { browser, url } = await pinnedFlow(world());
    expectPage(await browser.send(url, { headers: { ...headers, accept: 'text/html' } }), 200, 'completed');
  });

  it('refuses a prefetch before it looks at the parameters, so that nothing can be probed [SB-06]', async () => {
    const { browser } = await pinnedFlow(world());
    const answer = await browser.send(`${world().url}/oauth2/callback?session_id=bad`, {
      headers: { 'sec-purpose': 'prefetch' },
    });
    expectProblem(answer, 403, 'not_a_navigation');
  });
});
