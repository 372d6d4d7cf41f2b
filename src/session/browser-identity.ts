import type { FastifyRequest } from 'fastify';
import type { BrowserSession } from './browser-session.ts';

/**
 * Who sits at the browser of this request: the only thing that selects a user (SB-01, SB-02). Every route that may bind
 * something, or send a browser to where something is bound, asks here and nowhere else.
 */
export function browserIdentity(request: FastifyRequest): BrowserSession | undefined {
  return request.session.browserSession;
}
