import { createServer, type RequestListener, type Server } from 'node:http';
import type { Randomness } from './binding/clock.ts';
import { type Limits, MAX_HEADER_BYTES } from './limits.ts';
import { createClientErrorHandler } from './routes/client-error.ts';

/**
 * Node's HTTP server with every bound set, for each address that is listened on: Fastify's own options reach only the
 * first one.
 */
export function createHttpServer(handler: RequestListener, limits: Limits, randomness: Randomness): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
      connectionsCheckingInterval: limits.connectionCheckMs,
      // Node would answer a missing Host by itself, without our headers and for /ping too; httpRules checks it.
      requireHostHeader: false,
    },
    handler,
  );
  server.on('clientError', createClientErrorHandler(randomness));
  // An expectation may be ignored (RFC 9110 section 10.1.1); Node's own 417 would go out without our headers.
  server.on('checkExpectation', handler);
  return server;
}
