import type { Logger } from 'pino';
import { createAgentCoreCompleter } from './agentcore/completer.ts';
import { buildApp } from './app.ts';
import type { AuthorizationCompleter } from './binding/ports.ts';
import type { Secret } from './binding/secret.ts';
import type { Config } from './env/config.ts';
import { createUserTokenVerifier, type UserTokenVerifier } from './issuer/user-token-verifier.ts';
import { listen, type Listener } from './listen.ts';
import { createLoadBalancerVerifier } from './load-balancer/identity-verifier.ts';
import { buildMetricsApp } from './metrics-app.ts';
import { Readiness } from './readiness.ts';
import { aroundStore } from './store/around-store.ts';
import { createStore } from './store/create-store.ts';
import { measureStore } from './store/measure-store.ts';
import { throttleFaults } from './store/throttle-faults.ts';
import { systemClock, systemRandomness } from './system.ts';
import { createAudit } from './telemetry/audit.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Traces } from './telemetry/traces.ts';

export interface RunningServer {
  /** From now on `/ready` says 503 and every answer asks its client to hang up; requests are still served. */
  drain(): void;
  /** Stops listening, lets requests in flight finish, resolves when they have (at most {@link CLOSE_BUDGET_MS}). */
  close(): Promise<void>;
}

/** Contract §10: in-flight requests finish within ten seconds. */
const CLOSE_BUDGET_MS = 10_000;

/** Builds every part from the configuration and listens. Throws {@link ListenError} when it cannot. */
export async function startServer(config: Config, logger: Logger): Promise<RunningServer> {
  const clock = systemClock;
  const [metrics, traces] = await Promise.all([createMetrics(config), createTraces()]);
  const plainAudit = createAudit(logger);
  const measuredAudit = metrics?.measureAudit(plainAudit) ?? plainAudit;
  const audit = traces?.traceAudit(measuredAudit) ?? measuredAudit;
  const plainStore = await createStore(config.storeUrl, {
    sessionSecrets: config.sessionSecrets,
    clock,
    randomness: systemRandomness,
    onFault: throttleFaults(clock, (fault) =>
      logger.warn({ event: 'store_fault', ...fault }, 'the store does not answer as it should'),
    ),
    onUnreadable: (kind) => audit.recordUnreadable({ kind }),
  });
  const measuredStore =
    metrics === undefined ? plainStore : measureStore(plainStore, clock, metrics.observeStore);
  const store = traces === undefined ? measuredStore : aroundStore(measuredStore, traces.traceOperation);
  const plainVerifier = createUserTokenVerifier({
    ...config,
    recognizesCognito: config.singleUser,
    clock,
    ...(metrics && { fetch: metrics.measureKeyFetch('issuer', globalThis.fetch) }),
    onFault: (fault) =>
      logger.warn({ event: 'issuer_fault', ...fault }, 'an issuer does not answer as it should'),
  });
  const verifier =
    traces === undefined
      ? plainVerifier
      : {
          ...plainVerifier,
          verify: traces.traceCalls('verify user token', (jwt: Secret) => plainVerifier.verify(jwt)),
        };
  const loadBalancer =
    config.loadBalancer &&
    createLoadBalancerVerifier({
      ...config.loadBalancer,
      userClaim: config.userClaim,
      issuers: verifier,
      clock,
      ...(metrics && { fetch: metrics.measureKeyFetch('load_balancer', globalThis.fetch) }),
      onFault: (reason) =>
        logger.warn(
          { event: 'load_balancer_fault', reason },
          'a key of the load balancer cannot be had as it should',
        ),
    });
  const plainCompleter = createAgentCoreCompleter({
    region: config.region,
    ...(config.agentcoreEndpoint === undefined ? {} : { endpoint: config.agentcoreEndpoint }),
    ...(traces && { furtherHeaders: traces.outgoingHeaders }),
  });
  const complete: AuthorizationCompleter['complete'] = (...call) => plainCompleter.complete(...call);
  const completer =
    traces === undefined
      ? plainCompleter
      : { ...plainCompleter, complete: traces.traceCalls('CompleteResourceTokenAuth', complete, 'client') };
  const readiness = new Readiness({
    clock,
    storeWorks: () => store.works(),
    credentialsWork: () => completer.credentialsWork(),
    issuers: verifier,
    isPublicUrlKnown: config.publicUrlProblem === undefined,
  });
  // Nothing waits for an issuer: it is asked while the service begins to listen.
  const stopLoading = keepLoadingIssuers(verifier);
  const app = await buildApp({
    config,
    logger,
    audit,
    store,
    verifier,
    completer,
    loadBalancer,
    readiness,
    clock,
    randomness: systemRandomness,
    ...(traces && { traces }),
  });

  const stopParts = async () => {
    stopLoading();
    completer.close();
    await store.close();
  };
  const metricsListener = await listenForMetrics(metrics, config).catch(async (error: unknown) => {
    await stopParts();
    throw error;
  });
  const listener = await listen(app, config).catch(async (error: unknown) => {
    await Promise.all([stopParts(), metricsListener?.close()]);
    throw error;
  });
  const agentcore = config.agentcoreEndpoint ?? `https://bedrock-agentcore.${config.region}.amazonaws.com`;
  const { environment, publicUrl: public_url } = config;
  logger.info(
    {
      event: 'listening',
      environment,
      hosts: listener.hosts,
      port: listener.port,
      ...(metricsListener && { metrics_port: metricsListener.port }),
      public_url,
      agentcore,
      store: config.storeUrl.shown,
    },
    `listening; callback URL: ${public_url}/oauth2/callback`,
  );

  return {
    drain: () => readiness.drain(),
    async close() {
      readiness.drain();
      stopLoading();
      // Its timer would keep the process alive for the rest of the budget, however early everything is done.
      const closed = new AbortController();
      const cutOff = clock.sleep(CLOSE_BUDGET_MS, closed.signal).then(() => app.server.closeAllConnections());
      await Promise.race([Promise.all([app.close(), listener.close()]), cutOff]);
      closed.abort();
      await stopParts();
      await metricsListener?.close();
    },
  };
}

