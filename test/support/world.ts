import { PassThrough } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { onTestFinished } from 'vitest';
import { type AgentCoreCompleter, createAgentCoreCompleter } from '../../src/agentcore/completer.ts';
import { buildApp } from '../../src/app.ts';
import type { Clock } from '../../src/binding/clock.ts';
import { Secret } from '../../src/binding/secret.ts';
import { Agent } from '../../src/demo/agent.ts';
import { Browser } from '../../src/demo/browser.ts';
import { type AgentCoreStandIn, startAgentCore } from '../../src/emulator/agentcore.ts';
import type { EmulatedCall } from '../../src/emulator/emulated-call.ts';
import { type Issuer, startIssuer } from '../../src/emulator/issuer.ts';
import type { Config } from '../../src/env/config.ts';
import { createUserTokenVerifier } from '../../src/issuer/user-token-verifier.ts';
import { createLoadBalancerVerifier } from '../../src/load-balancer/identity-verifier.ts';
import type { Limits } from '../../src/routes/limits.ts';
import { Readiness } from '../../src/readiness.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { measureStore } from '../../src/store/measure-store.ts';
import type { Store } from '../../src/store/store.ts';
import { systemClock, systemRandomness } from '../../src/system.ts';
import { createAudit } from '../../src/telemetry/audit.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { watchAnswers } from './described-answers.ts';
import { freePort } from './free-port.ts';

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** Everything real and on loopback: issuer, AgentCore, the service on a socket, an agent on the SDK. */
export interface World {
  readonly url: string;
  readonly app: FastifyInstance;
  readonly store: Store;
  readonly issuer: Issuer;
  readonly agentcore: AgentCoreStandIn;
  /** Everything that AgentCore was asked, by whomever. */
  readonly asked: readonly EmulatedCall[];
  readonly agent: Agent;
  readonly completer: AgentCoreCompleter;
  readonly readiness: Readiness;
  /** Every line so far, parsed; and raw, for canaries. */
  log(): readonly LogLine[];
  rawLog(): string;
  /** Moves the service's wall clock, and AgentCore's. */
  advance(ms: number): void;
  /** A browser whose user has posted this token from the app's own page. */
  signedIn(userToken: string, more?: Readonly<Record<string, unknown>>): Promise<Browser>;
  tokenOf(username: string, expiresInSeconds?: number): Promise<string>;
}

export interface WorldOptions {
  readonly config?: Partial<Config>;
  /** The store to use: the memory store as it is, wrapped, or another one on the same clock. */
  readonly store?: (memory: Store, clock: Clock) => Store;
  /** Of the token verifier: how a test puts the emulated issuer under a Cognito pool's name. */
  readonly issuerFetch?: (issuer: Issuer) => typeof globalThis.fetch;
  readonly attemptTimeoutMs?: number;
  readonly limits?: Partial<Limits>;
  /** Of the service's clock, where durations matter. */
  readonly monotonicMs?: () => number;
  /** The name in its URL, and a port that somebody else had to know first. */
  readonly host?: string;
  readonly port?: number;
  /** Measured as `server.ts` does where `METRICS_PORT` is set. */
  readonly metrics?: Metrics;
  readonly credentials?: Parameters<typeof createAgentCoreCompleter>[0]['credentials'];
}

export const CLIENT_ID = 'demo-client';

