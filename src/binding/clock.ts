/** Time, passed in to whatever needs it. */
export interface Clock {
  /** Wall clock, whole milliseconds since 1970: for expiries that other machines must understand. */
  nowMs(): number;
  /** Monotonic milliseconds: for budgets, so that a step of the wall clock never stretches one (SB-29). */
  monotonicMs(): number;
  /** Resolves after that many milliseconds, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A time limit of that many monotonic milliseconds, which keeps no process alive. */
  deadline(ms: number): Deadline;
}

export interface Deadline {
  /** Aborts when the time is up. */
  readonly signal: AbortSignal;
  /** What it was for is done. Ten seconds' worth of forgotten ones would outlive every collection. */
  readonly end: () => void;
}

/** Unpredictable bytes, passed in to whatever needs them. */
export interface Randomness {
  /** base64url of that many random bytes. */
  id(bytes: number): string;
  /** Uniform in [0, 1): for jitter only. */
  fraction(): number;
}
