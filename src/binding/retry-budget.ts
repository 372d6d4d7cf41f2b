import type { Clock } from './clock.ts';

/** The retries that all callbacks of this process share. First calls need no leave. */
export interface RetryBudget {
  /** True if one more retry may be made; takes it from the budget. */
  take(): boolean;
  /** AgentCore gave an answer of its own: it is alive, and a retry is worth making. */
  answered(): void;
}

/** Enough for the people who are under way when AgentCore stumbles. */
const MOST_RETRIES = 50;
/** A fifth of what AgentCore still answers may be spent on asking it again. */
const PER_ANSWER = 0.2;
/** So that a quiet service, to which no answer comes, is not left without retries after an outage. */
const PER_SECOND = 1;

/**
 * A full bucket at the start. While AgentCore answers nobody, each callback makes its one call and all of them together
 * one retry a second: three calls of everybody would keep a dying AgentCore from getting up (SB-23).
 */
export function createRetryBudget(clock: Pick<Clock, 'monotonicMs'>): RetryBudget {
  let left = MOST_RETRIES;
  let filledAtMs = clock.monotonicMs();

  function fill(more: number): void {
    const nowMs = clock.monotonicMs();
    left = Math.min(MOST_RETRIES, left + more + ((nowMs - filledAtMs) / 1000) * PER_SECOND);
    filledAtMs = nowMs;
  }

  return {
    take() {
      fill(0);
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    answered: () => fill(PER_ANSWER),
  };
}
