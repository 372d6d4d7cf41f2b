import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Randomness } from '../binding/clock.ts';
import type { Secret } from '../binding/secret.ts';
import { deriveKey } from '../sealing/derive-key.ts';
import { hasContradictingCookies, preSessionCookieName } from './cookie.ts';

/** CSRF tokens of our forms. Works inside the scope of the browser sessions plugin, which parses and sets cookies. */
export interface CsrfProtection {
  /** The CSRF token for the forms of this answer; the cookie it hangs on goes out with it. */
  issue(request: FastifyRequest, reply: FastifyReply): string;
  /** True when this browser got that CSRF token from us. */
  matches(request: FastifyRequest, csrfToken: string | undefined): boolean;
  /** Ends every form that this browser holds: whoever it was before must not click for whoever it is now. */
  retire(reply: FastifyReply): void;
}

export interface CsrfOptions {
  readonly publicUrl: string;
  /** The first signs, the others still verify. */
  readonly secrets: readonly [Secret, ...Secret[]];
  readonly randomness: Randomness;
}

const ID_BYTES = 24;

/**
 * An HMAC over a random cookie: a page elsewhere can neither read the form nor make the token, and nothing is stored
 * for a browser that nobody has signed in (SB-03, SB-22).
 */
export function createCsrfProtection({ publicUrl, secrets, randomness }: CsrfOptions): CsrfProtection {
  const name = preSessionCookieName(publicUrl);
  const keys = secrets.map((secret) => deriveKey(secret, 'csrf', 32));
  const tokensOf = (id: string) =>
    keys.map((key) => createHmac('sha256', key).update(id).digest('base64url'));

  // Of two different cookies one was planted, and nobody can tell which (SB-33).
  function readId(request: FastifyRequest): string | undefined {
    return hasContradictingCookies(request.headers.cookie, name) ? undefined : request.cookies[name];
  }

  return {
    issue(request, reply) {
      // The same id for every tab, or the form of an older one would stop working.
      const id = readId(request) ?? randomness.id(ID_BYTES);
      reply.setCookie(name, id);
      const [csrfToken] = tokensOf(id);
      if (csrfToken === undefined) throw new TypeError('a CSRF token needs a secret');
      return csrfToken;
    },
    matches(request, csrfToken) {
      const id = readId(request);
      if (id === undefined || csrfToken === undefined) return false;
      return tokensOf(id).some((expected) => isEqual(expected, csrfToken));
    },
    retire(reply) {
      reply.clearCookie(name);
    },
  };
}

function isEqual(expected: string, presented: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(presented)];
  return a.length === b.length && timingSafeEqual(a, b);
}
