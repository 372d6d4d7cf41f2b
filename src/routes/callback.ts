import type { FastifyPluginAsync } from 'fastify';
import { bindAuthorization, type BindDeps } from '../binding/bind.ts';
import type { StatusWatch } from '../binding/status-watch.ts';
import type { FlowFacts } from '../binding/outcome.ts';
import { type OutcomeCode, outcomeRow } from '../pages/outcomes.ts';
import { browserIdentity } from '../session/browser-identity.ts';
import type { Audit } from '../telemetry/audit.ts';
import { prefersPage, sendOutcome } from './answer.ts';
import { askToSignIn } from './ask-to-sign-in.ts';
import { type CallbackQuery, parseCallbackQuery } from './callback-query.ts';
import { isTopLevelNavigation } from './fetch-metadata.ts';
import { identifiedBrowsers, type IdentifiedBrowsersOptions } from './identified-browsers.ts';
import { Places, whilePlacesLast } from './in-flight.ts';
import type { Limits } from './limits.ts';
import { searchOf } from './request-target.ts';
import { backToApp, withBinding } from './return-to.ts';
import type { SignInOffer } from './sign-in-offer.ts';

export interface CallbackRouteOptions {
  readonly bind: BindDeps;
  readonly identity: IdentifiedBrowsersOptions;
  readonly offer: SignInOffer;
  readonly audit: Audit;
  readonly limits: Limits;
  readonly statusWatch: StatusWatch;
  readonly appUrl: string | undefined;
  readonly isBehind: () => boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    callbackQuery: CallbackQuery | null;
  }
}

/** `GET /oauth2/callback`: AgentCore sends the user's browser back to us. */
export const callbackRoute: FastifyPluginAsync<CallbackRouteOptions> = async (app, options) => {
  const { bind, audit, offer, statusWatch, appUrl } = options;
  const backUrl = (code: OutcomeCode, flow?: FlowFacts) => backToApp(code, flow, appUrl);
  const places = new Places(options.limits, options.isBehind);
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
  await app.register(identifiedBrowsers, options.identity);

  const visit = whilePlacesLast(places, audit, async (request, reply) => {
    const browserSession = browserIdentity(request);
    const query = request.callbackQuery;
    if (query === null) throw new TypeError('the query is parsed before the handler runs');
    const outcome = await bindAuthorization({ requestId: request.id, browserSession, ...query }, bind);
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
  app.get('/oauth2/callback', visit);
};
