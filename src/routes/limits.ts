/** What one client, or all of them together, may take of the service (SB-21, contract §10). */
export interface Limits {
  /** Headers and body must be whole by then, counted from the first byte; so must the first byte of a connection. */
  readonly requestTimeoutMs: number;
  /** A connection without request is closed after that. */
  readonly idleTimeoutMs: number;
  /** How often connections are looked over for the two above. */
  readonly connectionCheckMs: number;
  /** Requests of one kind that may be under way at once: callbacks, and POSTs of user tokens. */
  readonly inFlight: number;
  /** How many of them one user may have. */
  readonly inFlightPerUser: number;
  /** Requests of all kinds that are let in within one turn of the event loop. */
  readonly perTurn: number;
  /** Questions about the status of a flow that may be under way at once, those that wait for its end among them. */
  readonly waiters: number;
  /** How many of them one user may have. */
  readonly waitersPerUser: number;
}

export const LIMITS: Limits = {
  requestTimeoutMs: 15_000,
  // Longer than the minute after which load balancers drop an idle connection: the side that closes first must not be
  // the one that the other still sends to, or people see a 502.
  idleTimeoutMs: 75_000,
  connectionCheckMs: 1_000,
  // While AgentCore answers in 0.2 s these are more than a thousand callbacks a second. While it hangs each place is
  // held for up to ten seconds, with a socket and some 100 KiB, and whoever comes then is told so at once.
  inFlight: 256,
  // Waiting for one's own second tab costs nobody else anything, until somebody opens hundreds of them: a user who
  // visits one link in a loop must not leave the others without a place (SB-09).
  inFlightPerUser: 64,
  // More than come in a turn of a process that is not flooded: a few milliseconds, of which each takes half of one. With
  // twice as many whoever is served in a flood took twice as long, and no more were served.
  perTurn: 8,
  // A waiter holds a socket and some kilobytes for up to 25 seconds; half of the files that a container may open.
  waiters: 2048,
  // As many as he may have live pins.
  waitersPerUser: 32,
};

/**
 * All headers together. Node's 16 KiB are too few where a load balancer signs in: it sends up to 11 KiB of claims, the
 * access token and its own cookies along.
 */
export const MAX_HEADER_BYTES = 32 * 1024;

/**
 * Header lines, of which browsers and proxies together send some forty. Far below the 2000 from which on Node drops lines
 * without a word, a second Host among them (SB-19).
 */
export const MAX_HEADER_LINES = 128;
