/** Time and chance, so that tests of waiting need not wait. */
export interface Timers {
  /** Milliseconds of a clock that never goes back. */
  nowMs(): number;
  /** Resolves after that many milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
  /** Uniform in [0, 1): for jitter. */
  fraction(): number;
}

export const realTimers: Timers = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal?.addEventListener('abort', stop, { once: true });
    }),
  fraction: () => Math.random(),
};

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** No answer keeps a caller away for longer than this, whatever it says. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/** How long to wait after that many failures in a row: exponential, half of it left to chance. */
export function pauseMs(failures: number, retryAfterMs: number | undefined, timers: Timers): number {
  const ceilingMs = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
  const jitteredMs = ceilingMs * (0.5 + timers.fraction() / 2);
  return Math.max(jitteredMs, Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS));
}
