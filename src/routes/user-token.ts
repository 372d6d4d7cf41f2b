import type { FastifyPluginAsync } from 'fastify';
import type { Clock } from '../binding/clock.ts';
import { keepUserToken, type KeepUserTokenDeps } from '../binding/keep-user-token.ts';
import { Secret } from '../binding/secret.ts';
import type { UserTokenVerifier } from '../issuer/user-token-verifier.ts';
import type { OutcomeCode } from '../pages/outcomes.ts';
import { type BrowserSessionOptions, browserSessions } from '../session/plugin.ts';
import { signIn } from '../session/sign-in.ts';
import { createSignInLink, type SignInLinkDeps } from '../session/sign-in-link.ts';
import type { Audit } from '../telemetry/audit.ts';
import { allowedOriginsOnly, preflightHeaders } from './allowed-origins.ts';
import { sendOutcome } from './answer.ts';
import { isFromBrowser } from './fetch-metadata.ts';
import { Places, whilePlacesLast } from './in-flight.ts';
import type { Limits } from './limits.ts';
import { type FlowFields, type FlowPolicy, type PinnedFlow, parsePinnedFlow } from './pinned-flow.ts';
import { wayBackPath } from './way-back.ts';

export interface UserTokenRouteOptions {
  readonly keep: KeepUserTokenDeps;
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
  readonly isBehind: () => boolean;
}

export const MAX_BODY_BYTES = 64 * 1024;

const ISSUER_DETAIL =
  'The issuer of this user token is not an Amazon Cognito user pool: set JWT_DISCOVERY_URL to its discovery URL.';

interface UserTokenBody extends FlowFields {
  readonly user_token: string;
}

const bodySchema = {
  type: 'object',
  required: ['user_token'],
  // A misspelt pin must not be taken for no pin: the flow would lose its veto without a word.
  additionalProperties: false,
  properties: {
    user_token: { type: 'string', minLength: 1 },
    authorization_url: { type: 'string' },
    session_uri: { type: 'string' },
    return_to: { type: 'string' },
    label: { type: 'string', maxLength: 64 },
  },
} as const;

const answerSchema = {
  type: 'object',
  required: ['status', 'user', 'expires_at', 'callback_url', 'custom_state'],
  properties: {
    status: { const: 'success' },
    user: {
      type: 'object',
      required: ['subject'],
      properties: { subject: { type: 'string' }, username: { type: 'string' } },
    },
    expires_at: { type: 'string', format: 'date-time' },
    callback_url: { type: 'string' },
    custom_state: { type: 'string' },
    start_url: { type: 'string' },
    sign_in_url: { type: 'string' },
  },
} as const;

/** `POST /userIdentifier/token`: an app hands over its user's token; its browser becomes that user's. */
export const userTokenRoute: FastifyPluginAsync<UserTokenRouteOptions> = async (app, options) => {
  const { keep, verifier, allowedOrigins, flowPolicy, publicUrl, signInLink, clock, audit } = options;
  // A hanging issuer holds these, and not those of the callback.
  const places = new Places(options.limits, options.isBehind);

  await app.register(allowedOriginsOnly, { allowedOrigins, audit });
  app.addHook('onRequest', async (request, reply) => {
    // Forms and beacons of foreign pages can send other types without a preflight (SB-03).
    const isJson = /^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '');
    if (request.method !== 'POST' || isJson) return;
    audit.requestRefused({ requestId: request.id, code: 'unsupported_media_type' });
    return sendOutcome(request, reply, 'unsupported_media_type');
  });

  // The preflight cannot carry the token that lifts the rate limit, and without it no browser sends that token.
  app.options('/userIdentifier/token', { config: { provenByUserToken: true } }, async (_request, reply) =>
    reply.code(204).headers(preflightHeaders('POST', 'content-type')).send(),
  );

  await app.register(async (scope) => {
    await scope.register(browserSessions, options.browserSession);

    scope.post<{ Body: UserTokenBody }>(
      '/userIdentifier/token',
      {
        bodyLimit: MAX_BODY_BYTES,
        schema: { body: bodySchema, response: { 200: answerSchema } },
        config: { provenByUserToken: true },
      },
      whilePlacesLast<{ Body: UserTokenBody }>(places, audit, async (request, reply) => {
        const requestId = request.id;
        const refuse = (code: OutcomeCode, reason: string, detail?: string) => {
          audit.userTokenPosted({ requestId, code, reason });
          return sendOutcome(request, reply, code, { detail });
        };

        const parsed: PinnedFlow = parsePinnedFlow(request.body, flowPolicy);
        if (parsed.kind === 'refused') return refuse('invalid_request', parsed.reason, parsed.detail);

        const verification = await verifier.verify(new Secret(request.body.user_token));
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

        const kept = await keepUserToken(userToken, flow, keep);
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
