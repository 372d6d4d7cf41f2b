import fastifyPlugin from 'fastify-plugin';
import type { Audit } from '../telemetry/audit.ts';
import { sendOutcome } from './answer.ts';
import { mayPost } from './fetch-metadata.ts';

export interface AllowedOriginsOptions {
  readonly allowedOrigins: readonly string[];
  readonly audit: Audit;
}

/** Pages of these origins alone may ask in this scope, and read the answers. Comes before the cookie is read (SB-03). */
export const allowedOriginsOnly = fastifyPlugin<AllowedOriginsOptions>(
  async (app, { allowedOrigins, audit }) => {
    app.addHook('onRequest', async (request, reply) => {
      const { origin } = request.headers;
      reply.header('vary', 'Origin');
      if (!mayPost(request.headers, allowedOrigins)) {
        audit.requestRefused({ requestId: request.id, code: 'forbidden_origin' });
        return sendOutcome(request, reply, 'forbidden_origin');
      }
      if (origin === undefined) return;
      reply.headers({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'x-request-id, retry-after',
      });
    });
  },
  { name: 'allowed-origins', fastify: '5.x' },
);

/** What a preflight says besides: a browser asks it again after ten minutes. */
export function preflightHeaders(method: 'GET' | 'POST', headers: string): Readonly<Record<string, string>> {
  return {
    'access-control-allow-methods': method,
    'access-control-allow-headers': headers,
    'access-control-max-age': '600',
  };
}
