import type { BindingCode } from './outcome.ts';

/**
 * What is known of one user's attempts to finish one authorization session. Kept per (authorization session,
 * user): whatever a stranger does, he does to a record of his own (SB-09).
 *
 * Each function here is a pure transition; a store applies its result with one atomic compare-and-set.
 */
export interface Attempt {
  /** Somebody is calling AgentCore now. Written before the call, so that a killed process leaves a trace. */
  readonly claim?: { readonly holder: string; readonly leaseUntilMs: number };
  /** A call was announced and its answer never came: AgentCore may have bound it. */
  readonly mayHaveBound: boolean;
  /** How the last visit ended: shown to the visits that waited for it. */
  readonly ended?: BindingCode;
}

/** The budget of a callback and the skew below: a claim that lapses has lost its holder. */
export const CLAIM_LEASE_MS = 20_000;
/** How far the wall clocks of two replicas may differ before both may call AgentCore (SB-29). */
const MAX_CLOCK_SKEW_MS = 10_000;
export const ATTEMPT_KEPT_MS = 24 * 60 * 60_000;

/** True while a holder may still be calling AgentCore. */
export function isClaimed(attempt: Attempt | undefined, nowMs: number): boolean {
  if (attempt?.claim === undefined) return false;
  const leftMs = attempt.claim.leaseUntilMs - nowMs;
  // A lease that is longer than any was written under a clock that runs ahead. Were it believed, a holder that died
  // would lock its user out for as long as that clock is wrong (SB-29).
  return leftMs > 0 && leftMs <= CLAIM_LEASE_MS + MAX_CLOCK_SKEW_MS;
}

/** The claimed record, or undefined while another visit holds the claim (SB-08). */
export function claimAttempt(
  attempt: Attempt | undefined,
  holder: string,
  nowMs: number,
): Attempt | undefined {
  // A store client that sent the claim twice may have heard of the second command alone.
  const isOwn = attempt?.claim?.holder === holder;
  if (isClaimed(attempt, nowMs) && !isOwn) return undefined;
  // A claim that is still written down but has lapsed belonged to a process that died, perhaps after its call
  // reached AgentCore.
  const lostItsHolder = attempt?.claim !== undefined && !isOwn;
  return {
    claim: { holder, leaseUntilMs: nowMs + CLAIM_LEASE_MS },
    mayHaveBound: (attempt?.mayHaveBound ?? false) || lostItsHolder,
  };
}

/** The claim given back, with how the visit ended where that is known. */
export function settleAttempt(
  claimed: Attempt,
  ended: BindingCode | undefined,
  mayHaveBound: boolean,
): Attempt {
  const settled = { mayHaveBound: claimed.mayHaveBound || mayHaveBound };
  return ended === undefined ? settled : { ...settled, ended };
}

/**
 * A denial noted, or undefined where it must not be: anybody can forge one, so it neither ends a binding under way nor
 * hides one that succeeded or may have.
 */
export function denyAttempt(attempt: Attempt | undefined): Attempt | undefined {
  // A claim that has lapsed may have bound, too: its holder died.
  if (attempt?.claim !== undefined || attempt?.mayHaveBound || attempt?.ended === 'completed')
    return undefined;
  return { mayHaveBound: false, ended: 'consent_denied' };
}

/** Equality by value: what a compare-and-set compares. */
export function isSameAttempt(a: Attempt | undefined, b: Attempt | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.claim?.holder === b.claim?.holder &&
    a.claim?.leaseUntilMs === b.claim?.leaseUntilMs &&
    a.mayHaveBound === b.mayHaveBound &&
    a.ended === b.ended
  );
}
