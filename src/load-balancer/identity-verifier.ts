import { verify as verifySignature } from 'node:crypto';
import type { Clock } from '../binding/clock.ts';
import type { User } from '../binding/user.ts';
import { subjectOf, usernameOf } from '../issuer/claims.ts';
import type { UserTokenVerifier } from '../issuer/user-token-verifier.ts';
import { createPublicKeys, type PublicKeyBudgets } from './public-keys.ts';
import { parseSignedHeader, type TrustedLoadBalancer } from './signed-header.ts';

export type LoadBalancerVerification =
  | { readonly kind: 'verified'; readonly user: User; readonly username: string | undefined }
  /** Why, in one stable word: for the log, never for the answer. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** Key or issuer could not be asked: nobody's fault at the browser. */
  | { readonly kind: 'issuer_unavailable'; readonly reason: string };

/** Whom a load balancer's identity header names. Never throws for anything that a header can say. */
export interface LoadBalancerVerifier {
  verify(header: string): Promise<LoadBalancerVerification>;
}

export interface LoadBalancerVerifierOptions extends TrustedLoadBalancer {
  readonly publicKeysUrl: string;
  readonly userClaim: string;
  /** Knows the configured issuers: no load balancer may sign in users of others. */
  readonly issuers: Pick<UserTokenVerifier, 'knowsIssuer'>;
  readonly clock: Clock;
  readonly fetch?: typeof globalThis.fetch;
  readonly onFault?: (reason: string) => void;
  readonly budgets?: Partial<PublicKeyBudgets>;
}

/** The load balancer's keys cost what an issuer's may (contract §10), and are a few hundred bytes each. */
const DEFAULT_BUDGETS: PublicKeyBudgets = {
  fetchTimeoutMs: 3000,
  cooldownMs: 5000,
  maxAgeMs: 10 * 60_000,
  maxBytes: 16 * 1024,
  maxHeld: 16,
  maxUnheld: 8,
};

export function createLoadBalancerVerifier(options: LoadBalancerVerifierOptions): LoadBalancerVerifier {
  const { clock, issuers, userClaim } = options;
  const keys = createPublicKeys({
    ...DEFAULT_BUDGETS,
    ...options.budgets,
    publicKeysUrl: options.publicKeysUrl,
    clock,
    fetch: options.fetch ?? globalThis.fetch,
    onFault: (reason) => options.onFault?.(reason),
  });

  return {
    async verify(header) {
      const parsed = parseSignedHeader(header, options, clock.nowMs());
      if (parsed.kind === 'refused') return { kind: 'invalid', reason: parsed.reason };
      const lookup = await keys.find(parsed.kid);
      if (lookup.kind === 'unknown_key') return { kind: 'invalid', reason: 'unknown_key' };
      if (lookup.kind === 'unavailable') return { kind: 'issuer_unavailable', reason: 'load_balancer_key' };

      const { signedText, signature, issuer, unverifiedClaims } = parsed;
      const key = { key: lookup.key, dsaEncoding: 'ieee-p1363' } as const;
      if (!verifySignature('sha256', Buffer.from(signedText), key, signature)) {
        return { kind: 'invalid', reason: 'bad_signature' };
      }
      // Asked only about what the load balancer has signed: nobody else makes us look for issuers.
      const known = await issuers.knowsIssuer(issuer);
      if (known === 'wrong_issuer') return { kind: 'invalid', reason: known };
      if (known === 'issuer_never_reached') return { kind: 'issuer_unavailable', reason: known };
      const subject = subjectOf(unverifiedClaims, userClaim);
      if (subject === undefined) return { kind: 'invalid', reason: 'no_user_claim' };
      return { kind: 'verified', user: { issuer, subject }, username: usernameOf(unverifiedClaims) };
    },
  };
}
