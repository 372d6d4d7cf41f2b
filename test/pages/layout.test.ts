import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderOutcomePage } from '../../src/pages/outcome-page.ts';
import { pageCsp } from '../../src/pages/layout.ts';
import { renderSignedOutPage } from '../../src/pages/sign-in-page.ts';

describe('the content security policy of our pages', () => {
  it.each([
    ['an outcome', renderOutcomePage('completed', { requestId: 'x' })],
    ['a page of its own', renderSignedOutPage('nobody')],
  ])('allows the style sheet that the page carries, to the letter: %s [SB-17]', (_name, page) => {
    const styles = [...page.toString().matchAll(/<style>(.*?)<\/style>/gs)].map(([, text = '']) => text);
    expect(styles).toHaveLength(1);
    const hash = createHash('sha256')
      .update(styles[0] ?? '')
      .digest('base64');
    expect(pageCsp()).toContain(`style-src 'sha256-${hash}'`);
    expect(page.toString()).not.toMatch(/ style=|<script| on[a-z]+=/);
  });

  it('lets forms out to us alone, and only where the page has one', () => {
    expect(pageCsp()).toContain("form-action 'none'");
    expect(pageCsp({ formsLeadTo: [] })).toContain("form-action 'self'");
  });
});
