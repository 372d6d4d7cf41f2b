import type { FastifyPluginAsync } from 'fastify';
import type { Start, StartVisit } from '../binding/start-flow.ts';
import { browserIdentity } from '../session/browser-identity.ts';
import type { Audit } from '../telemetry/audit.ts';
import { sendOutcome } from './answer.ts';
import { askToSignIn } from './ask-to-sign-in.ts';
import { describeAnswers, describeRedirect, PAGE, type RouteDescription, SET_COOKIE } from './description.ts';
import { isTopLevelNavigation } from './fetch-metadata.ts';
import { identifiedBrowsers, type IdentifiedBrowsersOptions } from './identified-browsers.ts';
import { Places, takePlacesFirst, whilePlacesLast } from './in-flight.ts';
import type { Limits } from './limits.ts';
import type { Turnstile } from './turnstile.ts';
import { searchOf } from './request-target.ts';
import { backToApp } from './return-to.ts';
import type { SignInOffer } from './sign-in-offer.ts';
import { parseFlow } from './way-back.ts';

export interface StartRouteOptions {
  /** The rule. */
  readonly start: (visit: StartVisit) => Promise<Start>;
  readonly identity: IdentifiedBrowsersOptions;
  readonly offer: SignInOffer;
  readonly appUrl: string | undefined;
  readonly audit: Audit;
  readonly limits: Limits;
  readonly turnstile: Turnstile;
}

const FLOW_DETAIL = 'The link carries no well-formed flow, or more than one.';

const schema = {
  operationId: 'startAuthorization',
  tags: ['browsers'],
  summary: 'Begin a consent: what apps show instead of the authorization URL',
  description: 'Opens for the pinned user alone; from then on only this browser finishes the flow.',
  security: [{ browserSession: [] }, { loadBalancer: [] }],
  querystring: {
    type: 'object',
    required: ['flow'],
    properties: { flow: { type: 'string', pattern: '^[\\w-]{1,128}$', description: 'From `start_url`.' } },
  },
  response: describeAnswers(
    {
      200: { description: 'Where sign-in is a click here: the page to sign in.', content: PAGE },
      303: describeRedirect('To the authorization URL, or to the sign-in, after which the flow begins.'),
    },
    [
      'completed',
      'not_signed_in',
      'user_mismatch',
      'not_a_navigation',
      'not_found',
      'authorization_expired',
      'issuer_unavailable',
      'overloaded',
    ],
    SET_COOKIE,
  ),
} as const satisfies RouteDescription;

/** `GET /oauth2/start`: sends the browser of the pinned user, and no other, to where consent is asked (SB-32). */
export const startRoute: FastifyPluginAsync<StartRouteOptions> = async (app, options) => {
  const { start, offer, appUrl, audit, limits } = options;
  const places = new Places(limits, options.turnstile);

  // A frame or a prefetch must not make a browser the one that started the flow last (SB-06, SB-07).
  app.addHook('onRequest', async (request, reply) => {
    if (isTopLevelNavigation(request.headers)) return;
    audit.requestRefused({ requestId: request.id, code: 'not_a_navigation' });
    const backUrl = backToApp('not_a_navigation', undefined, appUrl);
    return sendOutcome(request, reply, 'not_a_navigation', { backUrl });
  });
  takePlacesFirst(app, places, audit);
  await app.register(identifiedBrowsers, options.identity);

  const visit = whilePlacesLast(places, audit, async (request, reply) => {
    const handle = parseFlow(new URLSearchParams(searchOf(request.raw)));
    if (handle === undefined) {
      audit.requestRefused({ requestId: request.id, code: 'invalid_request', reason: 'flow' });
      const backUrl = backToApp('invalid_request', undefined, appUrl);
      return sendOutcome(request, reply, 'invalid_request', { detail: FLOW_DETAIL, backUrl });
    }
    const browserSession = browserIdentity(request);
    const outcome = await start({ requestId: request.id, handle, browserSession });
    if (outcome.kind === 'started') {
      if (browserSession !== undefined)
        request.lineageCookie.keep(browserSession.user, browserSession.lineage);
      return reply.redirect(outcome.authorizationUrl.reveal(), 303);
    }

    const { code, flow } = outcome;
    const backUrl = backToApp(code, flow, appUrl);
    if (code === 'not_signed_in') {
      return askToSignIn(request, reply, { kind: 'start', flow: handle }, offer, { backUrl });
    }
    return sendOutcome(request, reply, code, {
      username: browserSession?.username,
      alreadyConnected: code === 'completed',
      label: flow?.label,
      backUrl,
      // As at the callback: whoever opened somebody else's link is not invited to become that user (SB-32).
      switchUserUrl: offer.singleUser && code !== 'user_mismatch' ? '../sign-in' : undefined,
    });
  });
  app.get('/oauth2/start', { schema }, visit);
};
