import { html, type Html } from '../pages/html.ts';
import { type FeedEntry, type Hop, PLACES, type Place } from './feed.ts';
import type { StoryResult, StoryTeller } from './story-teller.ts';
import { STORIES } from './stories.ts';
import { type Message, QUESTIONS, type Visitor } from './visitor.ts';

const PLACE_NAMES: Readonly<Record<Place, string>> = {
  browser: 'Browser',
  agent: 'App, agent',
  service: 'Service',
  agentcore: 'AgentCore',
  provider: 'GitHub, Google',
  cognito: 'Cognito',
};

// You on the left, your agent on the right: as on the pages of the service.
const MARK = html`<svg class="mark" viewBox="6 6 164 52" aria-hidden="true">
  <path class="way" d="M56 32h64" />
  <circle class="end" cx="32" cy="32" r="24" />
  <circle class="end" cx="144" cy="32" r="24" />
  <path class="glyph" d="M21.5 43a10.5 10.5 0 0 1 21 0" />
  <circle class="glyph" cx="32" cy="26.5" r="5.5" />
  <path
    class="glyph"
    d="M144 20.5c1.7 6.9 4.6 9.8 11.5 11.5-6.9 1.7-9.8 4.6-11.5 11.5-1.7-6.9-4.6-9.8-11.5-11.5 6.9-1.7 9.8-4.6 11.5-11.5z"
  />
  <circle class="badge" cx="88" cy="32" r="15" />
  <path class="sign" d="M81.5 32.5l4.5 4.5 8.5-9.5" />
</svg>`;

export interface PageState {
  readonly visitor: Visitor;
  readonly entries: readonly FeedEntry[];
  readonly teller: StoryTeller;
}

