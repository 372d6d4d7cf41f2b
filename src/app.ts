import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Clock, Randomness } from './binding/clock.ts';
import type { AuthorizationCompleter } from './binding/ports.ts';
import type { Config } from './env/config.ts';
import type { UserTokenVerifier } from './issuer/user-token-verifier.ts';
import type { Readiness } from './readiness.ts';
import { callbackRoute } from './routes/callback.ts';
import { createClientErrorHandler } from './routes/client-error.ts';
import { createFrameworkErrorHandler, httpRules } from './routes/http-rules.ts';
import { pingRoute } from './routes/ping.ts';
import { readyRoute } from './routes/ready.ts';
import { MAX_BODY_BYTES, userTokenRoute } from './routes/user-token.ts';
import { createSealer } from './sealing/sealer.ts';
import type { Store } from './store/store.ts';
import { createAudit } from './telemetry/audit.ts';

export interface AppDeps {
  readonly config: Config;
  readonly logger: Logger;
  readonly store: Store;
  readonly verifier: UserTokenVerifier;
  readonly completer: AuthorizationCompleter;
  readonly readiness: Readiness;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** Contract §10. */
const CALLBACK_BUDGET_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** The whole service but its process: Fastify's options, and what is registered, in order. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { config, logger, store, verifier, completer, readiness, clock, randomness } = deps;
  const audit = createAudit(logger);
  const loggerInstance: FastifyBaseLogger = logger;
  const customStateSealer = createSealer(config.sessionSecrets, 'custom-state', randomness);
  const browserSession = {
    publicUrl: config.publicUrl,
    secrets: config.sessionSecrets,
    ttlSeconds: config.sessionTtlSeconds,
    store: store.browserSessions,
    randomness,
  };

  const app = fastify({
    loggerInstance,
    // The library's own lines carry URLs with their queries (SB-16).
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomness.id(12),
    requestIdHeader: false,
    exposeHeadRoutes: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: {
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
      // Node would answer a missing Host by itself, without our headers and for /ping too; httpRules checks it.
      requireHostHeader: false,
    },
    forceCloseConnections: 'idle',
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    frameworkErrors: createFrameworkErrorHandler(audit),
    clientErrorHandler: createClientErrorHandler(randomness),
  });
  // JSON only: a text/plain body needs no preflight and would be parsed (SB-03).
  app.removeContentTypeParser('text/plain');

  await app.register(httpRules, {
    audit,
    publicUrl: config.publicUrl,
    allowedHosts: config.allowedHosts,
  });
  await app.register(pingRoute);
  await app.register(readyRoute, { readiness });
  await app.register(userTokenRoute, {
    keep: { userTokens: store.userTokens, pins: store.pins, customStateSealer, clock },
    verifier,
    browserSession,
    allowedOrigins: config.allowedOrigins,
    authorizeHosts: config.authorizeHosts,
    callbackUrl: `${config.publicUrl}/oauth2/callback`,
    clock,
    audit,
  });
  await app.register(callbackRoute, {
    bind: {
      ...store,
      completer,
      customStateSealer,
      audit,
      clock,
      randomness,
      requirePin: config.requirePin,
      budgetMs: CALLBACK_BUDGET_MS,
    },
    browserSession,
    audit,
  });
  return app;
}
