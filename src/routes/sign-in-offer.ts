import type { FastifyReply, FastifyRequest } from 'fastify';
import { isSameUser, userDigest } from '../binding/user.ts';
import { FORM_FIELDS } from '../pages/form-fields.ts';
import {
  renderSignedInPage,
  renderSignInPage,
  type SignInChoice,
  type SignInForm,
} from '../pages/sign-in-page.ts';
import type { NoticeKind } from '../pages/words.ts';
import type { BrowserSession } from '../session/browser-session.ts';
import type { CsrfProtection } from '../session/csrf.ts';
import type { SignInCandidate, SignInCodeStore } from '../session/sign-in-code.ts';
import { mannerOf, sendPage } from './answer.ts';
import { type WayBack, wayBackParameters } from './way-back.ts';

/** What a route needs to show who this browser is, or may become by one click (contract §7). */
export interface SignInOffer {
  /** Without it nobody signs in by a click, and no code counts (SB-04). */
  readonly singleUser: boolean;
  /** Strangers are sent to the issuer, which proves who they are: then nobody signs in by a click. */
  readonly login: boolean;
  readonly csrf: CsrfProtection;
  readonly signInCodes: SignInCodeStore;
  /** Where a flow that goes on after the click may end. */
  readonly returnOrigins: readonly string[];
}

export interface SignInPageOptions {
  /** Of `/sign-in`, relative to the page. */
  readonly action: string;
  /** What goes on after the click. */
  readonly wayBack?: WayBack | undefined;
  /** A live code and whose it is: he alone is offered. */
  readonly link?: { readonly code: string; readonly candidate: SignInCandidate } | undefined;
  readonly notice?: NoticeKind | undefined;
}

/** Shows who may continue in this browser. Signs nobody in and stores nothing (SB-04). */
export async function sendSignInPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { action, wayBack, link, notice }: SignInPageOptions,
  { csrf, signInCodes, returnOrigins }: SignInOffer,
): Promise<FastifyReply> {
  const candidates = link === undefined ? await signInCodes.listCandidates() : [link.candidate];
  const form: SignInForm = {
    action,
    csrfToken: csrf.issue(request, reply),
    carried: [
      ...(link === undefined ? [] : [[FORM_FIELDS.code, link.code] as const]),
      ...(wayBack === undefined ? [] : wayBackParameters(wayBack)),
    ],
    sendsChoice: link === undefined,
  };
  const page = renderSignInPage(
    {
      requestId: request.id,
      continuesFlow: wayBack !== undefined,
      people: candidates.map(choiceOf),
      form,
      notice,
    },
    mannerOf(request),
  );
  return sendPage(reply, page, { formsLeadTo: returnOrigins });
}

/** Shows whose this browser is, how to sign out, and in single-user environments whose else it may become. */
export async function sendSignedInPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { user, username }: BrowserSession,
  { singleUser, csrf, signInCodes, returnOrigins }: SignInOffer,
  notice?: NoticeKind,
): Promise<FastifyReply> {
  const known = singleUser ? await signInCodes.listCandidates() : [];
  const csrfToken = csrf.issue(request, reply);
  const page = renderSignedInPage(
    {
      requestId: request.id,
      who: { username, subject: user.subject },
      signOut: { action: 'sign-out', csrfToken },
      others: known.filter((other) => !isSameUser(other.user, user)).map(choiceOf),
      form: { action: 'sign-in', csrfToken, carried: [], sendsChoice: true },
      notice,
    },
    mannerOf(request),
  );
  return sendPage(reply, page, { formsLeadTo: returnOrigins });
}

/** How the form names somebody: by a digest that must match one of the people known here. */
function choiceOf({ user, username }: SignInCandidate): SignInChoice {
  return { id: userDigest(user), username, subject: user.subject };
}
