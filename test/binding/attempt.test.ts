import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Attempt,
  CLAIM_LEASE_MS,
  claimAttempt,
  denyAttempt,
  isClaimed,
  isSameAttempt,
  settleAttempt,
} from '../../src/binding/attempt.ts';
import type { BindingCode } from '../../src/binding/outcome.ts';

const ended = fc.constantFrom<BindingCode>(
  'completed',
  'consent_denied',
  'authorization_expired',
  'agentcore_unavailable',
  'outcome_unknown',
);
const holder = fc.constantFrom('first', 'second', 'third');
const nowMs = fc.integer({ min: 0, max: 100_000 });

/** Every record that the transitions can lead to, and the time of the last of them. */
const reached = fc
  .array(
    fc.record({
      transition: fc.constantFrom('claim', 'settle', 'deny'),
      holder,
      ended: fc.option(ended, { nil: undefined }),
      mayHaveBound: fc.boolean(),
      pauseMs: fc.constantFrom(0, 1, 10_000, CLAIM_LEASE_MS - 1, CLAIM_LEASE_MS, 60_000),
    }),
    { maxLength: 8 },
  )
  .map((steps) => {
    let attempt: Attempt | undefined;
    let atMs = 0;
    for (const step of steps) {
      atMs += step.pauseMs;
      if (step.transition === 'claim') attempt = claimAttempt(attempt, step.holder, atMs) ?? attempt;
      if (step.transition === 'deny') attempt = denyAttempt(attempt) ?? attempt;
      if (step.transition === 'settle' && attempt?.claim !== undefined) {
        attempt = settleAttempt(attempt, step.ended, step.mayHaveBound);
      }
    }
    return { attempt, nowMs: atMs };
  });

describe('a claim', () => {
  it('is held by one visit at a time [SB-08]', () => {
    fc.assert(
      fc.property(reached, ({ attempt, nowMs: atMs }) => {
        const claimed = claimAttempt(attempt, 'newcomer', atMs);
        expect(claimed === undefined).toBe(isClaimed(attempt, atMs));
        if (claimed === undefined) return;
        expect(isClaimed(claimed, atMs)).toBe(true);
        expect(claimAttempt(claimed, 'another', atMs)).toBeUndefined();
        expect(claimAttempt(claimed, 'another', atMs + CLAIM_LEASE_MS - 1)).toBeUndefined();
        expect(claimAttempt(claimed, 'another', atMs + CLAIM_LEASE_MS)).toBeDefined();
      }),
    );
  });

  it('hides how an earlier visit ended: those who wait are not shown an old ending', () => {
    fc.assert(
      fc.property(reached, ({ attempt, nowMs: atMs }) => {
        expect(claimAttempt(attempt, 'newcomer', atMs)?.ended).toBeUndefined();
      }),
    );
  });

  it('that lapsed with its holder leaves a doubt; one that was given back does not [SB-23]', () => {
    fc.assert(
      fc.property(reached, ended, ({ attempt, nowMs: atMs }, code) => {
        const before = claimAttempt(attempt, 'newcomer', atMs);
        if (before === undefined) return;
        const afterDeath = claimAttempt(before, 'heir', atMs + CLAIM_LEASE_MS);
        expect(afterDeath?.mayHaveBound).toBe(true);
        const givenBack = settleAttempt(before, code, false);
        expect(claimAttempt(givenBack, 'heir', atMs)?.mayHaveBound).toBe(before.mayHaveBound);
      }),
    );
  });

  it('is its own holder’s to take again, without a doubt', () => {
    fc.assert(
      fc.property(reached, nowMs, ({ attempt, nowMs: atMs }, laterMs) => {
        const first = claimAttempt(attempt, 'newcomer', atMs);
        if (first === undefined) return;
        const again = claimAttempt(first, 'newcomer', atMs + laterMs);
        expect(again?.claim).toEqual({ holder: 'newcomer', leaseUntilMs: atMs + laterMs + CLAIM_LEASE_MS });
        expect(again?.mayHaveBound).toBe(first.mayHaveBound);
      }),
    );
  });

  it('given back is free at once, and says how the visit ended', () => {
    fc.assert(
      fc.property(
        reached,
        fc.option(ended, { nil: undefined }),
        fc.boolean(),
        (state, code, mayHaveBound) => {
          const claimed = claimAttempt(state.attempt, 'newcomer', state.nowMs);
          if (claimed === undefined) return;
          const settled = settleAttempt(claimed, code, mayHaveBound);
          expect(isClaimed(settled, state.nowMs)).toBe(false);
          expect(settled.ended).toBe(code);
          expect(settled.mayHaveBound).toBe(claimed.mayHaveBound || mayHaveBound);
        },
      ),
    );
  });
});

describe('a doubt', () => {
  it('is never lost, whatever happens next [SB-23]', () => {
    fc.assert(
      fc.property(reached, ended, fc.boolean(), ({ attempt, nowMs: atMs }, code, mayHaveBound) => {
        if (attempt?.mayHaveBound !== true) return;
        const next = [
          claimAttempt(attempt, 'newcomer', atMs),
          denyAttempt(attempt),
          settleAttempt(attempt, code, mayHaveBound),
        ];
        for (const one of next) if (one !== undefined) expect(one.mayHaveBound).toBe(true);
      }),
    );
  });
});

describe('a denial', () => {
  it('neither ends a binding under way nor hides one that was made, or may have been', () => {
    fc.assert(
      fc.property(reached, ({ attempt }) => {
        const denied = denyAttempt(attempt);
        // The process that held a lapsed claim may have called, too.
        const mayHide =
          attempt?.claim !== undefined || attempt?.mayHaveBound || attempt?.ended === 'completed';
        expect(denied === undefined).toBe(mayHide ?? false);
        if (denied !== undefined) expect(denied).toEqual({ mayHaveBound: false, ended: 'consent_denied' });
      }),
    );
  });
});

describe('two records', () => {
  it('are the same only if a compare-and-set may take one for the other [SB-08]', () => {
    fc.assert(
      fc.property(reached, reached, ({ attempt: a }, { attempt: b }) => {
        expect(isSameAttempt(a, structuredClone(a))).toBe(true);
        expect(isSameAttempt(a, b)).toBe(JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)));
        expect(isSameAttempt(a, b)).toBe(isSameAttempt(b, a));
      }),
      { numRuns: 1_000 },
    );
  });

  it('differ by any one field', () => {
    const claimed: Attempt = { claim: { holder: 'h', leaseUntilMs: 1 }, mayHaveBound: false };
    const others: readonly (Attempt | undefined)[] = [
      undefined,
      { mayHaveBound: false },
      { ...claimed, mayHaveBound: true },
      { ...claimed, ended: 'completed' },
      { ...claimed, claim: { holder: 'other', leaseUntilMs: 1 } },
      { ...claimed, claim: { holder: 'h', leaseUntilMs: 2 } },
    ];
    for (const other of others) expect(isSameAttempt(claimed, other)).toBe(false);
    expect(isSameAttempt(undefined, undefined)).toBe(true);
  });
});

function sorted(attempt: Attempt | undefined) {
  return attempt && [attempt.claim?.holder, attempt.claim?.leaseUntilMs, attempt.mayHaveBound, attempt.ended];
}
