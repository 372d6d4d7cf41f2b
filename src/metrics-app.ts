import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Metrics } from './telemetry/metrics.ts';

/** Somebody who holds a connection open here must not keep the process from ending, nor hold it for ever (SB-21). */
const REQUEST_TIMEOUT_MS = 15_000;
const MAX_CONNECTIONS = 64;

/** `GET /metrics`, on a port of its own: what it tells is for operators. */
export function buildMetricsApp(metrics: Pick<Metrics, 'contentType' | 'render'>): FastifyInstance {
  const app = fastify({
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    // The library's own answers repeat the address and the error.
    frameworkErrors: (_error, _request, reply: FastifyReply) => void reply.code(400).send(),
  });
  // It shares its file descriptors with the service (SB-21).
  app.server.maxConnections = MAX_CONNECTIONS;
  app.setNotFoundHandler(async (_request, reply) => reply.code(404).send());
  app.setErrorHandler(async (_error, _request, reply) => reply.code(500).send());
  app.get('/metrics', async (_request, reply) =>
    reply
      .type(metrics.contentType)
      .header('cache-control', 'no-store')
      .send(await metrics.render()),
  );
  return app;
}
