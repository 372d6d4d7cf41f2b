import type { FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '../binding/clock.ts';
import type { BrowserSession } from '../session/browser-session.ts';
import type { Audit } from '../telemetry/audit.ts';
import { sendOutcome } from './answer.ts';
import type { Forwarded } from './forwarded.ts';
import { RefusalCounter } from './refusal-counter.ts';

export interface RateLimitOptions {
  /** Undefined: off. */
  readonly refusals: ClientRefusals | undefined;
  readonly readBrowserSession: (cookieHeader: string | undefined) => Promise<BrowserSession | undefined>;
  readonly audit: Audit;
}

/** The refused requests of each client, known by its address. */
export class ClientRefusals {
  readonly #forwarded: Forwarded;
  readonly #counter: RefusalCounter;

  constructor(refusalsPerMinute: number, forwarded: Forwarded, clock: Clock) {
    this.#forwarded = forwarded;
    this.#counter = new RefusalCounter(refusalsPerMinute, clock);
  }

  areOver(request: FastifyRequest): boolean {
    const address = this.#forwarded.clientAddress(request.raw);
    return address !== undefined && this.#counter.isOver(address);
  }

  readonly count = (request: FastifyRequest): void => {
    const address = this.#forwarded.clientAddress(request.raw);
    if (address !== undefined) this.#counter.count(address);
  };
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Its address has been refused too often: if it is refused as well, it is `rate_limited`. */
    isOverLimit: boolean;
  }
  interface FastifyContextConfig {
    /** Who asks here is told by a user token, which can only be verified once the request has been read. */
    readonly provenByUserToken?: boolean;
  }
}

/** They ask by the minute, for ever, and must never be told anything but the truth. */
const PROBES: ReadonlySet<string | undefined> = new Set(['/ping', '/ready']);

/**
 * Refuses an address that was refused too often (contract §4, SB-21). Only refusals count, and an address alone proves
 * nothing against anybody: a whole company may have one, and one of them may be hostile (SB-35). Hence the limiter
 * stands before everything that costs something, as §2 orders the checks, but an address over its limit may still show
 * who is asking. A cookie is looked up here and now, which is one read of the store, only then and only where our
 * signature is on it. A user token is verified where it always is: such a request goes on, and whatever would refuse it
 * becomes a 429 in `sendOutcome`.
 */
export const rateLimit = fastifyPlugin<RateLimitOptions>(
  async (app, { refusals, readBrowserSession, audit }) => {
    app.decorateRequest('isOverLimit', false);
    if (refusals === undefined) return;

    app.addHook('onRequest', async (request, reply) => {
      const { url, config } = request.routeOptions;
      if (PROBES.has(url) || !refusals.areOver(request)) return;
      if ((await readBrowserSession(request.headers.cookie)) !== undefined) return;
      request.isOverLimit = true;
      if (config.provenByUserToken !== true) return sendOutcome(request, reply, 'rate_limited');
    });

    app.addHook('onSend', async (request, { statusCode }) => {
      if (request.isOverLimit && statusCode === 429) {
        audit.requestRefused({ requestId: request.id, code: 'rate_limited', reason: 'refusals' });
        return;
      }
      if (statusCode < 400 || statusCode > 499 || statusCode === 429) return;
      refusals.count(request);
    });
  },
  { name: 'rate-limit', fastify: '5.x', dependencies: ['http-rules'] },
);
