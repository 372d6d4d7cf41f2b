import { displayName } from './display-name.ts';
import { type Html, html } from './html.ts';
import { type Manner, renderLayout, renderReference, renderWayOn } from './layout.ts';
import type { OutcomeCode } from './outcomes.ts';
import { outcomeRow } from './outcomes.ts';
import { renderOpenerScript } from './page-scripts.ts';
import { renderFoldedSignOutForm, type SignOutForm } from './sign-out-form.ts';
import type { Words } from './words.ts';

/** What a page needs besides its code. */
export interface OutcomePageFacts {
  readonly requestId: string;
  /** The user's name as his token gives it; cleaned and isolated here. */
  readonly username?: string | undefined;
  /** Says that an earlier visit did it. */
  readonly alreadyConnected?: boolean;
  /** What is wrong with the request, in English words of ours: never an echo of it (SB-17). */
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
  readonly wayOn?: { readonly href: string; readonly says: keyof Words['waysOn'] } | undefined;
}

/** The page of an outcome: what happened, one clear next step, a reference for support. */
export function renderOutcomePage(code: OutcomeCode, facts: OutcomePageFacts, manner: Manner): Html {
  const { words } = manner;
  const { mood, retryAfterSeconds } = outcomeRow(code);
  const { title, text, next } = words.outcomes[code];
  const wayOn = facts.wayOn ?? (offersRetry(code) ? { href: '', says: 'tryAgain' as const } : undefined);
  const username = facts.username === undefined ? '' : displayName(facts.username);
  const label = facts.label === undefined ? '' : displayName(facts.label);
  const { backUrl, tellsOrigins = [] } = facts;
  const content = html`${renderText(text, facts.detail, words)}
    ${label === '' ? undefined : html`<p class="who">${words.connection(html`<bdi>${label}</bdi>`)}</p>`}
    ${username === '' ? undefined : renderWho(username, facts.switchUserUrl, words)}
    <p class="next">${next}</p>
    ${wayOn === undefined ? undefined : renderWayOn(wayOn.href, words.waysOn[wayOn.says])}
    ${backUrl === undefined ? undefined : renderWayOn(backUrl, words.backToApp)}
    ${tellsOrigins.length === 0 ? undefined : renderOpenerScript(tellsOrigins)}
    ${facts.signOut === undefined ? undefined : renderFoldedSignOutForm(facts.signOut, words)}
    ${code === 'completed' ? undefined : renderReference(facts.requestId, words)}`;
  return renderLayout(
    {
      title: facts.alreadyConnected ? words.alreadyConnected : title,
      look: mood,
      content,
      refreshSeconds: code === 'in_progress' ? retryAfterSeconds : undefined,
    },
    manner,
  );
}

/** What is wrong in detail is for whoever made the request, and said in English only. */
function renderText(text: string, detail: string | undefined, { language }: Words): Html {
  if (detail === undefined) return html`<p>${text}</p>`;
  return language === 'en'
    ? html`<p>${detail}</p>`
    : html`<p>${text}</p>
        <p class="who" lang="en">${detail}</p>`;
}

function renderWho(username: string, switchUserUrl: string | undefined, words: Words): Html {
  const change =
    switchUserUrl === undefined ? undefined : html` · <a href="${switchUserUrl}">${words.notYou}</a>`;
  return html`<p class="who">${words.signedInAs(html`<bdi>${username}</bdi>`)}${change}</p>`;
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
