import { displayName } from './display-name.ts';
import { type Html, html } from './html.ts';
import { renderLayout, renderReference } from './layout.ts';
import { renderOpenerScript } from './opener-script.ts';
import type { OutcomeCode } from './outcomes.ts';
import { outcomeRow } from './outcomes.ts';
import { renderFoldedSignOutForm, type SignOutForm } from './sign-out-form.ts';

/** What a page needs besides its code. */
export interface OutcomePageFacts {
  readonly requestId: string;
  /** The user's name as his token gives it; cleaned and isolated here. */
  readonly username?: string | undefined;
  /** Says that an earlier visit did it. */
  readonly alreadyConnected?: boolean;
  /** What is wrong with the request, in words of ours: never an echo of it (SB-17). */
  readonly detail?: string | undefined;
  /** Where people sign in by a click: how a wrong click is put right. */
  readonly switchUserUrl?: string | undefined;
  readonly signOut?: SignOutForm | undefined;
  /** What the app calls this connection; cleaned and isolated here. */
  readonly label?: string | undefined;
  /** Where the app is, with how it ended. */
  readonly backUrl?: string | undefined;
  /** The page that opened this one is told, where it is of these origins. */
  readonly tellsOrigins?: readonly string[] | undefined;
  /** How the person goes on from here, relative to the page. */
  readonly wayOn?: { readonly href: string; readonly words: string } | undefined;
}

/** The page of an outcome: what happened, one clear next step, a reference for support. */
export function renderOutcomePage(code: OutcomeCode, facts: OutcomePageFacts): Html {
  const row = outcomeRow(code);
  const title = facts.alreadyConnected ? 'You are already connected' : row.title;
  const wayOn = facts.wayOn ?? (offersRetry(code) ? { href: '', words: 'Try again' } : undefined);
  const username = facts.username === undefined ? '' : displayName(facts.username);
  const label = facts.label === undefined ? '' : displayName(facts.label);
  const { backUrl, tellsOrigins = [] } = facts;
  const content = html`<p>${facts.detail ?? row.text}</p>
    ${label === '' ? undefined : html`<p class="who">Connection: <bdi>${label}</bdi></p>`}
    ${username === '' ? undefined : renderWho(username, facts.switchUserUrl)}
    <p class="next">${row.next}</p>
    ${wayOn === undefined ? undefined : html`<p><a class="button" href="${wayOn.href}">${wayOn.words}</a></p>`}
    ${backUrl === undefined ? undefined : html`<p><a class="button" href="${backUrl}">Back to the app</a></p>`}
    ${tellsOrigins.length === 0 ? undefined : renderOpenerScript(tellsOrigins)}
    ${facts.signOut === undefined ? undefined : renderFoldedSignOutForm(facts.signOut)}
    ${code === 'completed' ? undefined : renderReference(facts.requestId)}`;
  return renderLayout({
    title,
    look: row.mood,
    content,
    refreshSeconds: code === 'in_progress' ? row.retryAfterSeconds : undefined,
  });
}

function renderWho(username: string, switchUserUrl: string | undefined): Html {
  const change = switchUserUrl === undefined ? undefined : html` · <a href="${switchUserUrl}">Not you?</a>`;
  return html`<p class="who">Signed in as <bdi>${username}</bdi>${change}</p>`;
}

/** The link is relative and empty: the page's own address, without writing the flow's id into the page (SB-25). */
function offersRetry(code: OutcomeCode): boolean {
  return (
    code === 'agentcore_unavailable' ||
    code === 'issuer_unavailable' ||
    code === 'store_unavailable' ||
    code === 'overloaded' ||
    code === 'internal_error'
  );
}
