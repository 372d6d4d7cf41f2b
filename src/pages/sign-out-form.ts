import { FORM_FIELDS } from './form-fields.ts';
import { type Html, html } from './html.ts';
import type { Words } from './words.ts';

/** What the sign-out form needs of the page it stands in. */
export interface SignOutForm {
  /** Relative to that page. */
  readonly action: string;
  readonly csrfToken: string;
}

export function renderSignOutForm({ action, csrfToken }: SignOutForm, { signOut }: Words): Html {
  return html`<form class="sign-out" method="post" action="${action}">
    <input type="hidden" name="${FORM_FIELDS.csrfToken}" value="${csrfToken}" />
    <label>
      <input type="checkbox" name="${FORM_FIELDS.forget}" value="yes" />
      ${signOut.forget}
    </label>
    <button class="quiet">${signOut.button}</button>
  </form>`;
}

/** For pages about something else: one small word until somebody asks. */
export function renderFoldedSignOutForm(form: SignOutForm, words: Words): Html {
  return html`<details>
    <summary>${words.signOut.unfold}</summary>
    ${renderSignOutForm(form, words)}
  </details>`;
}
