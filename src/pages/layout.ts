import type { Brand } from './brand.ts';
import { type Html, html } from './html.ts';
import type { Mood } from './outcomes.ts';
import { renderCopyButton, SCRIPT_HASHES } from './page-scripts.ts';
import type { Words } from './words.ts';

/** In whose name, and in which language. */
export interface Manner {
  readonly brand: Brand;
  readonly words: Words;
}

export interface PageParts {
  readonly title: string;
  readonly look: Mood | 'person';
  /** Everything below the title. */
  readonly content: Html;
  readonly refreshSeconds?: number | undefined;
  /** Where the browser goes by itself, at once. */
  readonly leadsTo?: string | undefined;
}

/** What a page needs of its CSP besides style and scripts. */
export interface PageNeeds {
  /** It carries forms of ours, whose answers may lead to these origins besides; undefined: none. */
  readonly formsLeadTo?: readonly string[] | undefined;
}

/**
 * CSP of our pages: our style sheet and scripts by their hashes, and nothing else (SB-17). Only a page of ours that
 * carries forms may send any, and only to us: markup that somebody smuggles in gets no form of his own out. Browsers
 * hold the redirects after a form to it as well, hence the origins to which a finished flow returns.
 */
export function pageCsp({ formsLeadTo }: PageNeeds, { styleHash, logoUrl }: Brand): string {
  const formAction = formsLeadTo === undefined ? "'none'" : ["'self'", ...formsLeadTo].join(' ');
  const scripts = SCRIPT_HASHES.map((hash) => `'sha256-${hash}'`).join(' ');
  return [
    "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    `form-action ${formAction}`,
    `style-src 'sha256-${styleHash}'`,
    `script-src ${scripts}`,
    // Within an image no script of a logo runs.
    ...(logoUrl === undefined ? [] : ['img-src data:']),
  ].join('; ');
}

// Drawn in the page itself: a page that loads nothing leaks nothing. You on the left, your agent on the right.
const PERSON = html`<path class="glyph" d="M21.5 43a10.5 10.5 0 0 1 21 0" />
  <circle class="glyph" cx="32" cy="26.5" r="5.5" />`;
const AGENT = html`<path
  class="glyph"
  d="M144 20.5c1.7 6.9 4.6 9.8 11.5 11.5-6.9 1.7-9.8 4.6-11.5 11.5-1.7-6.9-4.6-9.8-11.5-11.5 6.9-1.7 9.8-4.6 11.5-11.5z"
/>`;

const SIGNS: Readonly<Record<Mood, Html>> = {
  good: html`<path class="sign" d="M81.5 32.5l4.5 4.5 8.5-9.5" />`,
  wait: html`<path class="sign" d="M81.5 32h.01M88 32h.01M94.5 32h.01" />`,
  stop: html`<path class="sign" d="M82 32h12" />`,
  trouble: html`<path class="sign" d="M88 25.5v7.5M88 38.5h.01" />`,
};

function renderArt(look: PageParts['look']): Html {
  if (look === 'person') {
    return html`<svg class="art" viewBox="6 6 52 52" aria-hidden="true">
      <circle class="end" cx="32" cy="32" r="24" />
      ${PERSON}
    </svg>`;
  }
  return html`<svg class="art" viewBox="6 6 164 52" aria-hidden="true">
    <path class="way" d="M56 32h64" />
    <circle class="end" cx="32" cy="32" r="24" />
    <circle class="end" cx="144" cy="32" r="24" />
    ${PERSON}${AGENT}
    <circle class="badge" cx="88" cy="32" r="15" />
    ${SIGNS[look]}
  </svg>`;
}

/** The frame of every page: nothing from elsewhere, one card, readable without script. */
export function renderLayout(parts: PageParts, { brand, words }: Manner): Html {
  const { title, look, content, refreshSeconds, leadsTo } = parts;
  const refresh = leadsTo === undefined ? refreshSeconds : `0;url=${leadsTo}`;
  return html`<!doctype html>
    <html lang="${words.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        ${refresh === undefined ? undefined : html`<meta http-equiv="refresh" content="${refresh}" />`}
        <title>${brand.name === undefined ? title : `${title} · ${brand.name}`}</title>
        ${brand.styleElement}
      </head>
      <body>
        ${renderBrand(brand)}
        <main class="${look}">
          <div class="stage">${renderArt(look)}</div>
          <div class="words">
            <h1>${title}</h1>
            ${content}
          </div>
        </main>
      </body>
    </html> `;
}

function renderBrand({ name, logoUrl }: Brand): Html | undefined {
  if (name === undefined && logoUrl === undefined) return undefined;
  const logo = logoUrl === undefined ? undefined : html`<img src="${logoUrl}" alt="" />`;
  return html`<header>${logo}${name === undefined ? undefined : html`<span>${name}</span>`}</header>`;
}

/** A link that looks like what it is: the next step. */
export function renderWayOn(href: string, words: string): Html {
  return html`<p><a class="button" href="${href}">${words}</a></p>`;
}

/** For support: the id under which the log tells the same story. */
export function renderReference(requestId: string, words: Words): Html {
  return html`<p class="reference">
    ${words.reference} <code>${requestId}</code> ${renderCopyButton(requestId, words)}
  </p>`;
}
