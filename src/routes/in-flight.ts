import type { FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify';
import { userKey } from '../binding/user.ts';
import type { Audit } from '../telemetry/audit.ts';
import { sendOutcome } from './answer.ts';
import type { Limits } from './limits.ts';

/** How many requests of one kind are under way, in all and by user. */
export class Places {
  readonly #limits: Pick<Limits, 'inFlight' | 'inFlightPerUser'>;
  readonly #isBehind: () => boolean;
  readonly #byUser = new Map<string, number>();
  #taken = 0;

  /** While the process `isBehind` with its work there is no place either. */
  constructor(limits: Pick<Limits, 'inFlight' | 'inFlightPerUser'>, isBehind: () => boolean) {
    this.#limits = limits;
    this.#isBehind = isBehind;
  }

  /** Takes a place, or undefined at once when there is none. Call what it gives exactly once. */
  take(user: string | undefined): (() => void) | undefined {
    const ofUser = user === undefined ? 0 : (this.#byUser.get(user) ?? 0);
    if (this.#taken >= this.#limits.inFlight || ofUser >= this.#limits.inFlightPerUser) return undefined;
    // One at a time is let in even then: a machine that is slow for another reason must not turn everybody away.
    if (this.#taken > 0 && this.#isBehind()) return undefined;
    this.#taken += 1;
    if (user !== undefined) this.#byUser.set(user, ofUser + 1);
    return () => this.#leave(user);
  }

  #leave(user: string | undefined): void {
    this.#taken -= 1;
    if (user === undefined) return;
    const others = (this.#byUser.get(user) ?? 1) - 1;
    if (others === 0) this.#byUser.delete(user);
    else this.#byUser.set(user, others);
  }
}

type Handler<Route extends RouteGenericInterface> = (
  request: FastifyRequest<Route>,
  reply: FastifyReply,
) => Promise<unknown>;

/**
 * Runs the handler while there is a place; without one the answer is `overloaded`, at once (contract §10). The place is
 * held until the work is done, not until the client has gone: hanging up must not make room for more of the same.
 */
export function whilePlacesLast<Route extends RouteGenericInterface>(
  places: Places,
  audit: Audit,
  handler: Handler<Route>,
): Handler<Route> {
  return async (request, reply) => {
    const user = request.session.browserSession?.user;
    const leave = places.take(user && userKey(user));
    if (leave === undefined) {
      audit.requestRefused({ requestId: request.id, code: 'overloaded' });
      return sendOutcome(request, reply, 'overloaded');
    }
    try {
      return await handler(request, reply);
    } finally {
      leave();
    }
  };
}
