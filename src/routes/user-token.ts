import type { FastifyPluginAsync } from 'fastify';
import type { Clock } from '../binding/clock.ts';
import type { KeptUserToken } from '../binding/keep-user-token.ts';
import type { AnnouncedFlow } from '../binding/pin.ts';
import { Secret } from '../binding/secret.ts';
import type { UserToken } from '../binding/user-token.ts';
import type { UserTokenVerifier } from '../issuer/user-token-verifier.ts';
import type { OutcomeCode } from '../pages/outcomes.ts';
import { type BrowserSessionOptions, browserSessions } from '../session/plugin.ts';
import { signIn } from '../session/sign-in.ts';
import { createSignInLink, type SignInLinkDeps } from '../session/sign-in-link.ts';
import type { Audit } from '../telemetry/audit.ts';
import { allowedOriginsOnly, preflightHeaders } from './allowed-origins.ts';
import { sendOutcome } from './answer.ts';
import {
  BODY_CODES,
  describeAnswers,
  describePreflight,
  type RouteDescription,
  SET_COOKIE,
} from './description.ts';
import { isFromBrowser } from './fetch-metadata.ts';
import { getInLineFirst, Places, whilePlacesLast } from './in-flight.ts';
import type { Limits } from './limits.ts';
import type { Turnstile } from './turnstile.ts';
import { type FlowPolicy, type PinnedFlow, parsePinnedFlow } from './pinned-flow.ts';
import { parseUserTokenBody, USER_TOKEN_BODY } from './user-token-body.ts';
import { wayBackPath } from './way-back.ts';

export interface UserTokenRouteOptions {
  readonly keep: (userToken: UserToken, flow: AnnouncedFlow | undefined) => Promise<KeptUserToken>;
  readonly verifier: UserTokenVerifier;
  readonly browserSession: BrowserSessionOptions;
  readonly allowedOrigins: readonly string[];
  readonly flowPolicy: FlowPolicy;
  readonly publicUrl: string;
  /** In single-user environments only: elsewhere a link would sign in whoever holds it (SB-04). */
  readonly signInLink: SignInLinkDeps | undefined;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly limits: Limits;
  readonly turnstile: Turnstile;
}

export const MAX_BODY_BYTES = 64 * 1024;

const ISSUER_DETAIL =
  'The issuer of this user token is not an Amazon Cognito user pool: set JWT_DISCOVERY_URL to its discovery URL.';

const answerSchema = {
  type: 'object',
  required: ['status', 'user', 'expires_at', 'callback_url', 'custom_state'],
  additionalProperties: false,
  properties: {
    status: { const: 'success' },
    user: {
      type: 'object',
      required: ['subject'],
      additionalProperties: false,
      properties: { subject: { type: 'string' }, username: { type: 'string' } },
    },
    expires_at: { type: 'string', format: 'date-time', description: 'When the user token expires.' },
    callback_url: {
      type: 'string',
      format: 'uri',
      description: 'The `resourceOauth2ReturnUrl` of the agent.',
    },
    custom_state: {
      type: 'string',
      pattern: '^sb1\\.',
      maxLength: 1024,
      description: 'The `customState` of the agent, where it cannot pin.',
    },
    start_url: {
      type: 'string',
      format: 'uri',
      description: 'What to show instead of the authorization URL; only where that is pinned.',
    },
    sign_in_url: {
      type: 'string',
      format: 'uri',
      description: 'Signs this user in, once; only in single-user environments.',
    },
  },
} as const;

const schema = {
  operationId: 'storeUserToken',
  tags: ['apps'],
  summary: 'Hand over the token of a user, and pin a flow to him',
  description:
    'The browser that posts becomes that user’s; a program that posts may ignore the cookie. A POST with anything ' +
    'wrong keeps nothing.',
  security: [],
  body: USER_TOKEN_BODY,
  response: describeAnswers(
    { 200: { description: 'Kept.', content: { 'application/json': { schema: answerSchema } } } },
    [...BODY_CODES, 'invalid_token', 'forbidden_origin', 'user_mismatch', 'issuer_unavailable', 'overloaded'],
    SET_COOKIE,
  ),
} as const satisfies RouteDescription;

