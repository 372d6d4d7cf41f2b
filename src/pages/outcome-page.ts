import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import type { Mood, OutcomeCode } from './outcomes.ts';
import { outcomeRow } from './outcomes.ts';
import { displayName } from './display-name.ts';
import { STYLE } from './style.ts';

/** What a page needs besides its code. */
export interface OutcomePageFacts {
  readonly requestId: string;
  /** The user's name as his token gives it; cleaned and isolated here. */
  readonly username?: string | undefined;
  /** Says that an earlier visit did it. */
  readonly alreadyConnected?: boolean;
  /** What is wrong with the request, in words of ours: never an echo of it (SB-17). */
  readonly detail?: string | undefined;
}

// In one piece: the hash is that of everything between the tags, and a formatter's white space there would unstyle
// every page.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const styleHash = createHash('sha256').update(STYLE).digest('base64');

/** CSP of our pages: this style sheet by its hash, and nothing else (SB-17). */
export const PAGE_CSP = `default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'; style-src 'sha256-${styleHash}'`;

// Drawn in the page itself: a page that loads nothing leaks nothing.
const ICONS: Readonly<Record<Mood, Html>> = {
  good: html`<path d="M14 25l7 7 14-15" />`,
  wait: html`<path d="M24 14v11l7 4" />`,
  stop: html`<path d="M16 24h16" />`,
  trouble: html`<path d="M24 14v13" /><path d="M24 33.5v.5" />`,
};

/** The page of an outcome: what happened, one clear next step, a reference for support. */
export function renderOutcomePage(code: OutcomeCode, facts: OutcomePageFacts): Html {
  const row = outcomeRow(code);
  const title = facts.alreadyConnected ? 'You are already connected' : row.title;
  const username = facts.username === undefined ? '' : displayName(facts.username);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        ${code === 'in_progress' ? html`<meta http-equiv="refresh" content="3" />` : undefined}
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main class="${row.mood}">
          <svg viewBox="0 0 48 48" width="56" height="56" aria-hidden="true">
            <circle cx="24" cy="24" r="22" />
            ${ICONS[row.mood]}
          </svg>
          <h1>${title}</h1>
          <p>${facts.detail ?? row.text}</p>
          ${username === '' ? undefined : html`<p class="who">Signed in as <bdi>${username}</bdi></p>`}
          <p class="next">${row.next}</p>
          ${offersRetry(code) ? html`<p><a class="button" href="">Try again</a></p>` : undefined}
          ${code === 'completed' ? undefined : html`<p class="reference">Reference <code>${facts.requestId}</code></p>`}
        </main>
      </body>
    </html> `;
}

/** The link is relative and empty: the page's own address, without writing the flow's id into the page (SB-25). */
function offersRetry(code: OutcomeCode): boolean {
  return code === 'agentcore_unavailable' || code === 'store_unavailable' || code === 'internal_error';
}