/** The library takes its time to load: who keeps no metrics need not wait for it. */
async function createMetrics({ metricsPort }: Config): Promise<Metrics | undefined> {
  if (metricsPort === undefined) return undefined;
  const { createMetrics: create } = await import('./telemetry/metrics.ts');
  return create(systemClock);
}

/** Where an SDK was registered before us (`--import`) it has left this mark, by which all copies of the API find it. */
const TRACING = Symbol.for('opentelemetry.js.api.1');

/** Who has no SDK neither waits for the API nor pays for spans that go nowhere. */
async function createTraces(): Promise<Traces | undefined> {
  if (!(TRACING in globalThis)) return undefined;
  const { createTraces: create } = await import('./telemetry/traces.ts');
  return create();
}

/** On the addresses of the service, never on its port: the public has no business there. */
async function listenForMetrics(metrics: Metrics | undefined, config: Config): Promise<Listener | undefined> {
  if (metrics === undefined) return undefined;
  const { listenAddresses, metricsPort: port = 0 } = config;
  const app = buildMetricsApp(metrics);
  const listener = await listen(app, { listenAddresses, port }, 'METRICS_PORT');
  return {
    ...listener,
    async close() {
      await Promise.all([app.close(), listener.close()]);
    },
  };
}

const LOAD_AGAIN_MS = 5_000;

/** The service starts while an issuer is down; `/ready` says `starting` until each was reached once. */
function keepLoadingIssuers(verifier: UserTokenVerifier): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const attempt = async () => {
    await verifier.load();
    if (stopped || verifier.status().every(({ reachedOnce }) => reachedOnce)) return;
    timer = setTimeout(() => void attempt(), LOAD_AGAIN_MS);
  };
  void attempt();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