const preflightSchema = describePreflight('storeUserTokenPreflight', 'apps');

/** `POST /userIdentifier/token`: an app hands over its user's token; its browser becomes that user's. */
export const userTokenRoute: FastifyPluginAsync<UserTokenRouteOptions> = async (app, options) => {
  const { keep, verifier, allowedOrigins, flowPolicy, publicUrl, signInLink, clock, audit } = options;
  // A hanging issuer holds these, and not those of the callback.
  const places = new Places(options.limits, options.turnstile);

  await app.register(allowedOriginsOnly, { allowedOrigins, audit });
  app.addHook('onRequest', async (request, reply) => {
    // Forms and beacons of foreign pages can send other types without a preflight (SB-03).
    const isJson = /^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '');
    if (request.method !== 'POST' || isJson) return;
    audit.requestRefused({ requestId: request.id, code: 'unsupported_media_type' });
    return sendOutcome(request, reply, 'unsupported_media_type');
  });

  // The preflight cannot carry the token that lifts the rate limit, and without it no browser sends that token.
  app.options(
    '/userIdentifier/token',
    { schema: preflightSchema, config: { provenByUserToken: true } },
    async (_request, reply) => reply.code(204).headers(preflightHeaders('POST', 'content-type')).send(),
  );

  await app.register(async (scope) => {
    getInLineFirst(scope, places, audit);
    await scope.register(browserSessions, options.browserSession);

    scope.post(
      '/userIdentifier/token',
      {
        bodyLimit: MAX_BODY_BYTES,
        schema,
        config: { provenByUserToken: true },
      },
      whilePlacesLast(places, audit, async (request, reply) => {
        const requestId = request.id;
        const refuse = (code: OutcomeCode, reason: string, detail?: string) => {
          audit.userTokenPosted({ requestId, code, reason });
          return sendOutcome(request, reply, code, { detail });
        };

        const body = parseUserTokenBody(request.body);
        if (body.kind === 'refused') return refuse('invalid_request', 'body', body.detail);
        const { fields } = body;
        const parsed: PinnedFlow = parsePinnedFlow(fields, flowPolicy);
        if (parsed.kind === 'refused') return refuse('invalid_request', parsed.reason, parsed.detail);

        const verification = await verifier.verify(new Secret(fields.user_token));
        if (verification.kind === 'invalid') {
          const { reason } = verification;
          const detail = reason === 'issuer_not_configured' ? ISSUER_DETAIL : undefined;
          return refuse('invalid_token', reason, detail);
        }
        if (verification.kind === 'issuer_unavailable') {
          return refuse('issuer_unavailable', verification.reason);
        }
        request.isOverLimit = false;
        const { userToken } = verification;
        const { user, username } = userToken;
        const { flow } = parsed;
        const about = {
          requestId,
          user,
          ...(flow && { authorizationSession: flow.authorizationSession }),
        };

        const kept = await keep(userToken, flow);
        if (kept.kind === 'refused') {
          audit.userTokenPosted({ ...about, code: kept.code, reason: 'pin' });
          return sendOutcome(request, reply, kept.code);
        }

        const who = {
          user,
          ...(username === undefined ? {} : { username }),
          tokenExpiresAtMs: userToken.expiresAtMs,
        };
        const signInUrl = signInLink && (await createSignInLink(who, signInLink));
        await signIn(request, {
          ...who,
          createdAtMs: clock.nowMs(),
          provisional: !isFromBrowser(request.headers),
        });
        audit.userTokenPosted({ ...about, code: 'kept' });
        return reply.send({
          status: 'success',
          user: { subject: user.subject, username },
          expires_at: new Date(userToken.expiresAtMs).toISOString(),
          callback_url: `${publicUrl}/oauth2/callback`,
          custom_state: kept.customState,
          start_url:
            kept.startHandle === undefined
              ? undefined
              : `${publicUrl}/${wayBackPath({ kind: 'start', flow: kept.startHandle })}`,
          sign_in_url: signInUrl,
        });
      }),
    );
  });
};
