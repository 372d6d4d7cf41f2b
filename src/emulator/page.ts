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
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { margin: 0; padding: 1rem }
main { max-width: 26rem; margin: 8vh auto 0 }
h1 { font-size: 1.4rem }
form { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0 }
label { flex-basis: 100% }
input { display: block; width: 100%; box-sizing: border-box }
input, button { font: inherit; padding: .5rem 1rem; border: 1px solid; border-radius: .4rem }
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
