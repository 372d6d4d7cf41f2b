import type { Browser, Page } from '../../src/demo/browser.ts';

/** A person presses the button with these words, with whatever its form carries and the boxes that are ticked. */
export function press(
  browser: Browser,
  page: Page,
  words: string,
  ticked: Readonly<Record<string, string>> = {},
): Promise<Page> {
  const { action, fields } = readForm(page, words);
  return browser.submit(action, { ...fields, ...ticked });
}

/** The form behind a button: where it goes and what it sends. Understands the markup of our own pages. */
export function readForm(
  page: Page,
  words: string,
): { readonly action: string; readonly fields: Record<string, string> } {
  for (const [, attributes = '', content = ''] of page.body.matchAll(/<form([^>]*)>(.*?)<\/form>/gs)) {
    const buttons = [...content.matchAll(/<button([^>]*)>(.*?)<\/button>/gs)];
    const button = buttons.find(([, , label = '']) => textOf(label) === words);
    if (button === undefined) continue;
    const sent = [...content.matchAll(/<input type="hidden"([^>]*)>/g), [button[0], button[1]]];
    const pairs = sent.map(([, tag = '']) => [attributeOf(tag, 'name'), attributeOf(tag, 'value')] as const);
    const fields = Object.fromEntries(pairs.filter(([name]) => name !== ''));
    return { action: new URL(attributeOf(attributes, 'action'), page.url).href, fields };
  }
  throw new Error(`no button "${words}" on this page: ${textOf(page.body)}`);
}

function attributeOf(tag: string, name: string): string {
  return unescape(new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? '');
}

function textOf(markup: string): string {
  return unescape(
    markup
      .replace(/<style>.*?<\/style>|<[^>]*>/gs, '')
      .replace(/\s+/g, ' ')
      .trim(),
  );
}

function unescape(text: string): string {
  return text.replace(/&(?:#(\d+)|([a-z]+));/g, (whole, number?: string, name?: string) =>
    number === undefined ? (ENTITIES[name ?? ''] ?? whole) : String.fromCodePoint(Number(number)),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };
