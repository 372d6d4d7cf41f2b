import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createAgentCoreCompleter } from './agentcore/completer.ts';
import { buildApp } from './app.ts';
import type { Config } from './env/config.ts';
import { createUserTokenVerifier, type UserTokenVerifier } from './issuer/user-token-verifier.ts';
import { Readiness } from './readiness.ts';
import { createMemoryStore } from './store/memory-store.ts';
import { systemClock, systemRandomness } from './system.ts';

export interface RunningServer {
  /** Stops listening, lets requests in flight finish, resolves when they have (at most {@link CLOSE_BUDGET_MS}). */
  close(): Promise<void>;
}

/** The port cannot be listened on: the operator's to mend, so one line and no stack. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** Contract §10: in-flight requests finish within ten seconds. */
const CLOSE_BUDGET_MS = 10_000;

/** Builds every part from the configuration and listens. Throws {@link ListenError} when it cannot. */
export async function startServer(config: Config, logger: Logger): Promise<RunningServer> {
  const clock = systemClock;
  const store = createMemoryStore(clock);
  const verifier = createUserTokenVerifier({
    ...config,
    recognizesCognito: config.singleUser,
    clock,
    onFault: (fault) =>
      logger.warn({ event: 'issuer_fault', ...fault }, 'an issuer does not answer as it should'),
  });
  const completer = createAgentCoreCompleter({
    region: config.region,
    ...(config.agentcoreEndpoint === undefined ? {} : { endpoint: config.agentcoreEndpoint }),
  });
  const readiness = new Readiness({
    clock,
    storeWorks: () => store.works(),
    credentialsWork: () => completer.credentialsWork(),
    issuers: () => verifier.status(),
  });
  const app = await buildApp({
    config,
    logger,
    store,
    verifier,
    completer,
    readiness,
    clock,
    randomness: systemRandomness,
  });

  await listen(app, config);
  const stopLoading = keepLoadingIssuers(verifier);
  const agentcore = config.agentcoreEndpoint ?? `https://bedrock-agentcore.${config.region}.amazonaws.com`;
  logger.info(
    { event: 'listening', host: config.host, port: config.port, public_url: config.publicUrl, agentcore },
    `listening; callback URL: ${config.publicUrl}/oauth2/callback`,
  );

  return {
    async close() {
      readiness.drain();
      stopLoading();
      const late = clock.sleep(CLOSE_BUDGET_MS).then(() => app.server.closeAllConnections());
      await Promise.race([app.close(), late]);
      completer.close();
      await store.close();
    },
  };
}

async function listen(app: FastifyInstance, { host, port }: Config): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    await app.close();
    if (code === 'EADDRINUSE')
      throw new ListenError(`port ${port} on ${host} is taken: set PORT to another one`);
    if (code === 'EACCES') throw new ListenError(`port ${port} on ${host} needs more privileges: set PORT`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new ListenError(`${host} is no address of this machine: set HOST`);
    }
    throw error;
  }
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
