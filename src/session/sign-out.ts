import type { FastifyReply, FastifyRequest } from 'fastify';
import type { User } from '../binding/user.ts';
import type { BrowserSessionStore } from './browser-session.ts';

export interface SignOutDeps {
  readonly browserSessions: BrowserSessionStore;
  readonly cookieName: string;
}

/** Ends every browser session of this user, here and elsewhere, and takes the cookie back from this browser. */
export async function signOut(
  request: FastifyRequest,
  reply: FastifyReply,
  user: User,
  { browserSessions, cookieName }: SignOutDeps,
): Promise<void> {
  await browserSessions.removeAll(user);
  // The library forgets the record, but leaves the cookie where it is.
  await request.session.destroy();
  reply.clearCookie(cookieName);
  request.lineageCookie.drop();
}
