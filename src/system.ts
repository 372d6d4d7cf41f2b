import { randomFillSync } from 'node:crypto';
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
  deadline(ms) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), ms).unref();
    return { signal: controller.signal, end: () => clearTimeout(timer) };
  },
};

/** A callback needs four ids, and asking the machine for each of them costs more than all that is done with them. */
const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let usedBytes = POOL_BYTES;

/** The machine's own cryptographic randomness. */
export const systemRandomness: Randomness = {
  id(bytes) {
    if (bytes > POOL_BYTES) throw new RangeError('an id is shorter');
    if (usedBytes + bytes > POOL_BYTES) {
      randomFillSync(pool);
      usedBytes = 0;
    }
    const id = pool.toString('base64url', usedBytes, usedBytes + bytes);
    // What was given out is nobody's to find here.
    pool.fill(0, usedBytes, usedBytes + bytes);
    usedBytes += bytes;
    return id;
  },
  fraction: () => Math.random(),
};
