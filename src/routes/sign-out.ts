import type { FastifyPluginAsync } from 'fastify';
import type { UserTokenStore } from '../binding/ports.ts';
import type { RelyingParty } from '../issuer/relying-party.ts';
import { FORM_FIELDS } from '../pages/form-fields.ts';
import { renderSignedOutPage } from '../pages/sign-in-page.ts';
import { ENGLISH } from '../pages/words-en.ts';
import { browserSessionCookie } from '../session/cookie.ts';
import { type BrowserSessionOptions, browserSessions } from '../session/plugin.ts';
import { signOut } from '../session/sign-out.ts';
import type { Audit } from '../telemetry/audit.ts';
import { mannerOf, prefersPage, sendOutcome, sendPage } from './answer.ts';
import { BODY_CODES, describeAnswers, PAGE, type RouteDescription, SET_COOKIE } from './description.ts';
import { FORM, formPages } from './form-pages.ts';
import { sendSignedInPage, type SignInOffer } from './sign-in-offer.ts';

export interface SignOutRouteOptions {
  readonly publicUrl: string;
  readonly browserSession: BrowserSessionOptions;
  readonly offer: SignInOffer;
  readonly userTokens: UserTokenStore;
  /** Where people sign in at the issuer, they sign out there, too. */
  readonly relyingParty: RelyingParty | undefined;
  readonly audit: Audit;
}

const schema = {
  operationId: 'signOut',
  tags: ['browsers'],
  summary: 'End every browser session of this user, and forget his tokens where he asks for it',
  security: [{ browserSession: [] }],
  consumes: [FORM],
  body: {
    type: 'object',
    required: [FORM_FIELDS.csrfToken],
    properties: {
      [FORM_FIELDS.csrfToken]: { type: 'string', description: 'From the page.' },
      [FORM_FIELDS.forget]: { type: 'string', description: 'There: his stored tokens go, too.' },
    },
  },
  response: describeAnswers(
    { 200: { description: 'Signed out, or nobody was signed in.', content: PAGE } },
    ['forbidden_origin', 'not_a_navigation', 'state_invalid', ...BODY_CODES],
    SET_COOKIE,
  ),
} as const satisfies RouteDescription;

/** `POST /sign-out`: every browser session of this browser's user ends and, where he asks for it, his tokens go. */
export const signOutRoute: FastifyPluginAsync<SignOutRouteOptions> = async (app, options) => {
  const { publicUrl, browserSession: sessionOptions, offer, userTokens, audit } = options;
  const { csrf, signInCodes } = offer;
  const cookieName = browserSessionCookie(publicUrl).name;

  await app.register(formPages, { publicUrl, audit });
  await app.register(browserSessions, sessionOptions);

  const click = { schema };
  app.post<{ Body: URLSearchParams }>('/sign-out', click, async (request, reply) => {
    const requestId = request.id;
    const { browserSession } = request.session;
    // Nobody is signed in, so there is nothing a forged click could end: a reload of the page is no error.
    if (browserSession === undefined) {
      return sendPage(reply, renderSignedOutPage('nobody', undefined, mannerOf(request)));
    }

    const csrfToken = request.body.getAll(FORM_FIELDS.csrfToken);
    if (csrfToken.length !== 1 || !csrf.matches(request, csrfToken[0])) {
      audit.requestRefused({ requestId, code: 'state_invalid', reason: 'csrf' });
      if (!prefersPage(request, 403))
        return sendOutcome(request, reply, 'state_invalid', { detail: ENGLISH.notices.still_signed_in });
      return sendSignedInPage(request, reply.code(403), browserSession, offer, 'still_signed_in');
    }

    const { user } = browserSession;
    const forgets = request.body.has(FORM_FIELDS.forget);
    // First what a second click could not repeat: should the store fail in between, he is still signed in.
    if (forgets) {
      await userTokens.removeAll(user);
      await signInCodes.removeCandidate(user);
    }
    await signOut(request, reply, user, { browserSessions: sessionOptions.store, cookieName });
    csrf.retire(reply);
    audit.signedOut({ requestId, user, forgets });
    const page = renderSignedOutPage(
      forgets ? 'tokens_forgotten' : 'signed_out',
      options.relyingParty?.endSessionUrl(user),
      mannerOf(request),
    );
    return sendPage(reply, page);
  });
};
