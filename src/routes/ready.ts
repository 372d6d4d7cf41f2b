import type { FastifyPluginAsync } from 'fastify';
import type { Readiness, ReadinessReport } from '../readiness.ts';
import { describeProbe, type RouteDescription } from './description.ts';

export interface ReadyRouteOptions {
  readonly readiness: Readiness;
}

const CHECK = { enum: ['ok', 'failing'] };

function reportSchema(...statuses: readonly ReadinessReport['status'][]) {
  return {
    type: 'object',
    required: ['status', 'checks'],
    additionalProperties: false,
    properties: {
      status: { enum: statuses },
      checks: {
        type: 'object',
        required: ['store', 'jwks', 'credentials'],
        additionalProperties: false,
        properties: {
          store: CHECK,
          jwks: CHECK,
          credentials: CHECK,
          public_url: {
            const: 'failing',
            description: 'Only in a Studio space that cannot learn its own address.',
          },
        },
      },
    },
  };
}

const schema = {
  operationId: 'ready',
  tags: ['operation'],
  summary: 'May a load balancer send people here?',
  description: 'Answers under any Host, within a second; what it checks it asks at most every five.',
  security: [],
  response: describeProbe({
    200: {
      description: 'Yes; `degraded` while a part fails that other replicas share.',
      content: { 'application/json': { schema: reportSchema('ready', 'degraded') } },
    },
    503: {
      description: 'Not yet, or not any more.',
      content: { 'application/json': { schema: reportSchema('starting', 'draining') } },
    },
  }),
} as const satisfies RouteDescription;

/** `GET /ready`: may a load balancer send people here? */
export const readyRoute: FastifyPluginAsync<ReadyRouteOptions> = async (app, { readiness }) => {
  app.get('/ready', { schema }, async (_request, reply) => {
    const report = await readiness.report();
    return reply.code(report.status === 'ready' || report.status === 'degraded' ? 200 : 503).send(report);
  });
};
