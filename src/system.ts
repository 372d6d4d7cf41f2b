import { randomBytes } from 'node:crypto';
import type { Clock, Randomness } from './binding/clock.ts';

/** The machine's own time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done);
    }),
  timeout: (ms) => AbortSignal.timeout(ms),
};

/** The machine's own cryptographic randomness. */
export const systemRandomness: Randomness = {
  id: (bytes) => randomBytes(bytes).toString('base64url'),
  fraction: () => Math.random(),
};
