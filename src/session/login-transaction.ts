import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../binding/clock.ts';
import type { Sealer } from '../binding/ports.ts';
import { browserSessionCookie, hasContradictingCookies } from './cookie.ts';

/** A login that this browser has begun, or that has come to nothing and may be begun again. */
export interface LoginTransaction {
  readonly state: string;
  /** What the login must come back with; absent once it has come back. */
  readonly secrets?: { readonly nonce: string; readonly codeVerifier: string };
  /** What the login interrupted, as the parameters of a way back; empty when nothing. */
  readonly wayBack: string;
  readonly expiresAtMs: number;
}

/**
 * Logins under way, each sealed in a cookie of the browser that began it: nobody else's browser can finish it (SB-31),
 * nothing is stored for strangers (SB-22), and two tabs do not fight. Works inside the scope of the browser sessions plugin.
 */
export interface LoginTransactions {
  /** False when it would be too large for a cookie. The oldest of this browser make room. */
  keep(
    request: FastifyRequest,
    reply: FastifyReply,
    transaction: Omit<LoginTransaction, 'expiresAtMs'>,
  ): boolean;
  /** The live one of that state that this browser holds. */
  read(request: FastifyRequest, state: string): LoginTransaction | undefined;
  drop(reply: FastifyReply, state: string): void;
}

export interface LoginTransactionsOptions {
  readonly publicUrl: string;
  readonly sealer: Sealer;
  readonly clock: Clock;
}

/** As long as an authorization session of AgentCore lives. */
const TTL_MS = 10 * 60_000;
/** One browser's open tabs; whoever opens more has left the oldest. */
const MAX_TRANSACTIONS = 4;
/** Each is searched for in all cookies: of a thousand made-up ones that was a fifth of a second (SB-21). */
const MAX_LOOKED_AT = 16;
/** Browsers keep 4096 bytes of a cookie, name and attributes included. */
const MAX_COOKIE_BYTES = 3_600;
/** Proxies in front commonly take header lines of 8 KiB, and the other cookies need room, too. */
const MAX_BYTES = 6_000;

export function createLoginTransactions(options: LoginTransactionsOptions): LoginTransactions {
  const { publicUrl, sealer, clock } = options;
  const prefix = `${browserSessionCookie(publicUrl).name}-login-`;

  function open(request: FastifyRequest, name: string): LoginTransaction | undefined {
    // Of two different cookies one was planted, and nobody can tell which (SB-33).
    if (hasContradictingCookies(request.headers.cookie, name)) return undefined;
    const plain = sealer.open(request.cookies[name] ?? '');
    // Sealed by us, so its shape is ours.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const transaction = plain === undefined ? undefined : (JSON.parse(plain) as LoginTransaction);
    if (transaction === undefined || transaction.expiresAtMs <= clock.nowMs()) return undefined;
    // A sealed one under another name would be a second life for a state that was used.
    return prefix + transaction.state === name ? transaction : undefined;
  }

  /** Those of this browser besides `name`, the ones to keep longest first. */
  function others(request: FastifyRequest, name: string) {
    return (
      Object.entries(request.cookies)
        .filter(([other]) => other.startsWith(prefix) && other !== name)
        // Browsers send the newest last, and before all of them what was planted for a longer path.
        .slice(-MAX_LOOKED_AT)
        .map(([other, value = '']) => ({
          name: other,
          bytes: other.length + value.length,
          expiresAtMs: open(request, other)?.expiresAtMs ?? 0,
        }))
        .toSorted((a, b) => b.expiresAtMs - a.expiresAtMs)
    );
  }

  return {
    keep(request, reply, transaction) {
      const name = prefix + transaction.state;
      const value = sealer.seal(JSON.stringify({ ...transaction, expiresAtMs: clock.nowMs() + TTL_MS }));
      let bytes = name.length + value.length;
      if (bytes > MAX_COOKIE_BYTES) return false;
      let count = 1;
      for (const other of others(request, name)) {
        count += 1;
        bytes += other.bytes;
        if (count > MAX_TRANSACTIONS || bytes > MAX_BYTES) reply.clearCookie(other.name);
      }
      reply.setCookie(name, value, { maxAge: TTL_MS / 1000 });
      return true;
    },
    read: (request, state) => open(request, prefix + state),
    drop(reply, state) {
      reply.clearCookie(prefix + state);
    },
  };
}
