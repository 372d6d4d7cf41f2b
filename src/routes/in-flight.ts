import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify';
import { type User, userKey } from '../binding/user.ts';
import type { Audit } from '../telemetry/audit.ts';
import { sendOutcome } from './answer.ts';
import type { Limits } from './limits.ts';
import type { Turnstile } from './turnstile.ts';

/** Gives a place back. Call it once or more often, it is given back once. */
export type Leave = () => void;

/** How many requests of one kind are under way, in all and by user. */
export class Places {
  readonly #limits: Pick<Limits, 'inFlight' | 'inFlightPerUser'>;
  readonly #turnstile: Turnstile;
  readonly #byUser = new Map<string, number>();
  #taken = 0;

  constructor(limits: Pick<Limits, 'inFlight' | 'inFlightPerUser'>, turnstile: Turnstile) {
    this.#limits = limits;
    this.#turnstile = turnstile;
  }

  /** Takes a place for whoever is let in, now or in a moment; undefined where he is turned away. */
  async enter(request: IncomingMessage): Promise<Leave | undefined> {
    return (await this.getInLine(request)) ? this.take() : undefined;
  }

  /** Whether he is let in. Nothing is done for a client who has left meanwhile: he will come again, or was never there. */
  async getInLine({ socket }: IncomingMessage): Promise<boolean> {
    return !this.#areTaken && (await this.#turnstile.pass()) && !socket.destroyed;
  }

  /** Takes a place; undefined where there is none. */
  take(): Leave | undefined {
    if (this.#areTaken) return undefined;
    this.#taken += 1;
    return once(() => {
      this.#taken -= 1;
    });
  }

  get #areTaken(): boolean {
    return this.#taken >= this.#limits.inFlight;
  }

  /** Besides, one of the places that each user has. */
  takeOwn(user: User): Leave | undefined {
    const key = userKey(user);
    const taken = this.#byUser.get(key) ?? 0;
    if (taken >= this.#limits.inFlightPerUser) return undefined;
    this.#byUser.set(key, taken + 1);
    return once(() => {
      const others = (this.#byUser.get(key) ?? 1) - 1;
      if (others === 0) this.#byUser.delete(key);
      else this.#byUser.set(key, others);
    });
  }
}

function once(leave: Leave): Leave {
  let isLeft = false;
  return () => {
    if (isLeft) return;
    isLeft = true;
    leave();
  };
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Gives back the place that was taken before the cookie was read; null where none was. */
    leavePlace: Leave | null;
  }
}

/**
 * For a scope of routes without a body, before its browser sessions are registered: whoever finds no place is told so
 * before his cookie is read. In a flood most are turned away, and what that costs decides how many can be served.
 */
export function takePlacesFirst(app: FastifyInstance, places: Places, audit: Audit): void {
  app.addHook('onRequest', async (request, reply) => {
    const leave = await places.enter(request.raw);
    if (leave === undefined) return refuse(request, reply, audit);
    request.leavePlace = leave;
  });
  givePlacesBack(app);
}

/**
 * The same for routes with a body. A client whose body is still on its way is let in before it is read, and once more,
 * with a place, when it is whole: a slow one would have the place for nothing, and hundreds of bodies that were held
 * back, and let go together, would be one long turn (SB-21).
 */
export function getInLineFirst(app: FastifyInstance, places: Places, audit: Audit): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!(await places.getInLine(request.raw))) return refuse(request, reply, audit);
    // Of one that did not have to wait only an empty body is whole by now: Node reads on when this turn's promises are done.
    if (request.raw.complete) request.leavePlace = places.take() ?? null;
  });
  // Of a client who has gone meanwhile Fastify would wait for a body for ever: neither handler nor answer comes then, and
  // whoever sends little, and leaves while his cookie is read, would take all places with him, one after the other.
  app.addHook('preParsing', (request, _reply, payload, done) => {
    if (request.raw.destroyed) request.leavePlace?.();
    done(null, payload);
  });
  givePlacesBack(app);
}

/** Of those who are answered before their handler: by a later hook, or because the store is down. */
function givePlacesBack(app: FastifyInstance): void {
  app.decorateRequest('leavePlace', null);
  app.addHook('onSend', ({ leavePlace }, _reply, _payload, done) => {
    leavePlace?.();
    done();
  });
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
    const leave = request.leavePlace ?? (await places.enter(request.raw));
    // From here on the handler's.
    request.leavePlace = null;
    if (leave === undefined) return refuse(request, reply, audit);
    try {
      const user = request.session.browserSession?.user;
      const leaveOwn = user === undefined ? leave : places.takeOwn(user);
      if (leaveOwn === undefined) return await refuse(request, reply, audit);
      try {
        return await handler(request, reply);
      } finally {
        leaveOwn();
      }
    } finally {
      leave();
    }
  };
}

function refuse(request: FastifyRequest, reply: FastifyReply, audit: Audit): FastifyReply {
  audit.requestRefused({ requestId: request.id, code: 'overloaded' });
  return sendOutcome(request, reply, 'overloaded');
}
