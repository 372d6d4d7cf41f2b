import type { FastifyPluginAsync } from 'fastify';

/** `GET /ping`: the process is alive. Touches nothing else, so that it works while everything else is broken. */
export const pingRoute: FastifyPluginAsync = async (app) => {
  app.get('/ping', async () => ({ status: 'success' }));
};
