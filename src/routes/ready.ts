import type { FastifyPluginAsync } from 'fastify';
import type { Readiness } from '../readiness.ts';

export interface ReadyRouteOptions {
  readonly readiness: Readiness;
}

/** `GET /ready`: may a load balancer send people here? */
export const readyRoute: FastifyPluginAsync<ReadyRouteOptions> = async (app, { readiness }) => {
  app.get('/ready', async (_request, reply) => {
    const report = await readiness.report();
    return reply.code(report.status === 'ready' || report.status === 'degraded' ? 200 : 503).send(report);
  });
};
