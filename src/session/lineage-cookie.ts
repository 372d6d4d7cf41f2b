import type { FastifyReply, FastifyRequest } from 'fastify';
import { AUTHORIZATION_SESSION_TTL_MS } from '../binding/authorization-session.ts';
import type { Sealer } from '../binding/ports.ts';
import { type User, userDigest } from '../binding/user.ts';
import { hasContradictingCookies } from './cookie.ts';

declare module 'fastify' {
  interface FastifyRequest {
    lineageCookie: LineageCookie;
  }
}

/**
 * The lineage under which this browser has started flows. It stands beside the browser session, since that one's record
 * ends with each sign-in and with its time, and two tabs may make two of them: the browser is still the same (SB-32).
 */
export interface LineageCookie {
  /** Undefined where it is another user's: it names this browser only for as long as one user sits at it. */
  read(user: User): string | undefined;
  keep(user: User, lineage: string): void;
  drop(): void;
}

/** What starts in a browser ends within this time, so nothing needs its lineage for longer. */
const MAX_AGE_SECONDS = AUTHORIZATION_SESSION_TTL_MS / 1000;

export function createLineageCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  { name, sealer }: { readonly name: string; readonly sealer: Sealer },
): LineageCookie {
  return {
    read(user) {
      // Of two different cookies one was planted, and nobody can tell which (SB-33).
      if (hasContradictingCookies(request.headers.cookie, name)) return undefined;
      const [digest, lineage] = sealer.open(request.cookies[name] ?? '')?.split(' ') ?? [];
      return digest === userDigest(user) ? lineage : undefined;
    },
    keep(user, lineage) {
      reply.setCookie(name, sealer.seal(`${userDigest(user)} ${lineage}`), { maxAge: MAX_AGE_SECONDS });
    },
    drop() {
      if (request.cookies[name] !== undefined) reply.clearCookie(name);
    },
  };
}
