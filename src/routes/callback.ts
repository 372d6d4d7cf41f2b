import type { FastifyPluginAsync } from 'fastify';
import type { CallbackVisit } from '../binding/bind.ts';
import type { StatusWatch } from '../binding/status-watch.ts';
import type { FlowFacts, Outcome } from '../binding/outcome.ts';
import { type OutcomeCode, outcomeRow } from '../pages/outcomes.ts';
import { browserIdentity } from '../session/browser-identity.ts';
import type { Audit } from '../telemetry/audit.ts';
import { prefersPage, sendOutcome } from './answer.ts';
import { askToSignIn } from './ask-to-sign-in.ts';
import { type CallbackQuery, parseCallbackQuery } from './callback-query.ts';
import { describeAnswers, describeRedirect, PAGE, type RouteDescription, SET_COOKIE } from './description.ts';
import { isTopLevelNavigation } from './fetch-metadata.ts';
import { identifiedBrowsers, type IdentifiedBrowsersOptions } from './identified-browsers.ts';
import { Places, takePlacesFirst, whilePlacesLast } from './in-flight.ts';
import type { Limits } from './limits.ts';
import type { Turnstile } from './turnstile.ts';
import { searchOf } from './request-target.ts';
import { backToApp, withBinding } from './return-to.ts';
import type { SignInOffer } from './sign-in-offer.ts';

export interface CallbackRouteOptions {
  /** The rule. */
  readonly bind: (visit: CallbackVisit) => Promise<Outcome>;
  readonly identity: IdentifiedBrowsersOptions;
  readonly offer: SignInOffer;
  readonly audit: Audit;
  readonly limits: Limits;
  readonly statusWatch: StatusWatch;
  readonly appUrl: string | undefined;
  readonly turnstile: Turnstile;
}

declare module 'fastify' {
  interface FastifyRequest {
    callbackQuery: CallbackQuery | null;
  }
}

const STATE = {
  type: 'string',
  description: 'Vetoes where it is one of ours (`sb1.…`) and names another user; else it belongs to the app.',
} as const;

const schema = {
  operationId: 'finishAuthorization',
  tags: ['browsers'],
  summary: 'Finish a consent: AgentCore redirects the browser of its user here',
  description:
    'The cookie, or the header of the configured load balancer, alone says who the user is. Only top-level ' +
    'navigations count. Which code ends in which answer: docs/pages.md.',
  security: [{ browserSession: [] }, { loadBalancer: [] }],
  querystring: {
    type: 'object',
    properties: {
      session_id: {
        type: 'string',
        maxLength: 1024,
        description: 'The authorization session, exactly once. May be missing only beside `error`.',
      },
      state: STATE,
      custom_state: STATE,
      customState: STATE,
      error: { type: 'string', description: '`access_denied`, or what else became of the consent.' },
      error_description: { type: 'string', description: 'Ignored.' },
    },
  },
  response: describeAnswers(
    {
      200: { description: 'Where sign-in is a click here: the page to sign in.', content: PAGE },
      303: describeRedirect(
        'To the `return_to` of the pin, or to the sign-in, after which the callback goes on.',
      ),
    },
    [
      'completed',
      'in_progress',
      'not_signed_in',
      'token_expired',
      'token_missing',
      'token_refused',
      'consent_denied',
      'consent_failed',
      'user_mismatch',
      'browser_mismatch',
      'state_invalid',
      'pin_required',
      'not_a_navigation',
      'authorization_expired',
      'agentcore_forbidden',
      'agentcore_unavailable',
      'outcome_unknown',
      'issuer_unavailable',
      'overloaded',
    ],
    SET_COOKIE,
  ),
} as const satisfies RouteDescription;

/** `GET /oauth2/callback`: AgentCore sends the user's browser back to us. */
export const callbackRoute: FastifyPluginAsync<CallbackRouteOptions> = async (app, options) => {
  const { bind, audit, offer, statusWatch, appUrl } = options;
  const backUrl = (code: OutcomeCode, flow?: FlowFacts) => backToApp(code, flow, appUrl);
  const places = new Places(options.limits, options.turnstile);
  app.decorateRequest('callbackQuery', null);

  // Before the cookie is even read: neither the wrong kind of request nor a malformed one touches the store.
  app.addHook('onRequest', async (request, reply) => {
    if (!isTopLevelNavigation(request.headers)) {
      audit.requestRefused({ requestId: request.id, code: 'not_a_navigation' });
      return sendOutcome(request, reply, 'not_a_navigation', { backUrl: backUrl('not_a_navigation') });
    }
    const parsed = parseCallbackQuery(new URLSearchParams(searchOf(request.raw)));
    if (parsed.kind === 'refused') {
      audit.requestRefused({ requestId: request.id, code: 'invalid_request', reason: parsed.detail });
      return sendOutcome(request, reply, 'invalid_request', {
        detail: parsed.detail,
        backUrl: backUrl('invalid_request'),
      });
    }
    request.callbackQuery = parsed.query;
  });
  takePlacesFirst(app, places, audit);
  await app.register(identifiedBrowsers, options.identity);

  const visit = whilePlacesLast(places, audit, async (request, reply) => {
    const browserSession = browserIdentity(request);
    const query = request.callbackQuery;
    if (query === null) throw new TypeError('the query is parsed before the handler runs');
    const outcome = await bind({ requestId: request.id, browserSession, ...query });
    const { code, flow } = outcome;
    if (query.authorizationSession !== undefined && outcome.user !== undefined) {
      statusWatch.wake(query.authorizationSession, outcome.user);
    }
    const isPage = prefersPage(request, outcomeRow(code).status);
    if (code === 'not_signed_in') {
      return askToSignIn(request, reply, { kind: 'callback', query }, offer, { backUrl: backUrl(code) });
    }
    const isFirst = code === 'completed' && outcome.reason !== 'already';
    if (isFirst && isPage && flow?.returnTo !== undefined) {
      return reply.redirect(withBinding(flow.returnTo, code), 303);
    }
    return sendOutcome(request, reply, code, {
      label: flow?.label,
      backUrl: backUrl(code, flow),
      tellsOrigins: isFirst ? offer.returnOrigins : undefined,
      username: browserSession?.username,
      alreadyConnected: outcome.reason === 'already',
      // Whoever opened somebody else's link is not invited to become that other user (SB-01).
      switchUserUrl: offer.singleUser && code !== 'user_mismatch' ? '../sign-in' : undefined,
      signOut:
        code === 'completed' && isPage
          ? { action: '../sign-out', csrfToken: offer.csrf.issue(request, reply) }
          : undefined,
    });
  });
  app.get('/oauth2/callback', { schema }, visit);
};
