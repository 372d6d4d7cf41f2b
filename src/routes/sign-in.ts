import type { FastifyPluginAsync } from 'fastify';
import type { Clock } from '../binding/clock.ts';
import { FORM_FIELDS } from '../pages/form-fields.ts';
import type { NoticeKind } from '../pages/words.ts';
import { ENGLISH } from '../pages/words-en.ts';
import { type BrowserSessionOptions, browserSessions } from '../session/plugin.ts';
import { signIn } from '../session/sign-in.ts';
import { findByCode } from '../session/sign-in-link.ts';
import type { Audit } from '../telemetry/audit.ts';
import { prefersPage, sendOutcome } from './answer.ts';
import {
  BODY_CODES,
  describeAnswers,
  describeRedirect,
  PAGE,
  type RouteDescription,
  SET_COOKIE,
} from './description.ts';
import { FORM, formPages } from './form-pages.ts';
import { searchOf } from './request-target.ts';
import { findChosen, parseSignInForm } from './sign-in-form.ts';
import { sendSignedInPage, sendSignInPage, type SignInOffer } from './sign-in-offer.ts';
import { goOn } from './go-on.ts';

export interface SignInRoutesOptions {
  readonly publicUrl: string;
  readonly browserSession: BrowserSessionOptions;
  readonly offer: SignInOffer;
  readonly clock: Clock;
  readonly audit: Audit;
}

const pageSchema = {
  operationId: 'showSignIn',
  tags: ['browsers'],
  summary: 'Who is this browser, and who may it become?',
  description: 'Signs nobody in, and spends no code.',
  security: [],
  querystring: {
    type: 'object',
    properties: {
      code: { type: 'string', description: 'From `sign_in_url`; single-user environments only.' },
    },
  },
  response: describeAnswers(
    { 200: { description: 'The page to sign in, or of who is signed in.', content: PAGE } },
    ['not_signed_in', 'not_a_navigation'],
    SET_COOKIE,
  ),
} as const satisfies RouteDescription;

const clickSchema = {
  operationId: 'signIn',
  tags: ['browsers'],
  summary: 'The click that makes this browser somebody; single-user environments only',
  security: [],
  consumes: [FORM],
  body: {
    type: 'object',
    required: [FORM_FIELDS.csrfToken],
    properties: {
      [FORM_FIELDS.csrfToken]: { type: 'string', description: 'From the page.' },
      [FORM_FIELDS.code]: { type: 'string', description: 'Of a sign-in link.' },
      [FORM_FIELDS.candidate]: { type: 'string', description: 'One of the people on the page.' },
    },
    oneOf: [{ required: [FORM_FIELDS.code] }, { required: [FORM_FIELDS.candidate] }],
  },
  response: describeAnswers(
    {
      200: { description: 'A page that leads on to the flow that was interrupted.', content: PAGE },
      303: describeRedirect('To the callback that was interrupted, else to the page of who is signed in.'),
    },
    ['forbidden_origin', 'not_a_navigation', 'state_invalid', 'not_found', ...BODY_CODES],
    SET_COOKIE,
  ),
} as const satisfies RouteDescription;

/** `GET /sign-in`: who is this browser? `POST /sign-in`: the click that makes it somebody (contract §7). */
export const signInRoutes: FastifyPluginAsync<SignInRoutesOptions> = async (app, options) => {
  const { publicUrl, offer, clock, audit } = options;
  const { singleUser, csrf, signInCodes } = offer;

  app.addHook('onRequest', async (request, reply) => {
    if (request.method !== 'POST' || singleUser) return;
    audit.requestRefused({ requestId: request.id, code: 'not_found', reason: 'not_single_user' });
    return sendOutcome(request, reply, 'not_found');
  });
  await app.register(formPages, { publicUrl, audit });
  await app.register(browserSessions, options.browserSession);

  // A GET signs nobody in and spends no code: a scanner may open the link before its owner does (SB-04, SB-07).
  app.get('/sign-in', { schema: pageSchema }, async (request, reply) => {
    const { browserSession } = request.session;
    const code = singleUser ? codeOf(searchOf(request.raw)) : undefined;
    const candidate = code === undefined ? undefined : await findByCode(code, 'readCode', signInCodes);
    if (code !== undefined && candidate !== undefined) {
      return sendSignInPage(request, reply, { action: 'sign-in', link: { code, candidate } }, offer);
    }
    if (browserSession !== undefined) return sendSignedInPage(request, reply, browserSession, offer);
    if (!singleUser || !prefersPage(request, 401)) {
      const wayOn = offer.login ? { href: 'login', says: 'signIn' as const } : undefined;
      return sendOutcome(request, reply, 'not_signed_in', { wayOn });
    }
    const notice = code === undefined ? undefined : 'code';
    return sendSignInPage(request, reply, { action: 'sign-in', notice }, offer);
  });

  const click = { schema: clickSchema };
  app.post<{ Body: URLSearchParams }>('/sign-in', click, async (request, reply) => {
    const requestId = request.id;
    const form = parseSignInForm(request.body);
    if (form.kind === 'refused') {
      audit.requestRefused({ requestId, code: 'invalid_request', reason: form.detail });
      return sendOutcome(request, reply, 'invalid_request', { detail: form.detail });
    }
    const { choice, wayBack } = form;
    // A refused click strands nobody: the page comes again, with what is known now.
    const refuse = (reason: NoticeKind) => {
      audit.requestRefused({ requestId, code: 'state_invalid', reason });
      if (!prefersPage(request, 403)) {
        return sendOutcome(request, reply, 'state_invalid', { detail: ENGLISH.notices[reason] });
      }
      return sendSignInPage(request, reply.code(403), { action: 'sign-in', wayBack, notice: reason }, offer);
    };

    if (!csrf.matches(request, form.csrfToken)) return refuse('csrf');
    const candidate = await findChosen(choice, signInCodes);
    if (candidate === undefined) return refuse(choice.kind);

    const { user, username, tokenExpiresAtMs } = candidate;
    await signIn(request, {
      user,
      ...(username === undefined ? {} : { username }),
      createdAtMs: clock.nowMs(),
      tokenExpiresAtMs,
      provisional: false,
    });
    csrf.retire(reply);
    audit.signedIn({ requestId, user, by: choice.kind });
    // Relative, so that it leads to the host that set the cookie, under whatever prefix its proxy shows.
    return wayBack === undefined ? reply.redirect('sign-in', 303) : goOn(request, reply, wayBack);
  });
};

/** The code of a sign-in link, from the raw query: of two, neither counts. */
function codeOf(search: string): string | undefined {
  const codes = new URLSearchParams(search).getAll(FORM_FIELDS.code);
  return codes.length === 1 ? codes[0] : undefined;
}
