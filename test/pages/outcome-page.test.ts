import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type OutcomeCode, OUTCOMES } from '../../src/pages/outcomes.ts';
import { PLAIN_BRAND } from '../../src/pages/brand.ts';
import { chooseWords } from '../../src/pages/languages.ts';
import { type OutcomePageFacts, renderOutcomePage } from '../../src/pages/outcome-page.ts';
import { Browser } from '../../src/demo/browser.ts';
import { shareWorld } from '../support/shared-world.ts';
import { pinnedFlow } from '../support/flows.ts';

const CODES = Object.keys(OUTCOMES) as OutcomeCode[];
const REQUEST_ID = 'a-request-id-123';
const world = shareWorld();

function render(code: OutcomeCode, facts: Partial<OutcomePageFacts> = {}): string {
  const manner = { brand: PLAIN_BRAND, words: chooseWords('en') };
  return renderOutcomePage(code, { requestId: REQUEST_ID, ...facts }, manner).toString();
}

describe('the page of', () => {
  it.each(CODES)('%s says what happened, one next step and a reference', (code) => {
    const page = render(code);
    const { title, text, next } = OUTCOMES[code];
    expect(page).toContain(`<title>${title}</title>`);
    expect(page).toContain(`<h1>${title}</h1>`);
    expect(page).toContain(`<p>${text}</p>`);
    expect(page).toContain(`<p class="next">${next}</p>`);
    expect(page.includes(`Reference <code>${REQUEST_ID}</code>`)).toBe(code !== 'completed');
    expect(page).toContain('<html lang="en">');
    expect(page).toContain('name="viewport"');
  });

  it.each(CODES)('%s loads and sends nothing, and needs no script to be read', (code) => {
    const page = render(code, { username: 'Ada' });
    expect(page).not.toMatch(/<link|<img|<iframe|<form|<base|src=|url\(|@import|\son\w+=|\sstyle=|https?:/i);
  });

  it.each(CODES)('%s speaks to people: no code, no HTTP, no word of AWS’s', (code) => {
    const { title, text, next } = OUTCOMES[code];
    for (const words of [title, text, next]) {
      expect(words).toMatch(/^[A-Z].*\S$/);
      expect(words).not.toMatch(/_|exception|null|undefined|error code|IAM|HTTP [0-9]/i);
    }
  });
});

describe('a page', () => {
  it('shows the name isolated and cleaned [SB-17]', () => {
    const page = render('completed', { username: '\u202e<b>Ada' });
    expect(page).toContain('Signed in as <bdi>&lt;b&gt;Ada</bdi>');
  });

  it('shows no empty name', () => {
    const page = render('completed', { username: '\u200b' });
    expect(page).not.toContain('Signed in as');
  });

  it('says "already" where an earlier visit connected', () => {
    const page = render('completed', { alreadyConnected: true });
    expect(page).toContain('<h1>You are already connected</h1>');
  });

  it('looks again by itself only while a connection is being made', () => {
    const refreshing = CODES.filter((code) => render(code).includes('http-equiv="refresh"'));
    expect(refreshing).toEqual(['in_progress']);
  });

  it('is sent with a policy that lets exactly its own style sheet in [SB-17]', async () => {
    const { browser, url } = await pinnedFlow(world());
    for (const answer of [await browser.open(url), await new Browser().open(`${world().url}/nowhere`)]) {
      const style = /<style>([^]*?)<\/style>/.exec(answer.body)?.[1] ?? '';
      expect(style).toContain('body{');
      const hash = createHash('sha256').update(style).digest('base64');
      expect(answer.headers['content-security-policy']).toContain(`style-src 'sha256-${hash}'`);
      expect(answer.headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:|data:/);
    }
  });

  it('never names the flow: not in text, links or forms [SB-25]', async () => {
    const { browser, url, sessionUri } = await pinnedFlow(world());
    const id = sessionUri.split(':').at(-1) ?? '';
    const bob = await world().signedIn(await world().tokenOf('bob'));
    const pages = [
      await new Browser().open(url),
      await bob.open(url),
      await browser.open(`${url}&error=access_denied&error_description=${id}`),
      await browser.open(`${url}&session_id=${sessionUri}`),
      await browser.open(url),
      await browser.open(url),
    ];
    for (const page of pages) expect(page.body).not.toContain(id);
  });
});
