import { displayName } from './display-name.ts';
import { FORM_FIELDS } from './form-fields.ts';
import { type Html, html } from './html.ts';
import { type Manner, renderLayout, renderReference, renderWayOn } from './layout.ts';
import { renderSignOutForm, type SignOutForm } from './sign-out-form.ts';
import type { NoticeKind, Words } from './words.ts';

/** Somebody who may become this browser's user by a click. */
export interface SignInChoice {
  /** What the form sends: it chooses among the people known here, and says nothing else about them. */
  readonly id: string;
  /** As his token gives it; cleaned and isolated here. */
  readonly username: string | undefined;
  readonly subject: string;
}

export interface SignInForm {
  /** Relative to the page. */
  readonly action: string;
  readonly csrfToken: string;
  /** What goes back with the click: the code of a link, or the page to go on with. */
  readonly carried: readonly (readonly [name: string, value: string])[];
  /** False where a code names the one person. */
  readonly sendsChoice: boolean;
}

export interface SignInPageFacts {
  readonly requestId: string;
  /** True when a page waits for the click. */
  readonly continuesFlow: boolean;
  readonly people: readonly SignInChoice[];
  readonly form: SignInForm;
  /** Why the last click, or the link, did nothing. */
  readonly notice?: NoticeKind | undefined;
}

/** Names whoever may continue, and asks for the one click without which nobody is signed in (contract §7). */
export function renderSignInPage(facts: SignInPageFacts, manner: Manner): Html {
  const { people, continuesFlow, notice, requestId } = facts;
  const { words } = manner;
  const { title, text, next } = words.signIn[questionFor(people.length, continuesFlow)];
  const content = html`${renderNotice(notice, words)}
    <p>${text}</p>
    ${people.length === 0 ? undefined : renderChoices(people, facts.form, 'button', words)}
    <p class="next">${next}</p>
    ${people.length === 0 ? renderWayOn('', words.waysOn.lookAgain) : undefined}
    ${notice === undefined ? undefined : renderReference(requestId, words)}`;
  return renderLayout({ title, look: 'person', content }, manner);
}

function questionFor(count: number, continuesFlow: boolean) {
  if (count === 0) return 'nobodyKnown';
  if (continuesFlow) return count === 1 ? 'oneOfFlow' : 'severalOfFlow';
  return count === 1 ? 'one' : 'several';
}

export interface SignedInPageFacts {
  readonly requestId: string;
  readonly who: Omit<SignInChoice, 'id'>;
  readonly signOut: SignOutForm;
  /** The other people known here, in single-user environments. */
  readonly others: readonly SignInChoice[];
  readonly form: SignInForm;
  readonly notice?: NoticeKind | undefined;
}

/** Whose this browser is, and how it stops being his. */
export function renderSignedInPage(facts: SignedInPageFacts, manner: Manner): Html {
  const { who, signOut, others, form, notice, requestId } = facts;
  const { words } = manner;
  const content = html`${renderNotice(notice, words)}
    <p>${words.signedIn.text(html`<bdi class="name">${nameOf(who, words)}</bdi>`)}</p>
    ${others.length === 0 ? undefined : renderChoices(others, form, 'quiet', words)}
    ${renderSignOutForm(signOut, words)}
    ${notice === undefined ? undefined : renderReference(requestId, words)}`;
  return renderLayout({ title: words.signedIn.title, look: 'person', content }, manner);
}

/**
 * `issuerUrl`: where the issuer signs out, too. The page leads there, since a redirect would be subject to the
 * `form-action` of the page with the form, and with it every further one of the issuer's.
 */
export function renderSignedOutPage(
  what: keyof Words['signedOut']['texts'],
  issuerUrl: string | undefined,
  manner: Manner,
): Html {
  const { signedOut, waysOn } = manner.words;
  const content = html`<p>${signedOut.texts[what]}</p>
    ${
      issuerUrl === undefined
        ? html`<p class="next">${signedOut.next}</p>`
        : html`<p class="next">${signedOut.nextAtIssuer}</p>
            ${renderWayOn(issuerUrl, waysOn.goOn)}`
    }`;
  return renderLayout({ title: signedOut.title, look: 'person', content, leadsTo: issuerUrl }, manner);
}

function renderNotice(notice: NoticeKind | undefined, { notices }: Words): Html | undefined {
  return notice === undefined ? undefined : html`<p class="notice" role="alert">${notices[notice]}</p>`;
}

// No button has the focus: a key that was meant for another page must not sign anybody in (SB-04).
function renderChoices(
  people: readonly SignInChoice[],
  form: SignInForm,
  look: 'button' | 'quiet',
  words: Words,
): Html {
  const labels = people.map((person) => nameOf(person, words));
  const carried = [[FORM_FIELDS.csrfToken, form.csrfToken] as const, ...form.carried];
  return html`<form class="choices" method="post" action="${form.action}">
    ${carried.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    ${people.map((person, index) => {
      const label = labels[index] ?? '';
      // Two people may bear one name: then only the subject tells them apart.
      const isAmbiguous = labels.filter((other) => other === label).length > 1;
      const choice = form.sendsChoice
        ? html` name="${FORM_FIELDS.candidate}" value="${person.id}"`
        : undefined;
      const hint = isAmbiguous ? html` <small><bdi>${displayName(person.subject)}</bdi></small>` : undefined;
      const invitation = words.signIn.continueAs(html`<bdi>${label}</bdi>`);
      return html`<button class="${look}" ${choice}>${invitation}${hint}</button>`;
    })}
  </form>`;
}

function nameOf({ username, subject }: Omit<SignInChoice, 'id'>, { signIn }: Words): string {
  const name = username === undefined ? '' : displayName(username);
  return name === '' ? displayName(subject) || signIn.nameless : name;
}
