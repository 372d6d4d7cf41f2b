import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import { openerScriptHash } from './opener-script.ts';
import type { Mood } from './outcomes.ts';
import { STYLE } from './style.ts';

export interface PageParts {
  readonly title: string;
  readonly look: Mood | 'person';
  /** Everything below the title. */
  readonly content: Html;
  readonly refreshSeconds?: number | undefined;
  /** Where the browser goes by itself, at once. */
  readonly leadsTo?: string | undefined;
}

// One blank more inside the element, and browsers refuse the whole style sheet: its hash is over every character.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const styleHash = createHash('sha256').update(STYLE).digest('base64');

/** What a page needs of its CSP besides the style sheet. */
export interface PageNeeds {
  /** It carries forms of ours, whose answers may lead to these origins besides; undefined: none. */
  readonly formsLeadTo?: readonly string[] | undefined;
  /** It tells its opener. */
  readonly hasOpenerScript?: boolean;
}

/**
 * CSP of our pages: this style sheet by its hash, and nothing else (SB-17). Only a page of ours that carries forms
 * may send any, and only to us: markup that somebody smuggles in gets no form of his own out. Browsers hold the
 * redirects after a form to it as well, hence the origins to which a finished flow returns.
 */
export function pageCsp({ formsLeadTo, hasOpenerScript }: PageNeeds = {}): string {
  const formAction = formsLeadTo === undefined ? "'none'" : ["'self'", ...formsLeadTo].join(' ');
  const script = hasOpenerScript ? `; script-src 'sha256-${openerScriptHash}'` : '';
  return `default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action ${formAction}; style-src 'sha256-${styleHash}'${script}`;
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

/** The frame of every page: no script, nothing from elsewhere, one card. */
export function renderLayout({ title, look, content, refreshSeconds, leadsTo }: PageParts): Html {
  const refresh = leadsTo === undefined ? refreshSeconds : `0;url=${leadsTo}`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        ${refresh === undefined ? undefined : html`<meta http-equiv="refresh" content="${refresh}" />`}
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
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

/** For support: the id under which the log tells the same story. */
export function renderReference(requestId: string): Html {
  return html`<p class="reference">Reference <code>${requestId}</code></p>`;
}
