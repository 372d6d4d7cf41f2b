import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createBrand, PLAIN_BRAND } from '../../src/pages/brand.ts';
import { renderGoingOnPage } from '../../src/pages/going-on-page.ts';
import { chooseWords } from '../../src/pages/languages.ts';
import { pageCsp } from '../../src/pages/layout.ts';
import { renderOutcomePage } from '../../src/pages/outcome-page.ts';
import { renderSignedOutPage } from '../../src/pages/sign-in-page.ts';

const LOGO = 'data:image/svg+xml;base64,PHN2Zy8+';
const BRANDED = createBrand({ name: '<i>Acme</i>', logoUrl: LOGO, accent: '#ffcc00' });
const words = chooseWords('en');
const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

describe.each([
  ['a plain brand', PLAIN_BRAND],
  ["the operator's brand", BRANDED],
])('the content security policy of our pages, under %s', (_name, brand) => {
  const manner = { brand, words };

  it.each([
    [
      'a success that tells its opener',
      renderOutcomePage(
        'completed',
        { requestId: 'x', tellsOrigins: ['https://a.example', 'https://b.example'] },
        manner,
      ),
    ],
    ['a refusal with a reference to copy', renderOutcomePage('token_missing', { requestId: 'x' }, manner)],
    ['a page of its own', renderSignedOutPage('nobody', undefined, manner)],
    ['a page that leads on', renderGoingOnPage('oauth2/start?flow=x', manner)],
  ])(
    'allows the style sheet and the scripts that the page carries, to the letter: %s [SB-17]',
    (_page, page) => {
      const inside = (name: string) => {
        const elements = page.toString().matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'));
        return [...elements].map(([, text = '']) => text);
      };
      const policy = pageCsp({}, brand);
      const [style = '', ...more] = inside('style');
      expect(more).toEqual([]);
      expect(policy).toContain(`style-src ${hashOf(style)}`);
      for (const script of inside('script')) expect(policy).toContain(hashOf(script));
      expect(page.toString().match(/<script/g) ?? []).toHaveLength(inside('script').length);
      expect(page.toString()).not.toMatch(/ style=|\son[a-z]+=/);
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
    },
  );

  it('lets forms out to us alone, and only where the page has one', () => {
    expect(pageCsp({}, brand)).toContain("form-action 'none'");
    expect(pageCsp({ formsLeadTo: [] }, brand)).toContain("form-action 'self'");
    const csp = pageCsp({ formsLeadTo: ['https://app.example.com'] }, brand);
    expect(csp).toContain("form-action 'self' https://app.example.com;");
  });
});

describe("the operator's brand", () => {
  it('stands above the page and in its title, escaped, its logo within the page [SB-17]', () => {
    const page = renderOutcomePage('completed', { requestId: 'x' }, { brand: BRANDED, words }).toString();
    expect(page).toContain(`<img src="${LOGO}" alt="" />`);
    expect(page).toContain('<title>You are connected · &lt;i&gt;Acme&lt;/i&gt;</title>');
    expect(pageCsp({}, BRANDED)).toContain('img-src data:');
    expect(pageCsp({}, PLAIN_BRAND)).not.toContain('img-src');
  });
});