/** The one page. Its three parts are sent again, one by one, when they change. */
export function renderPage(state: PageState): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Session binding, tried out</title>
        <link rel="stylesheet" href="/demo.css" />
        <script src="/demo.js" defer></script>
      </head>
      <body>
        <header>
          ${MARK}
          <div>
            <h1>An agent that asks before it acts for you</h1>
            <p>
              The service is the real one. AWS, GitHub and Google are stand-ins on this machine; nothing
              leaves it.
            </p>
          </div>
        </header>
        <p id="stopped" role="alert" hidden>The demo has stopped. Start it again, and this page goes on.</p>
        <main>
          <section class="card talk" aria-label="The agent">
            <div id="conversation" aria-live="polite">${renderConversation(state.visitor)}</div>
          </section>
          <section class="card drawing" aria-label="What happens">
            <h2>What happens</h2>
            <div class="scroll" tabindex="0" aria-label="Requests, newest last">
              <div class="lanes" aria-hidden="true">
                ${PLACES.map((place) => html`<span>${PLACE_NAMES[place]}</span>`)}
              </div>
              <ol id="flow">
                ${renderFlow(state.entries)}
              </ol>
            </div>
          </section>
          <section class="card stories" aria-label="What goes wrong" id="stories">
            ${renderStories(state.teller)}
          </section>
        </main>
      </body>
    </html> `;
}

export function renderConversation({ user, messages }: Visitor): Html {
  if (user === undefined) {
    return html`<h2>Sign in to the agent’s app</h2>
      <p>At a Cognito of this demo. The passwords are the names.</p>
      <p class="row">
        <a class="button" href="/sign-in?as=alice">Sign in as alice</a>
        <a class="quiet" href="/sign-in?as=bob">as bob</a>
      </p>
      <ol class="steps">
        <li>Ask the agent for something of yours.</li>
        <li>Open the link that it shows, and allow it.</li>
        <li>Come back here: it has noticed.</li>
      </ol>
      <p>For two people at once open a private window beside this one.</p>`;
  }
  return html`<div class="who">
      <h2>The sales agent</h2>
      <form method="post" action="/sign-out">
        <span>${user.username}</span> <button class="small">Sign out</button>
      </form>
    </div>
    <ul class="messages">
      ${messages.length === 0 ? html`<li class="agent"><p>Hello ${user.username}. What would you like to know?</p></li>` : undefined}
      ${messages.map(renderMessage)}
    </ul>
    <form class="row" method="post" action="/ask" data-stays>
      ${Object.entries(QUESTIONS).map(
        ([id, { text }]) => html`<button class="quiet" name="question" value="${id}">${text}</button>`,
      )}
    </form>`;
}

function renderMessage(message: Message): Html {
  switch (message.kind) {
    case 'you':
      return html`<li class="you"><p>${message.text}</p></li>`;
    case 'agent':
      return html`<li class="agent">
        <p>${message.text}</p>
        ${
          message.items === undefined
            ? undefined
            : html`<ul>
                ${message.items.map((item) => html`<li>${item}</li>`)}
              </ul>`
        }
      </li>`;
    case 'link':
      return message.isOpen
        ? html`<li class="agent">
            <p>For that I need <strong>${message.label}</strong>. Connect it; I notice when you have.</p>
            <p class="row">
              <a class="button" href="${message.url}" target="_blank"
                >Connect<span aria-hidden="true"> ↗</span></a
              >
              <button class="small" type="button" data-copy="${message.url}">Copy the link</button>
            </p>
            <p class="waits">Waiting for you</p>
          </li>`
        : html`<li class="agent past">
            <p>I asked you to connect <strong>${message.label}</strong>.</p>
          </li>`;
  }
}

export function renderFlow(entries: readonly FeedEntry[]): Html {
  return html`${entries.map(renderEntry)}`;
}

export function renderEntry(entry: FeedEntry): Html {
  return entry.kind === 'heading' ? html`<li class="heading">${entry.text}</li>` : renderHop(entry);
}

/** An arrow between two columns; where it has no room to the right of it, its words end where it ends. */
function renderHop({ from, to, what, answer, mood }: Hop): Html {
  const [a, b] = [PLACES.indexOf(from), PLACES.indexOf(to)];
  const [first, last] = [Math.min(a, b), Math.max(a, b)];
  const side = first > 1 ? `ends-${last}` : `begins-${first}`;
  return html`<li class="hop ${mood}">
    <span class="what ${side}"
      ><span class="spoken">${PLACE_NAMES[from]} to ${PLACE_NAMES[to]}: </span>${what} <b>${answer}</b></span
    ><i class="arrow ${a < b ? 'right' : 'left'} at-${first} to-${last}"></i>
  </li>`;
}

export function renderStories({ playing, result }: StoryTeller): Html {
  return html`<h2>What goes wrong in life</h2>
    <p>Each of these is played at once, by scripted browsers, against the same service.</p>
    <form class="row" method="post" action="/play" data-stays>
      ${STORIES.map(({ id, title }) => {
        const isOff = playing === undefined ? undefined : html` disabled`;
        return html`<button class="quiet" name="story" value="${id}" ${isOff}>${title}</button>`;
      })}
    </form>
    ${result === undefined ? undefined : renderResult(result)}`;
}

function renderResult({ story, windows, connectedFor, calls }: StoryResult): Html {
  return html`<div class="result">
    <h3>${story.title}</h3>
    <p>${story.tells}</p>
    <dl>
      <div>
        <dt>Connected for</dt>
        <dd class="${connectedFor === undefined ? 'nobody' : 'somebody'}">${connectedFor ?? 'nobody'}</dd>
      </div>
      <div>
        <dt>Calls of AWS</dt>
        <dd>${calls}</dd>
      </div>
    </dl>
    <div class="windows">
      ${windows.map(
        ({ id, whose, address, status }) =>
          html`<figure>
            <figcaption><strong>${whose}</strong> <span>${address}</span> <b>${status}</b></figcaption>
            <iframe src="/windows/${id}" title="${whose}" sandbox="allow-same-origin"></iframe>
          </figure>`,
      )}
    </div>
  </div>`;
}
