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
import { formPages } from './form-pages.ts';
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
  app.get('/sign-in', async (request, reply) => {
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

  app.post<{ Body: URLSearchParams }>('/sign-in', async (request, reply) => {
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
