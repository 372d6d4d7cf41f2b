import type { Html } from './html.ts';
import type { OutcomeCode } from './outcomes.ts';

export interface OutcomeWords {
  readonly title: string;
  /** What happened. */
  readonly text: string;
  /** The one thing to do next. */
  readonly next: string;
}

interface QuestionWords {
  readonly title: string;
  readonly text: string;
  readonly next: string;
}

/** Why a click, or a link, did nothing. */
export type NoticeKind = 'csrf' | 'code' | 'candidate' | 'still_signed_in';

/**
 * Everything our pages say in one language. A new language is one file that satisfies this, and its line in
 * `languages.ts`. Names are Html, isolated already: put each of them somewhere.
 */
export interface Words {
  /** BCP 47, for `lang`. */
  readonly language: string;
  readonly outcomes: Readonly<Record<OutcomeCode, OutcomeWords>>;
  readonly alreadyConnected: string;
  readonly connection: (label: Html) => Html;
  readonly signedInAs: (name: Html) => Html;
  readonly notYou: string;
  readonly backToApp: string;
  readonly reference: string;
  readonly copy: string;
  readonly copied: string;
  readonly waysOn: Readonly<Record<'tryAgain' | 'lookAgain' | 'signIn' | 'signInAgain' | 'goOn', string>>;
  readonly notices: Readonly<Record<NoticeKind, string>>;
  readonly signIn: {
    readonly nobodyKnown: QuestionWords;
    readonly one: QuestionWords;
    readonly several: QuestionWords;
    /** A flow waits for the click. */
    readonly oneOfFlow: QuestionWords;
    readonly severalOfFlow: QuestionWords;
    readonly continueAs: (name: Html) => Html;
    readonly nameless: string;
  };
  readonly signedIn: { readonly title: string; readonly text: (name: Html) => Html };
  readonly goingOn: { readonly title: string; readonly text: string };
  readonly signOut: { readonly unfold: string; readonly forget: string; readonly button: string };
  readonly signedOut: {
    readonly title: string;
    readonly texts: Readonly<Record<'nobody' | 'signed_out' | 'tokens_forgotten', string>>;
    readonly next: string;
    readonly nextAtIssuer: string;
  };
}
