import { displayName } from './display-name.ts';
import { FORM_FIELDS } from './form-fields.ts';
import { type Html, html } from './html.ts';
import { renderLayout, renderReference } from './layout.ts';
import { renderSignOutForm, type SignOutForm } from './sign-out-form.ts';

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
  /** Why the last click, or the link, did nothing: words of ours. */
  readonly notice?: string | undefined;
}

/** Names whoever may continue, and asks for the one click without which nobody is signed in (contract §7). */
export function renderSignInPage(facts: SignInPageFacts): Html {
  const { people, continuesFlow, notice, requestId } = facts;
  const words = wordsFor(people.length, continuesFlow);
  const content = html`${notice === undefined ? undefined : renderNotice(notice)}
    <p>${words.text}</p>
    ${people.length === 0 ? undefined : renderChoices(people, facts.form, 'button')}
    <p class="next">${words.next}</p>
    ${people.length === 0 ? html`<p><a class="button" href="">Look again</a></p>` : undefined}
    ${notice === undefined ? undefined : renderReference(requestId)}`;
  return renderLayout({ title: words.title, look: 'person', content });
}

export interface SignedInPageFacts {
  readonly requestId: string;
  readonly who: Omit<SignInChoice, 'id'>;
  readonly signOut: SignOutForm;
  /** The other people known here, in single-user environments. */
  readonly others: readonly SignInChoice[];
  readonly form: SignInForm;
  readonly notice?: string | undefined;
}

/** Whose this browser is, and how it stops being his. */
export function renderSignedInPage(facts: SignedInPageFacts): Html {
  const { who, signOut, others, form, notice, requestId } = facts;
  const content = html`${notice === undefined ? undefined : renderNotice(notice)}
    <p>
      Connections that are approved in this browser are finished for <bdi class="name">${nameOf(who)}</bdi>.
    </p>
    ${others.length === 0 ? undefined : renderChoices(others, form, 'quiet')} ${renderSignOutForm(signOut)}
    ${notice === undefined ? undefined : renderReference(requestId)}`;
  return renderLayout({ title: 'You are signed in', look: 'person', content });
}

const SIGNED_OUT_TEXTS = {
  nobody: 'Nobody is signed in to this browser.',
  signed_out: 'You are signed out here in every browser you used.',
  tokens_forgotten:
    'You are signed out here in every browser you used, and the sign-ins that your apps had stored are forgotten.',
} as const;

/**
 * `issuerUrl`: where the issuer signs out, too. The page leads there, since a redirect would be subject to the
 * `form-action` of the page with the form, and with it every further one of the issuer's.
 */
export function renderSignedOutPage(what: keyof typeof SIGNED_OUT_TEXTS, issuerUrl?: string): Html {
  const content = html`<p>${SIGNED_OUT_TEXTS[what]}</p>
    ${
      issuerUrl === undefined
        ? html`<p class="next">You can close this tab.</p>`
        : html`<p class="next">Next, your sign-in service signs you out.</p>
            <p><a class="button" href="${issuerUrl}">Go on</a></p>`
    }`;
  return renderLayout({ title: 'You are signed out', look: 'person', content, leadsTo: issuerUrl });
}

function renderNotice(notice: string): Html {
  return html`<p class="notice" role="alert">${notice}</p>`;
}

// No button has the focus: a key that was meant for another page must not sign anybody in (SB-04).
function renderChoices(people: readonly SignInChoice[], form: SignInForm, look: 'button' | 'quiet'): Html {
  const labels = people.map(nameOf);
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
      return html`<button class="${look}" ${choice}>Continue as <bdi>${label}</bdi>${hint}</button>`;
    })}
  </form>`;
}

function nameOf({ username, subject }: Omit<SignInChoice, 'id'>): string {
  const name = username === undefined ? '' : displayName(username);
  return name === '' ? displayName(subject) || 'somebody without a name' : name;
}

function wordsFor(count: number, continuesFlow: boolean) {
  if (count === 0) {
    return {
      title: 'Nobody to continue as yet',
      text: 'No app has handed over its user here, so we cannot tell whose browser this is.',
      next: 'Run your app so that it signs you in, then look again.',
    };
  }
  if (!continuesFlow) {
    return {
      title: count === 1 ? 'Is this you?' : 'Which one are you?',
      text: 'One click signs this browser in. Connections approved in it are then finished for you.',
      next: 'Did somebody send you here? Then close this tab.',
    };
  }
  return {
    title: 'One more click',
    text:
      count === 1
        ? 'Say that it is you, and we finish the connection.'
        : 'Say which one you are, and we finish the connection.',
    next: 'Did you not start this connection yourself? Then close this tab.',
  };
}
