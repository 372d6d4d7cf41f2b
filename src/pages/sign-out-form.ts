import { FORM_FIELDS } from './form-fields.ts';
import { type Html, html } from './html.ts';

/** What the sign-out form needs of the page it stands in. */
export interface SignOutForm {
  /** Relative to that page. */
  readonly action: string;
  readonly csrfToken: string;
}

export function renderSignOutForm({ action, csrfToken }: SignOutForm): Html {
  return html`<form class="sign-out" method="post" action="${action}">
    <input type="hidden" name="${FORM_FIELDS.csrfToken}" value="${csrfToken}" />
    <label>
      <input type="checkbox" name="${FORM_FIELDS.forget}" value="yes" />
      Also forget the sign-ins my apps have stored here
    </label>
    <button class="quiet">Sign out of all my browsers</button>
  </form>`;
}

/** For pages about something else: one small word until somebody asks. */
export function renderFoldedSignOutForm(form: SignOutForm): Html {
  return html`<details>
    <summary>Sign out</summary>
    ${renderSignOutForm(form)}
  </details>`;
}
