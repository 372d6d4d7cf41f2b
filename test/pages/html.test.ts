import { assert, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Html, html } from '../../src/pages/html.ts';
import { anyText } from '../support/any-text.ts';

/** What people have put into names to make markup of them. */
const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '</title><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '` onmouseover=`alert(1)',
  '</style><style>*{background:url(//evil.example)}',
  '<!--',
  '--><script>',
  '<![CDATA[<script>]]>',
  '&lt;script&gt;',
  '&#60;script&#62;',
  '\u003cscript\u003e',
  '<\0script>',
  '<svg/onload=alert(1)>',
  'javascript:alert(1)',
  '{{constructor.constructor("alert(1)")()}}',
  '${alert(1)}',
];

describe('the html tag', () => {
  it.each(HOSTILE)('escapes %j in text and in attributes [SB-17]', (hostile) => {
    const markup = html`<p title="${hostile}">${hostile}</p>`.toString();
    expect(markup.replaceAll(/<\/?p(?: title="[^"]*")?>/g, '')).not.toMatch(/[<>"'`]/);
    expect(unescape(/>([^<]*)</.exec(markup)?.[1])).toBe(hostile);
    expect(unescape(/title="([^"]*)"/.exec(markup)?.[1])).toBe(hostile);
  });

  it('escapes whatever the text is, and a browser reads it back unchanged [SB-17]', () => {
    assert(
      property(anyText(60), (text) => {
        const markup = html`<p>${text}</p>`.toString();
        expect(markup).toMatch(/^<p>[^<>"'`]*<\/p>$/);
        expect(unescape(markup.slice(3, -4))).toBe(text);
      }),
    );
  });

  it('escapes exactly once, however deep templates nest', () => {
    const name = html`<b>${'<&>'}</b>`;
    expect(html`<p>${html`<i>${name}</i>`}</p>`.toString()).toBe('<p><i><b>&lt;&amp;&gt;</b></i></p>');
  });

  it('takes no object for markup because it looks like one [SB-17]', () => {
    const imitation = { toString: () => '<script>' } as unknown as string;
    expect(html`${imitation}`.toString()).toBe('&lt;script&gt;');
  });

  it('writes a list item by item, and escapes what in it is not markup [SB-17]', () => {
    expect(html`${[html`<b>1</b>`, html`<i>2</i>`]}`.toString()).toBe('<b>1</b><i>2</i>');
    const smuggled = ['<script>'] as unknown as readonly Html[];
    expect(html`${smuggled}`.toString()).toBe('&lt;script&gt;');
  });

  it('writes numbers, and nothing for what is not there', () => {
    expect(html`<p>${1}${undefined}${''}</p>`.toString()).toBe('<p>1</p>');
  });
});

function unescape(text: string | undefined): string | undefined {
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return text?.replaceAll(/&(?:#(\d+)|(\w+));/g, (_whole, code: string | undefined, name: string) =>
    code === undefined ? (named[name] ?? '?') : String.fromCharCode(Number(code)),
  );
}
