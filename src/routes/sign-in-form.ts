import { userDigest } from '../binding/user.ts';
import { FORM_FIELDS } from '../pages/form-fields.ts';
import type { SignInCandidate, SignInCodeStore } from '../session/sign-in-code.ts';
import { findByCode } from '../session/sign-in-link.ts';
import { parseWayBack, type WayBack } from './way-back.ts';

/** Whom the click chose: the one person of a sign-in link, or one of the people known here. */
export type SignInChoice =
  { readonly kind: 'code'; readonly code: string } | { readonly kind: 'candidate'; readonly id: string };

export type ParsedSignInForm =
  | {
      readonly kind: 'parsed';
      readonly csrfToken: string | undefined;
      readonly choice: SignInChoice;
      /** What the click interrupted. */
      readonly wayBack: WayBack | undefined;
    }
  /** `detail` is a sentence of ours. */
  | { readonly kind: 'refused'; readonly detail: string };

/** What the click says. No address is ever taken from here. */
export function parseSignInForm(form: URLSearchParams): ParsedSignInForm {
  if (Object.values(FORM_FIELDS).some((name) => form.getAll(name).length > 1)) {
    return refused('The form carries a field more than once.');
  }
  const [code, id] = [form.get(FORM_FIELDS.code), form.get(FORM_FIELDS.candidate)];
  if ((code === null) === (id === null)) return refused('The form must choose one user.');
  const choice: SignInChoice = code === null ? { kind: 'candidate', id: id ?? '' } : { kind: 'code', code };

  const csrfToken = form.get(FORM_FIELDS.csrfToken) ?? undefined;
  const way = parseWayBack(form);
  if (way.kind === 'refused') return way;
  return { kind: 'parsed', csrfToken, choice, wayBack: way.kind === 'parsed' ? way.wayBack : undefined };
}

/** The person chosen, if he is known here. A code is spent by this; a form says nothing about anybody's identity. */
export async function findChosen(
  choice: SignInChoice,
  signInCodes: SignInCodeStore,
): Promise<SignInCandidate | undefined> {
  if (choice.kind === 'code') return findByCode(choice.code, 'takeCode', signInCodes);
  const known = await signInCodes.listCandidates();
  return known.find(({ user }) => userDigest(user) === choice.id);
}

function refused(detail: string): ParsedSignInForm {
  return { kind: 'refused', detail };
}
