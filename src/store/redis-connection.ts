import { Cluster, Redis, ReplyError } from 'ioredis';
import type { Randomness } from '../binding/clock.ts';
import { StoreUnavailable } from '../binding/ports.ts';
import type { Secret } from '../binding/secret.ts';
import type { RedisScript } from './redis-scripts.ts';

/** Where a Valkey or Redis is, and who we are there. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: Secret | undefined;
  readonly password: Secret | undefined;
  readonly db: number;
  readonly cluster: boolean;
}

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  readonly randomness: Randomness;
  /** Told each time something fails, in one stable word. */
  readonly onFault: (reason: string) => void;
}

/** Contract §10. Of a cluster it has to last for redirections, too. */
const COMMAND_BUDGET_MS = 1_000;
// Half of it for one server: a callback makes several commands.
const COMMAND_TIMEOUT_MS = 500;
// A server that is silent for this long is given up with all that waits for it: nothing piles up behind it.
const SILENCE_MS = 1_000;
const CONNECT_TIMEOUT_MS = 1_000;
const MAX_RECONNECT_PAUSE_MS = 1_000;

/** A connection to one server or cluster that comes back by itself. Whatever the driver throws is StoreUnavailable. */
export class RedisConnection {
  readonly #client: Redis | Cluster;
  readonly #onFault: (reason: string) => void;
  /** Why there is no connection: what a command that finds none says of it. */
  #disconnectedBy: string | undefined;

  constructor({ address, randomness, onFault }: RedisConnectionOptions) {
    this.#onFault = onFault;
    const pauseMs = (attempts: number) =>
      Math.min(50 * 2 ** attempts, MAX_RECONNECT_PAUSE_MS) * (0.5 + randomness.fraction() / 2);
    this.#client = address.cluster ? connectCluster(address, pauseMs) : connectServer(address, pauseMs);
    // Without a listener the driver prints what it met.
    const note = (error: unknown) => {
      this.#disconnectedBy = faultReason(error);
      onFault(this.#disconnectedBy);
    };
    this.#client.on('error', note).on('node error', note);
    this.#client.on('ready', () => {
      this.#disconnectedBy = undefined;
    });
  }

  /** Runs one command. Throws StoreUnavailable, never with a word of the server's or the driver's text. */
  async send<Reply>(command: (client: Redis | Cluster) => Promise<Reply>): Promise<Reply> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(TIMED_OUT)), COMMAND_BUDGET_MS);
    });
    try {
      return await Promise.race([command(this.#client), late]);
    } catch (error) {
      const known = faultReason(error);
      const reason = known === NOT_CONNECTED ? (this.#disconnectedBy ?? known) : known;
      this.#onFault(reason);
      throw new StoreUnavailable(`the store failed: ${reason}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs a script on its one key. */
  async run(
    { lua, sha1 }: RedisScript,
    key: string,
    ...args: readonly (string | number)[]
  ): Promise<unknown> {
    return this.send(async (client) => {
      try {
        return await client.evalsha(sha1, 1, key, ...args);
      } catch (error) {
        // A server that was restarted has forgotten its scripts; this one it keeps again.
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return client.eval(lua, 1, key, ...args);
      }
    });
  }

  async close(): Promise<void> {
    this.#client.disconnect();
  }
}

function connectServer(address: RedisAddress, pauseMs: (attempts: number) => number): Redis {
  return new Redis({
    ...nodeOptions(address),
    host: address.host,
    port: address.port,
    db: address.db,
    enableOfflineQueue: false,
    retryStrategy: pauseMs,
    // After a failover the name leads to the new primary; the old one only says that it is read-only.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
}

function connectCluster(address: RedisAddress, pauseMs: (attempts: number) => number): Cluster {
  return new Cluster([{ host: address.host, port: address.port }], {
    redisOptions: nodeOptions(address),
    enableOfflineQueue: false,
    clusterRetryStrategy: pauseMs,
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    // Each is a chance to be told the way: few, so that all of them fit into the budget of a command.
    maxRedirections: 5,
    // A certificate names hosts, not addresses.
    ...(address.tls ? { dnsLookup: asItIs } : {}),
  });
}

function asItIs(name: string, done: (error: null, address: string) => void): void {
  done(null, name);
}

function nodeOptions({ username, password, tls }: RedisAddress) {
  return {
    ...(username === undefined ? {} : { username: username.reveal() }),
    ...(password === undefined ? {} : { password: password.reveal() }),
    ...(tls ? { tls: {} } : {}),
    protocol: 2 as const,
    disableClientInfo: true,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxLoadingRetryTime: MAX_RECONNECT_PAUSE_MS,
    // A command whose connection broke fails at once and is not sent again: its caller decides what that means.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  };
}

const NOT_CONNECTED = 'not_connected';
/** The driver's own words for it. */
const TIMED_OUT = 'Command timed out';

const SERVER_ERRORS: ReadonlySet<string> = new Set(
  (
    'ASK BUSY CLUSTERDOWN LOADING MASTERDOWN MISCONF MOVED NOAUTH NOPERM NOREPLICAS ' +
    'OOM READONLY TRYAGAIN UNKILLABLE WRONGPASS WRONGTYPE'
  ).split(' '),
);

/** One word of a closed set, or a code of Node's: an error's own text may quote a key, a value or a password (SB-16). */
function faultReason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error instanceof ReplyError) {
    const word = error.message.split(' ', 1)[0] ?? '';
    return SERVER_ERRORS.has(word) ? word : 'refused';
  }
  if ('code' in error && typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(error.code)) {
    return error.code;
  }
  if (error.message === TIMED_OUT || error.message.startsWith('Socket timeout')) return 'timeout';
  return NOT_CONNECTED;
}
