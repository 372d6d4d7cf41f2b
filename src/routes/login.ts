import type { FastifyPluginAsync } from 'fastify';
import type { Clock } from '../binding/clock.ts';
import { isSameUser } from '../binding/user.ts';
import type { LoginFailure } from '../issuer/login-failure.ts';
import type { RelyingParty } from '../issuer/relying-party.ts';
import type { OutcomeCode } from '../pages/outcomes.ts';
import { browserIdentity } from '../session/browser-identity.ts';
import type { CsrfProtection } from '../session/csrf.ts';
import type { LoginTransactions } from '../session/login-transaction.ts';
import { type BrowserSessionOptions, browserSessions } from '../session/plugin.ts';
import { signIn } from '../session/sign-in.ts';
import type { Audit } from '../telemetry/audit.ts';
import { prefersPage, sendOutcome } from './answer.ts';
import { CAME_FROM_LOGIN } from './ask-to-sign-in.ts';
import { describeAnswers, describeRedirect, type RouteDescription, SET_COOKIE } from './description.ts';
import { isTopLevelNavigation } from './fetch-metadata.ts';
import { Places, takePlacesFirst, whilePlacesLast } from './in-flight.ts';
import type { Limits } from './limits.ts';
import type { Turnstile } from './turnstile.ts';
import { searchOf } from './request-target.ts';
import { type ParsedWayBack, parseWayBack, wayBackParameters, wayBackPath } from './way-back.ts';

export interface LoginRoutesOptions {
  readonly relyingParty: RelyingParty;
  readonly transactions: LoginTransactions;
  readonly browserSession: BrowserSessionOptions;
  readonly csrf: CsrfProtection;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly limits: Limits;
  readonly turnstile: Turnstile;
}

/** Parameter of `/login`: the state of a login that came to nothing. */
const AGAIN = 'again';

const CODES = {
  declined: 'not_signed_in',
  not_ours: 'state_invalid',
  issuer_unavailable: 'issuer_unavailable',
} satisfies Record<LoginFailure['kind'], OutcomeCode>;

const DECLINED_DETAIL = 'You did not sign in, so nothing was connected.';
const SOMEBODY_ELSE_DETAIL =
  'You signed in as another user than the one this browser belongs to. Sign out here first, if you meant to.';
const TOO_LONG_DETAIL = 'The link is longer than a sign-in can remember.';

const loginSchema = {
  operationId: 'login',
  tags: ['browsers'],
  summary: 'Sign in at the issuer; only where LOGIN_CLIENT_ID is set, else `not_found`',
  security: [],
  querystring: {
    type: 'object',
    properties: {
      flow: { type: 'string', description: 'Of a start link that was interrupted.' },
      session_id: {
        type: 'string',
        description: 'Of a callback that was interrupted, with its other parameters.',
      },
      [AGAIN]: { type: 'string', description: 'The state of a login that came to nothing.' },
    },
  },
  response: describeAnswers(
    {
      303: describeRedirect(
        'To the issuer; back to what was interrupted where somebody is signed in already.',
      ),
    },
    ['not_a_navigation', 'not_signed_in', 'state_invalid', 'issuer_unavailable', 'overloaded', 'not_found'],
    SET_COOKIE,
  ),
} as const satisfies RouteDescription;

const loginCallbackSchema = {
  operationId: 'finishLogin',
  tags: ['browsers'],
  summary: 'The issuer redirects the browser here',
  description: 'Without the cookie of the login that this browser began the code is sent nowhere.',
  security: [],
  querystring: {
    type: 'object',
    required: ['state'],
    properties: {
      state: { type: 'string', description: 'Of the login.' },
      code: { type: 'string', description: 'Of RFC 6749 section 4.1.2.' },
      iss: { type: 'string', description: 'Of RFC 9207.' },
      error: { type: 'string', description: 'Of RFC 6749 section 4.1.2.1.' },
    },
  },
  response: describeAnswers(
    { 303: describeRedirect('Back to what was interrupted, else to the page of who is signed in.') },
    [
      'not_a_navigation',
      'not_signed_in',
      'state_invalid',
      'user_mismatch',
      'issuer_unavailable',
      'overloaded',
      'not_found',
    ],
    SET_COOKIE,
  ),
} as const satisfies RouteDescription;

