import { Browser } from '../../dist/demo/browser.js';

/** What alice does in her browser: continues as herself, signs in to the provider, allows. */
export async function connectAsAlice(startUrl) {
  const browser = new Browser();
  let page = await browser.open(startUrl);
  for (const words of ['Continue as alice', 'Alice Liddell (alice)', 'Allow']) {
    page = await press(browser, page, words);
    // "One moment": a page that goes on by itself, so that a cookie that was just set is sent.
    const [, next] = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(page.body) ?? [];
    if (next !== undefined) page = await browser.open(new URL(next, page.url).href);
  }
  if (titleOf(page) !== 'You are connected') throw new Error(`not connected: ${titleOf(page)}`);
}

function titleOf({ body }) {
  return /<title>([^<]*)/.exec(body)?.[1];
}

async function press(browser, page, words) {
  for (const [, attributes, content] of page.body.matchAll(/<form([^>]*)>(.*?)<\/form>/gs)) {
    const buttons = [...content.matchAll(/<button([^>]*)>(.*?)<\/button>/gs)];
    const button = buttons.find(([, , label]) => label.replace(/<[^>]*>/g, '').trim() === words);
    if (button === undefined) continue;
    const fields = {};
    for (const tag of [...content.matchAll(/<input type="hidden"([^>]*)>/g), button]) {
      const name = attributeOf(tag[1], 'name');
      if (name !== '') fields[name] = attributeOf(tag[1], 'value');
    }
    return browser.submit(new URL(attributeOf(attributes, 'action'), page.url).href, fields);
  }
  throw new Error(`no button "${words}" on the page: ${titleOf(page)}`);
}

function attributeOf(tag, name) {
  const value = new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? '';
  return value.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&');
}
