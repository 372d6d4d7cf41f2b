import type { ServerResponse } from 'node:http';

/** The pages of the emulated world: plain HTML that works without script. `content` is markup, escaped already. */
export function sendPage(
  response: ServerResponse,
  status: number,
  title: string,
  content: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    // The address carries the flow: its path and query are nobody else's business.
    'referrer-policy': 'strict-origin',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    ...headers,
  });
  response.end(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
<main>
<h1>${escapeHtml(title)}</h1>
${content}
</main>
</html>
`);
}

const STYLE = `
:root { color-scheme: light dark; --paper: #f3f5f8; --card: #fff; --ink: #14181d; --line: #c3ccd6; --strong: #2a313a }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0e1115; --card: #171b21; --ink: #eef1f5; --line: #46505c; --strong: #d5dbe3 }
}
* { box-sizing: border-box }
body { margin: 0; padding: 1rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 Inter, system-ui, sans-serif }
main { max-width: 26rem; margin: 8vh auto 0; padding: 1.75rem 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
h1 { margin: 0 0 1rem; font-size: 1.375rem; line-height: 1.25 }
form { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0 0 }
label { flex-basis: 100% }
input { display: block; width: 100% }
input, button { min-height: 2.75rem; padding: .5rem 1.25rem; border: 1px solid var(--line); border-radius: .5rem; background: none; color: inherit; font: inherit }
button { font-weight: 600; cursor: pointer }
form:first-of-type button:first-of-type { border-color: transparent; background: var(--strong); color: var(--card) }
:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px }
`;

export function redirect(
  response: ServerResponse,
  location: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(302, { location, 'cache-control': 'no-store', ...headers }).end();
}

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
