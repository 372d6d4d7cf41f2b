import type { FastifyPluginAsync } from 'fastify';
import { describeProbe, type RouteDescription } from './description.ts';

const schema = {
  operationId: 'ping',
  tags: ['operation'],
  summary: 'Is the process alive?',
  description: 'Answers under any Host, whatever else is broken.',
  security: [],
  response: describeProbe({
    200: {
      description: 'It is.',
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['status'],
            additionalProperties: false,
            properties: { status: { const: 'success' } },
          },
        },
      },
    },
  }),
} as const satisfies RouteDescription;

/** `GET /ping`: the process is alive. Touches nothing else, so that it works while everything else is broken. */
export const pingRoute: FastifyPluginAsync = async (app) => {
  app.get('/ping', { schema }, async () => ({ status: 'success' }));
};
