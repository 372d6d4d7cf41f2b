import type { Socket } from 'node:net';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import {
  type AuthorizationStatus,
  readAuthorizationStatus,
  type StatusDeps,
} from '../binding/authorization-status.ts';
import { type AuthorizationSession, parseAuthorizationSession } from '../binding/authorization-session.ts';
import { Secret } from '../binding/secret.ts';
import type { StatusWatch } from '../binding/status-watch.ts';
import type { User } from '../binding/user.ts';
import type { UserTokenVerifier } from '../issuer/user-token-verifier.ts';
import type { OutcomeCode } from '../pages/outcomes.ts';
import type { Audit } from '../telemetry/audit.ts';
import { allowedOriginsOnly, preflightHeaders } from './allowed-origins.ts';
import { sendOutcome } from './answer.ts';
import { describeAnswers, describePreflight, type RouteDescription } from './description.ts';
import { Places } from './in-flight.ts';
import type { Limits } from './limits.ts';
import type { Turnstile } from './turnstile.ts';
import { searchOf } from './request-target.ts';

export interface AuthorizationsRouteOptions {
  readonly status: StatusDeps;
  readonly watch: StatusWatch;
  readonly verifier: UserTokenVerifier;
  readonly allowedOrigins: readonly string[];
  readonly audit: Audit;
  readonly limits: Limits;
  readonly turnstile: Turnstile;
}

/** Below the sixty seconds after which proxies give up on an answer, with room for a slow network. */
const MAX_WAIT_SECONDS = 25;
const WAIT_DETAIL = `\`wait\` must be a whole number of seconds, 0 to ${MAX_WAIT_SECONDS}, once.`;

const STATUSES: readonly AuthorizationStatus[] = [
  'pending',
  'completed',
  'denied',
  'refused',
  'unknown',
  'expired',
];

const schema = {
  operationId: 'readAuthorizationStatus',
  tags: ['apps'],
  summary: 'How does a pinned flow stand?',
  description:
    'Of the token’s own user alone: a flow of somebody else and one that nobody knows are the same miss.',
  security: [{ userToken: [] }],
  params: {
    type: 'object',
    required: ['session_uri'],
    properties: {
      session_uri: {
        type: 'string',
        pattern: '^urn:ietf:params:oauth:request_uri:[a-zA-Z0-9._~-]+$',
        maxLength: 1024,
        description: 'The id of the authorization session.',
      },
    },
  },
  querystring: {
    type: 'object',
    properties: {
      wait: {
        type: 'integer',
        minimum: 0,
        maximum: MAX_WAIT_SECONDS,
        description: 'While the flow is pending the answer may take this many seconds.',
      },
    },
  },
  response: describeAnswers(
    {
      200: {
        description: 'Ended, or `pending`.',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['status'],
              additionalProperties: false,
              properties: { status: { enum: STATUSES } },
            },
          },
        },
      },
    },
    ['invalid_token', 'forbidden_origin', 'not_found', 'issuer_unavailable', 'overloaded'],
  ),
} as const satisfies RouteDescription;

const preflightSchema = describePreflight('readAuthorizationStatusPreflight', 'apps');

/** `GET /authorizations/{session_uri}`: how does the flow stand that this user's app has pinned? */
export const authorizationsRoute: FastifyPluginAsync<AuthorizationsRouteOptions> = async (app, options) => {
  const { status, watch, verifier, allowedOrigins, audit, limits } = options;
  // A waiter costs a socket, and one user must not take them all (SB-22).
  const places = new Places(
    { inFlight: limits.waiters, inFlightPerUser: limits.waitersPerUser },
    options.turnstile,
  );

  await app.register(allowedOriginsOnly, { allowedOrigins, audit });

  app.options(
    '/authorizations/*',
    { schema: preflightSchema, config: { provenByUserToken: true } },
    async (_request, reply) => reply.code(204).headers(preflightHeaders('GET', 'authorization')).send(),
  );

  app.get('/authorizations/*', { schema, config: { provenByUserToken: true } }, async (request, reply) => {
    const refuse = (code: OutcomeCode, reason?: string, detail?: string) => {
      audit.requestRefused({ requestId: request.id, code, ...(reason === undefined ? {} : { reason }) });
      return sendOutcome(request, reply, code, { detail });
    };
    const waitSeconds = parseWait(new URLSearchParams(searchOf(request.raw)));
    if (waitSeconds === undefined) return refuse('invalid_request', 'wait', WAIT_DETAIL);

    // Whoever shows nothing does not get in line.
    const jwt = bearerOf(request);
    if (jwt === undefined) return refuse('invalid_token', 'no_bearer');
    const leave = await places.enter(request.raw);
    if (leave === undefined) return refuse('overloaded');
    try {
      const verification = await verifier.verify(jwt);
      if (verification.kind === 'invalid') return refuse('invalid_token', verification.reason);
      if (verification.kind === 'issuer_unavailable') {
        return refuse('issuer_unavailable', verification.reason);
      }
      request.isOverLimit = false;
      const { user } = verification.userToken;
      const leaveUser = places.takeOwn(user);
      if (leaveUser === undefined) return refuse('overloaded', 'user');
      try {
        const authorizationSession = parseAuthorizationSession(sessionUriOf(request));
        const now =
          authorizationSession && (await readAuthorizationStatus(authorizationSession, user, status));
        if (authorizationSession === undefined || now === undefined) {
          return refuse('not_found', undefined, 'This user has pinned no such flow.');
        }
        const isWaiting = now === 'pending' && waitSeconds > 0;
        return await reply.send({
          status: isWaiting
            ? await waitFor(authorizationSession, user, request.raw.socket, waitSeconds)
            : now,
        });
      } finally {
        leaveUser();
      }
    } finally {
      leave();
    }
  });

  /** Ends with the outcome, the time, the client's patience or the process, whichever is first. */
  async function waitFor(
    authorizationSession: AuthorizationSession,
    user: User,
    socket: Socket,
    seconds: number,
  ): Promise<AuthorizationStatus> {
    const over = new AbortController();
    const end = () => over.abort();
    // Not the answer's: it has closed already where the client left while its token was verified.
    socket.once('close', end);
    if (socket.destroyed) end();
    void status.clock.sleep(seconds * 1000, over.signal).then(end);
    try {
      return await watch.wait(authorizationSession, user, over.signal);
    } finally {
      socket.off('close', end);
      end();
    }
  }
};

/** RFC 6750 section 2.1. A token anywhere else would end up in logs and histories (SB-16). */
function bearerOf({ headers }: FastifyRequest): Secret | undefined {
  const jwt = /^Bearer +([\w.~+/-]+=*)$/i.exec(headers.authorization ?? '')?.[1];
  return jwt === undefined ? undefined : new Secret(jwt);
}

function parseWait(query: URLSearchParams): number | undefined {
  const [wait = '0', ...more] = query.getAll('wait');
  return more.length === 0 && /^\d{1,2}$/.test(wait) && Number(wait) <= MAX_WAIT_SECONDS
    ? Number(wait)
    : undefined;
}

function sessionUriOf({ params }: FastifyRequest): string {
  // The router's word for what its wildcard found.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (params as { readonly '*': string })['*'];
}
