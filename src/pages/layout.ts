import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import type { Mood } from './outcomes.ts';
import { STYLE } from './style.ts';

export interface PageParts {
  readonly title: string;
  readonly look: Mood | 'person';
  /** Everything below the title. */
  readonly content: Html;
  readonly refreshSeconds?: number | undefined;
}

// One blank more inside the element, and browsers refuse the whole style sheet: its hash is over every character.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const styleHash = createHash('sha256').update(STYLE).digest('base64');

/**
 * CSP of our pages: this style sheet by its hash, and nothing else (SB-17). Only a page of ours that carries forms
 * may send any, and only to us: markup that somebody smuggles in gets no form of his own out.
 */
export function pageCsp(forms: 'no_forms' | 'own_forms'): string {
  const formAction = forms === 'own_forms' ? "'self'" : "'none'";
  return `default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action ${formAction}; style-src 'sha256-${styleHash}'`;
}

// Drawn in the page itself: a page that loads nothing leaks nothing.
const ICONS: Readonly<Record<PageParts['look'], Html>> = {
  good: html`<path d="M14 25l7 7 14-15" />`,
  wait: html`<path d="M24 14v11l7 4" />`,
  stop: html`<path d="M16 24h16" />`,
  trouble: html`<path d="M24 14v13" /><path d="M24 33.5v.5" />`,
  person: html`<circle cx="24" cy="19" r="6" /><path d="M12.5 35.5a12 12 0 0 1 23 0" />`,
};

/** The frame of every page: no script, nothing from elsewhere, one card. */
export function renderLayout({ title, look, content, refreshSeconds }: PageParts): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        ${
          refreshSeconds === undefined
            ? undefined
            : html`<meta http-equiv="refresh" content="${refreshSeconds}" />`
        }
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main class="${look}">
          <svg viewBox="0 0 48 48" width="56" height="56" aria-hidden="true">
            <circle cx="24" cy="24" r="22" />
            ${ICONS[look]}
          </svg>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html> `;
}

/** For support: the id under which the log tells the same story. */
export function renderReference(requestId: string): Html {
  return html`<p class="reference">Reference <code>${requestId}</code></p>`;
}
