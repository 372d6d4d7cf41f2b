import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { fastify, LogController } from 'fastify';
import type { Logger } from 'pino';
import { bindAuthorization, type BindDeps, type CallbackVisit } from './binding/bind.ts';
import type { Clock, Randomness } from './binding/clock.ts';
import { keepUserToken } from './binding/keep-user-token.ts';
import type { AnnouncedFlow } from './binding/pin.ts';
import type { AuthorizationCompleter } from './binding/ports.ts';
import { createRetryBudget } from './binding/retry-budget.ts';
import { startFlow, type StartVisit } from './binding/start-flow.ts';
import type { UserToken } from './binding/user-token.ts';
import { StatusWatch } from './binding/status-watch.ts';
import type { Config } from './env/config.ts';
import type { RelyingParty } from './issuer/relying-party.ts';
import type { UserTokenVerifier } from './issuer/user-token-verifier.ts';
import type { LoadBalancerVerifier } from './load-balancer/identity-verifier.ts';
import type { Readiness } from './readiness.ts';
import { authorizationsRoute } from './routes/authorizations.ts';
import { createBrand } from './pages/brand.ts';
import { callbackRoute } from './routes/callback.ts';
import { DESCRIBED_ONLY, SHARED_SCHEMAS } from './routes/description.ts';
import { createClientErrorHandler } from './routes/client-error.ts';
import { createForwarded } from './routes/forwarded.ts';
import { type Limits, LIMITS, MAX_HEADER_BYTES } from './routes/limits.ts';
import { createFrameworkErrorHandler, httpRules } from './routes/http-rules.ts';
import { loginRoutes } from './routes/login.ts';
import { pingRoute } from './routes/ping.ts';
import { limitPipelining } from './routes/pipelining.ts';
import { ClientRefusals, rateLimit } from './routes/rate-limit.ts';
import { readyRoute } from './routes/ready.ts';
import { createTargetRewriter } from './routes/request-target.ts';
import { createBrowserSessionReader } from './session/read-browser-session.ts';
import { signInRoutes } from './routes/sign-in.ts';
import type { SignInOffer } from './routes/sign-in-offer.ts';
import { signOutRoute } from './routes/sign-out.ts';
import { startRoute } from './routes/start.ts';
import { Turnstile } from './routes/turnstile.ts';
import { MAX_BODY_BYTES, userTokenRoute } from './routes/user-token.ts';
import { createSealer } from './sealing/sealer.ts';
import { createCsrfProtection } from './session/csrf.ts';
import { createLoginTransactions } from './session/login-transaction.ts';
import type { Store } from './store/store.ts';
import type { Audit } from './telemetry/audit.ts';
import type { Traces } from './telemetry/traces.ts';

export interface AppDeps {
  readonly config: Config;
  readonly logger: Logger;
  readonly audit: Audit;
  readonly store: Store;
  readonly verifier: UserTokenVerifier;
  readonly completer: AuthorizationCompleter;
  /** Where a load balancer signs users in. */
  readonly loadBalancer: LoadBalancerVerifier | undefined;
  readonly readiness: Readiness;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly traces?: Traces;
  /** For tests, which need not wait fifteen seconds or send hundreds of requests. */
  readonly limits?: Partial<Limits>;
}

/** Contract §10. */
const CALLBACK_BUDGET_MS = 10_000;

