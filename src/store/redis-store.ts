import type { Clock, Randomness } from '../binding/clock.ts';
import type { Secret } from '../binding/secret.ts';
import { createRecordSealer } from '../sealing/record-sealer.ts';
import { createRedisAttempts } from './redis-attempts.ts';
import { createRedisBrowserSessions } from './redis-browser-sessions.ts';
import { createRedisCompletions } from './redis-completions.ts';
import { type RedisAddress, RedisConnection } from './redis-connection.ts';
import { redisKeys } from './redis-keys.ts';
import { createRedisPins } from './redis-pins.ts';
import { createRedisSignInCodes } from './redis-sign-in-codes.ts';
import { createRedisUserTokens } from './redis-user-tokens.ts';
import { type RecordKind, SealedRecords } from './sealed-records.ts';
import type { Store } from './store.ts';

export interface RedisStoreOptions {
  readonly address: RedisAddress;
  readonly sessionSecrets: readonly [Secret, ...Secret[]];
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Told each time a command or the connection fails, in one stable word. */
  readonly onFault: (reason: string) => void;
  /** Told of each record that could not be opened and so counts as absent (SB-15). */
  readonly onUnreadable: (kind: RecordKind) => void;
}

const PROBE_TTL_MS = 10_000;

/** All records in a Valkey or Redis that replicas share, sealed. Never waits for the server to start. */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { address, sessionSecrets, clock, randomness, onFault, onUnreadable } = options;
  const sealer = createRecordSealer(sessionSecrets, randomness);
  const connection = new RedisConnection({ address, randomness, onFault });
  const deps = { connection, clock, records: new SealedRecords({ sealer, clock, onUnreadable }) };
  return {
    userTokens: createRedisUserTokens(deps),
    pins: createRedisPins(deps),
    attempts: createRedisAttempts(deps),
    completions: createRedisCompletions(deps),
    browserSessions: createRedisBrowserSessions(deps),
    signInCodes: createRedisSignInCodes(deps),
    // A write, since a full server and a read-only replica still answer reads.
    async works() {
      const written = connection.send((client) => client.set(redisKeys.probe(), '', 'PX', PROBE_TTL_MS));
      return written.then(
        () => true,
        () => false,
      );
    },
    close: () => connection.close(),
  };
}