/** `GET /login`: off to the issuer. `GET /login/callback`: back, as somebody (contract §7). */
export const loginRoutes: FastifyPluginAsync<LoginRoutesOptions> = async (app, options) => {
  const { relyingParty, transactions, csrf, clock, audit } = options;
  const places = new Places(options.limits, options.turnstile);

  // Before the cookie is even read: a frame or a prefetch neither begins a login nor spends one (SB-06, SB-07).
  app.addHook('onRequest', async (request, reply) => {
    if (isTopLevelNavigation(request.headers)) return;
    audit.requestRefused({ requestId: request.id, code: 'not_a_navigation' });
    return sendOutcome(request, reply, 'not_a_navigation');
  });
  takePlacesFirst(app, places, audit);
  await app.register(browserSessions, options.browserSession);

  app.get(
    '/login',
    { schema: loginSchema },
    whilePlacesLast(places, audit, async (request, reply) => {
      const requestId = request.id;
      const parameters = new URLSearchParams(searchOf(request.raw));
      // After a login that failed the way back is in this browser's cookie; in a link it would stand in pages (SB-25).
      const failed = transactions.read(request, parameters.get(AGAIN) ?? '');
      const wayBack = parseWayBack(failed === undefined ? parameters : new URLSearchParams(failed.wayBack));
      if (wayBack.kind === 'refused') {
        audit.requestRefused({ requestId, code: 'invalid_request', reason: wayBack.detail });
        return sendOutcome(request, reply, 'invalid_request', { detail: wayBack.detail });
      }

      // Whoever sits here already has nothing to prove, and a link must not make him somebody else (SB-31).
      if (browserIdentity(request) !== undefined) {
        if (failed !== undefined) transactions.drop(reply, failed.state);
        return reply.redirect(goingOn(wayBack), 303);
      }

      const begun = await relyingParty.begin();
      if (begun.kind !== 'begun') {
        audit.requestRefused({ requestId, code: CODES[begun.kind], reason: begun.reason });
        return sendOutcome(request, reply, CODES[begun.kind]);
      }
      const { state, ...secrets } = begun.secrets;
      const carried = wayBack.kind === 'parsed' ? wayBackParameters(wayBack.wayBack).toString() : '';
      if (!transactions.keep(request, reply, { state, secrets, wayBack: carried })) {
        audit.requestRefused({ requestId, code: 'invalid_request', reason: TOO_LONG_DETAIL });
        return sendOutcome(request, reply, 'invalid_request', { detail: TOO_LONG_DETAIL });
      }
      if (failed !== undefined) transactions.drop(reply, failed.state);
      return reply.redirect(begun.authorizationUrl, 303);
    }),
  );

  app.get(
    '/login/callback',
    { schema: loginCallbackSchema },
    whilePlacesLast(places, audit, async (request, reply) => {
      const requestId = request.id;
      const parameters = new URLSearchParams(searchOf(request.raw));
      const [state = '', ...more] = parameters.getAll('state');
      const transaction = more.length === 0 ? transactions.read(request, state) : undefined;
      // Whoever brings a code without the login that this browser began would make it somebody of his choice: the code
      // is sent nowhere (SB-31).
      if (transaction?.secrets === undefined) {
        audit.requestRefused({ requestId, code: 'state_invalid', reason: 'no_login_transaction' });
        const href = transaction === undefined ? '../login' : againUrl(state);
        return sendOutcome(request, reply, 'state_invalid', { wayOn: { href, says: 'signIn' } });
      }

      const finished = await relyingParty.finish(parameters, { state, ...transaction.secrets });
      if (finished.kind !== 'proven') {
        const code = CODES[finished.kind];
        audit.requestRefused({ requestId, code, reason: finished.reason });
        // Without its secrets: what interrupted it can go on, this login cannot.
        transactions.keep(request, reply, { state, wayBack: transaction.wayBack });
        return sendOutcome(request, reply, code, {
          detail: finished.kind === 'declined' ? DECLINED_DETAIL : undefined,
          wayOn: { href: againUrl(state), says: 'signInAgain' },
        });
      }

      const { user, username } = finished;
      const current = browserIdentity(request);
      // The issuer may know this browser as whoever signed it in there unseen (SB-31).
      if (current !== undefined && !isSameUser(current.user, user)) {
        transactions.drop(reply, state);
        audit.requestRefused({ requestId, code: 'user_mismatch', reason: 'signed_in_as_another' });
        return sendOutcome(request, reply, 'user_mismatch', {
          detail: SOMEBODY_ELSE_DETAIL,
          username: current.username,
          signOut: prefersPage(request, 403)
            ? { action: '../sign-out', csrfToken: csrf.issue(request, reply) }
            : undefined,
        });
      }
      await signIn(request, {
        user,
        ...(username === undefined ? {} : { username }),
        createdAtMs: clock.nowMs(),
        provisional: false,
      });
      transactions.drop(reply, state);
      csrf.retire(reply);
      audit.signedIn({ requestId, user, by: 'login' });
      const wayBack = parseWayBack(new URLSearchParams(transaction.wayBack));
      // Relative, so that it leads to the host that set the cookie, under whatever prefix its proxy shows.
      return reply.redirect(`../${goingOn(wayBack)}`, 303);
    }),
  );
};

function goingOn(wayBack: ParsedWayBack): string {
  return wayBack.kind === 'parsed' ? `${wayBackPath(wayBack.wayBack)}&${CAME_FROM_LOGIN}=1` : 'sign-in';
}

function againUrl(state: string): string {
  return `../login?${AGAIN}=${state}`;
}