/** Starts a world for one test; it ends with the test, or when `onEnd` says so. */
export async function startWorld(
  options: WorldOptions = {},
  onEnd: (end: () => Promise<void>) => void = onTestFinished,
): Promise<World> {
  const port = options.port ?? (await freePort());
  const url = `http://${options.host ?? 'localhost'}:${port}`;
  const asked: EmulatedCall[] = [];
  const [issuer, agentcore] = await Promise.all([
    startIssuer(),
    startAgentCore({ onCall: (call) => asked.push(call) }),
  ]);
  agentcore.returnUrls.add(`${url}/oauth2/callback`);

  const config: Config = {
    region: 'us-east-1',
    agentcoreEndpoint: agentcore.endpoint,
    authorizeHosts: [new URL(agentcore.endpoint).host],
    environment: 'local',
    listenAddresses: ['127.0.0.1'],
    port,
    allowedHosts: [],
    publicUrl: url,
    publicUrlProblem: undefined,
    singleUser: false,
    discoveryUrls: [issuer.discoveryUrl],
    allowedClients: [CLIENT_ID],
    allowedAudience: [],
    allowedScopes: [],
    userClaim: 'sub',
    userIdentifier: 'token',
    sessionSecrets: [new Secret('a-test-secret-that-is-long-enough-0123456789')],
    sessionTtlSeconds: 3600,
    storeUrl: { kind: 'memory', isAlone: true, shown: 'memory:?replicas=1' },
    requirePin: false,
    allowedOrigins: [url],
    returnOrigins: [],
    appUrl: undefined,
    login: undefined,
    loadBalancer: undefined,
    brand: { name: undefined, logoUrl: undefined, accent: undefined },
    drainSeconds: 0,
    trustedProxies: [],
    // Off: a test of another rule may well be refused a hundred times.
    rateLimitPerMinute: undefined,
    metricsPort: undefined,
    logLevel: 'trace',
    ...options.config,
  };

  let offsetMs = 0;
  const { monotonicMs = () => systemClock.monotonicMs() } = options;
  const clock: Clock = { ...systemClock, monotonicMs, nowMs: () => Date.now() + offsetMs };
  const lines: string[] = [];
  const destination = new PassThrough();
  destination.on('data', (chunk: Buffer) => lines.push(chunk.toString('utf8')));
  const logger = createLogger(config.logLevel, destination);
  const { metrics } = options;
  const plainStore = (options.store ?? ((plain) => plain))(createMemoryStore(clock), clock);
  const store = metrics === undefined ? plainStore : measureStore(plainStore, clock, metrics.observeStore);
  const issuerFetch = options.issuerFetch?.(issuer) ?? globalThis.fetch;
  const verifier = createUserTokenVerifier({
    ...config,
    recognizesCognito: config.singleUser,
    clock,
    fetch: metrics?.measureKeyFetch('issuer', issuerFetch) ?? issuerFetch,
  });
  const loadBalancer =
    config.loadBalancer &&
    createLoadBalancerVerifier({
      ...config.loadBalancer,
      userClaim: config.userClaim,
      issuers: verifier,
      clock,
    });
  const completer = createAgentCoreCompleter({
    region: config.region,
    endpoint: agentcore.endpoint,
    attemptTimeoutMs: options.attemptTimeoutMs ?? 3_000,
    credentials: options.credentials ?? { accessKeyId: 'AKIDTEST', secretAccessKey: 'test' },
  });
  const readiness = new Readiness({
    clock,
    storeWorks: () => store.works(),
    credentialsWork: () => completer.credentialsWork(),
    issuers: verifier,
  });
  const randomness = systemRandomness;
  const { limits = {} } = options;
  const plainAudit = createAudit(logger);
  const audit = metrics?.measureAudit(plainAudit) ?? plainAudit;
  const domain = { store, verifier, completer, loadBalancer, readiness };
  const app = await buildApp({ config, logger, audit, ...domain, clock, randomness, limits });
  watchAnswers(app);
  await app.listen({ host: '127.0.0.1', port });
  await verifier.load();
  const agent = new Agent({ endpoint: agentcore.endpoint, returnUrl: `${url}/oauth2/callback` });

  onEnd(async () => {
    agent.close();
    await app.close();
    completer.close();
    await Promise.all([issuer.close(), agentcore.close()]);
  });

  return {
    url,
    app,
    store,
    issuer,
    agentcore,
    asked,
    agent,
    completer,
    readiness,
    log: () =>
      lines
        .join('')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LogLine),
    rawLog: () => lines.join(''),
    advance(ms) {
      offsetMs += ms;
      agentcore.advance(ms);
    },
    async signedIn(userToken, more = {}) {
      const browser = new Browser();
      const answer = await browser.postJson(`${url}/userIdentifier/token`, url, {
        user_token: userToken,
        ...more,
      });
      if (answer.status !== 200) throw new Error(`sign-in answered ${answer.status}: ${answer.body}`);
      return browser;
    },
    tokenOf: (username, expiresInSeconds = 3600) =>
      issuer.accessToken({ subject: `sub-of-${username}`, username, clientId: CLIENT_ID, expiresInSeconds }),
  };
}
