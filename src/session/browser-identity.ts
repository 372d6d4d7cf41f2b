import type { FastifyRequest } from 'fastify';
import type { BrowserSession } from './browser-session.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Whether the cookie says who this is. Where a load balancer signs users in it is false until that load balancer's
     * header has named the very user of the browser session, so that a route which forgets to ask finds nobody.
     */
    cookieCounts: boolean;
  }
}

/**
 * Who sits at the browser of this request: the only thing that selects a user (SB-01, SB-02). Every route that may bind
 * something, or send a browser to where something is bound, asks here and nowhere else.
 */
export function browserIdentity(request: FastifyRequest): BrowserSession | undefined {
  const { browserSession } = request.session;
  if (!request.cookieCounts || browserSession === undefined) return undefined;
  const lineage = request.lineageCookie.read(browserSession.user) ?? browserSession.lineage;
  return { ...browserSession, lineage };
}
