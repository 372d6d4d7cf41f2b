import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { PLAIN_BRAND } from '../../src/pages/brand.ts';
import { html } from '../../src/pages/html.ts';
import { chooseWords } from '../../src/pages/languages.ts';
import { renderOutcomePage } from '../../src/pages/outcome-page.ts';
import type { OutcomeCode } from '../../src/pages/outcomes.ts';
import { OUTCOMES } from '../../src/pages/outcomes.ts';
import { shareWorld } from '../support/shared-world.ts';

const world = shareWorld();
const ENGLISH = chooseWords('en');
const JAPANESE = chooseWords('ja');

describe('the language of a page', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['*', 'en'],
    ['ja', 'ja'],
    ['ja-JP,ja;q=0.9,en-US;q=0.8', 'ja'],
    ['en-GB,ja;q=0.9', 'en'],
    ['fr,ja;q=0.5,en;q=0.4', 'ja'],
    ['fr', 'en'],
    ['en;q=0,ja', 'ja'],
    ['<script>', 'en'],
  ])('for Accept-Language %j is %s', (header, language) => {
    expect(chooseWords(header).language).toBe(language);
  });

  it('is the one that the browser asks for, and problem documents stay English', async () => {
    const headers = { accept: 'text/html', 'accept-language': 'ja,en;q=0.5' };
    const page = await fetch(`${world().url}/nowhere`, { headers });
    const text = await page.text();
    expect(text).toContain('<html lang="ja">');
    expect(text).toContain(JAPANESE.outcomes.not_found.title);
    const problem = await fetch(`${world().url}/nowhere`, {
      headers: { ...headers, accept: 'application/json' },
    });
    expect(await problem.json()).toMatchObject({ title: OUTCOMES.not_found.title });
    expect((await new Browser().open(`${world().url}/nowhere`)).body).toContain('<html lang="en">');
  });

  it('marks what is said in English only', () => {
    const facts = { requestId: 'x', detail: 'The link carries no session_id.' };
    const page = renderOutcomePage('invalid_request', facts, { brand: PLAIN_BRAND, words: JAPANESE });
    expect(page.toString()).toContain('<p class="who" lang="en">The link carries no session_id.</p>');
    expect(page.toString()).toContain(JAPANESE.outcomes.invalid_request.text);
  });
});

describe('the Japanese words', () => {
  it.each(Object.keys(OUTCOMES) as OutcomeCode[])('say of %s what the English ones do', (code) => {
    const { title, text, next } = JAPANESE.outcomes[code];
    for (const words of [title, text, next]) expect(words).toMatch(/[\p{sc=Hira}\p{sc=Kana}]/u);
    const saysNothing = (words: string) =>
      /何も接続されていません|Nothing was connected|nothing was connected/.test(words);
    expect(saysNothing(text)).toBe(saysNothing(ENGLISH.outcomes[code].text));
  });

  it('name everybody whom the English ones name', () => {
    const name = html`<bdi>Ada</bdi>`;
    const sentences = [
      JAPANESE.connection(name),
      JAPANESE.signedInAs(name),
      JAPANESE.signIn.continueAs(name),
      JAPANESE.signedIn.text(name),
    ];
    for (const sentence of sentences) expect(sentence.toString()).toContain('<bdi>Ada</bdi>');
  });
});