/** The whole service but its process: Fastify's options, and what is registered, in order. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { config, logger, audit, store, verifier, completer, readiness, clock, randomness } = deps;
  const limits: Limits = { ...LIMITS, ...deps.limits };
  const traceCalls: Traces['traceCalls'] = deps.traces?.traceCalls ?? ((_name, call) => call);
  const turnstile = new Turnstile(limits, clock);
  const forwarded = createForwarded(config.trustedProxies);
  const loggerInstance: FastifyBaseLogger = logger;
  const customStateSealer = createSealer(config.sessionSecrets, 'custom-state', randomness);
  const startHandleSealer = createSealer(config.sessionSecrets, 'start-handle', randomness);
  const browserSession = {
    publicUrl: config.publicUrl,
    secrets: config.sessionSecrets,
    ttlSeconds: config.sessionTtlSeconds,
    store: store.browserSessions,
    randomness,
  };
  const { publicUrl } = config;
  const relyingParty = await relyingPartyOf(deps);
  // A login proves who somebody is, and a click only that he got here: where there is the one, the other ends (SB-04).
  const singleUser = config.singleUser && relyingParty === undefined;
  const loadBalancer = deps.loadBalancer && { verifier: deps.loadBalancer, forwarded, clock, audit };
  const identity = { browserSession, loadBalancer };
  const { signInCodes } = store;
  const csrf = createCsrfProtection({ publicUrl, secrets: config.sessionSecrets, randomness });
  const { returnOrigins, appUrl } = config;
  const login = relyingParty !== undefined;
  const offer: SignInOffer = { singleUser, login, csrf, signInCodes, returnOrigins };

  const brand = createBrand(config.brand);
  const refusals =
    config.rateLimitPerMinute === undefined
      ? undefined
      : new ClientRefusals(config.rateLimitPerMinute, forwarded, clock);

  const app = fastify({
    loggerInstance,
    // The library's own lines carry URLs with their queries (SB-16).
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomness.id(12),
    requestIdHeader: false,
    exposeHeadRoutes: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      // Where this one is longer, Node swaps the two.
      headersTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.connectionCheckMs,
      // Node would answer a missing Host by itself, without our headers and for /ping too; httpRules checks it.
      requireHostHeader: false,
    },
    rewriteUrl: createTargetRewriter(config.publicUrl),
    forceCloseConnections: 'idle',
    // A request that was on its way when the closing began is in flight: it is served, not turned away.
    return503OnClosing: false,
    schemaController: DESCRIBED_ONLY,
    frameworkErrors: createFrameworkErrorHandler({ audit, brand, onRefused: refusals?.count }),
    clientErrorHandler: createClientErrorHandler(randomness),
  });
  for (const shared of SHARED_SCHEMAS) app.addSchema(shared);
  // An expectation may be ignored (RFC 9110 section 10.1.1); Node's own 417 would go out without our headers.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  limitPipelining(app);
  // A page is for whoever reads it, in whatever route it ends.
  app.decorateRequest('brand', { getter: () => brand });
  // JSON only: a text/plain body needs no preflight and would be parsed (SB-03).
  app.removeContentTypeParser('text/plain');

  deps.traces?.traceRequests(app);

  // On the way out, so that answers begun before the signal say it too: a client that keeps its connection would
  // hold up the exit (contract §10).
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (readiness.isDraining) reply.header('connection', 'close');
    done();
  });
  app.decorateRequest('cookieCounts', loadBalancer === undefined);
  await app.register(httpRules, {
    audit,
    publicUrl: config.publicUrl,
    allowedHosts: config.allowedHosts,
    forwarded,
  });
  await app.register(rateLimit, {
    refusals,
    readBrowserSession: createBrowserSessionReader(browserSession),
    audit,
  });
  await app.register(pingRoute);
  await app.register(readyRoute, { readiness });
  const keepDeps = { ...store, customStateSealer, startHandleSealer, clock };
  await app.register(userTokenRoute, {
    keep: traceCalls('keep user token', (userToken: UserToken, flow: AnnouncedFlow | undefined) =>
      keepUserToken(userToken, flow, keepDeps),
    ),
    verifier,
    browserSession,
    allowedOrigins: config.allowedOrigins,
    flowPolicy: config,
    publicUrl,
    signInLink: singleUser ? { signInCodes, publicUrl, clock, randomness } : undefined,
    clock,
    audit,
    limits,
    turnstile,
  });
  const status = { ...store, clock };
  const statusWatch = new StatusWatch(status);
  readiness.onDrain(() => statusWatch.close());
  const bindDeps: BindDeps = {
    ...store,
    completer,
    customStateSealer,
    audit,
    clock,
    randomness,
    retries: createRetryBudget(clock),
    requirePin: config.requirePin,
    userIdentifier: config.userIdentifier,
    budgetMs: CALLBACK_BUDGET_MS,
  };
  await app.register(callbackRoute, {
    statusWatch,
    appUrl,
    bind: traceCalls('decide callback', (visit: CallbackVisit) => bindAuthorization(visit, bindDeps)),
    identity,
    offer,
    audit,
    limits,
    turnstile,
  });
  const startDeps = { ...store, startHandleSealer, audit, clock };
  await app.register(startRoute, {
    start: traceCalls('decide start', (visit: StartVisit) => startFlow(visit, startDeps)),
    identity,
    offer,
    appUrl,
    audit,
    limits,
    turnstile,
  });
  await app.register(authorizationsRoute, {
    status,
    watch: statusWatch,
    verifier,
    allowedOrigins: config.allowedOrigins,
    audit,
    limits,
    turnstile,
  });
  await app.register(signInRoutes, { publicUrl, browserSession, offer, clock, audit });
  if (relyingParty !== undefined) {
    const sealer = createSealer(config.sessionSecrets, 'login-transaction', randomness);
    const transactions = createLoginTransactions({ publicUrl, sealer, clock });
    await app.register(loginRoutes, {
      relyingParty,
      transactions,
      browserSession,
      csrf,
      clock,
      audit,
      limits,
      turnstile,
    });
  }
  await app.register(signOutRoute, {
    publicUrl,
    browserSession,
    offer,
    userTokens: store.userTokens,
    relyingParty,
    audit,
  });
  return app;
}

/** Where `LOGIN_CLIENT_ID` is set: the first issuer, with the keys that user tokens are checked with. */
async function relyingPartyOf(deps: AppDeps): Promise<RelyingParty | undefined> {
  const { config, verifier, clock, randomness } = deps;
  const [keys] = verifier.issuers;
  if (config.login === undefined || keys === undefined) return undefined;
  // Its library is loaded by those alone who need it.
  const { createRelyingParty } = await import('./issuer/relying-party.ts');
  const { userClaim, publicUrl } = config;
  return createRelyingParty({ ...config.login, keys, userClaim, publicUrl, clock, randomness });
}
