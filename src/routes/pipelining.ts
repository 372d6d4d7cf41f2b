import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Requests that one connection may have under way: browsers and load balancers wait for the answer to each. */
const MOST_UNDER_WAY = 8;

/**
 * Cuts a connection that sends one request after the other without reading answers (RFC 9112 section 9.3.2 lets it, and
 * nobody does). Node reads hundreds from one packet and hands them over within one turn of the event loop, however short
 * the turnstile keeps it: a few such connections would keep out every health check (SB-21).
 */
export function limitPipelining(app: FastifyInstance): void {
  const underWay = new WeakMap<Socket, number>();

  function mayGoOn(socket: Socket, response: ServerResponse): boolean {
    const count = (underWay.get(socket) ?? 0) + 1;
    if (count > MOST_UNDER_WAY) socket.destroy();
    // What its packet still holds comes here, too.
    if (socket.destroyed) return false;
    underWay.set(socket, count);
    response.once('close', () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
    return true;
  }

  // Before the router sees them.
  app.server.removeAllListeners('request');
  app.server.on('request', (request, response) => {
    if (mayGoOn(request.socket, response)) app.routing(request, response);
  });
}
