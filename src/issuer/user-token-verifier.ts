import type { Clock } from '../binding/clock.ts';
import type { Secret } from '../binding/secret.ts';
import { tokenFingerprint } from '../binding/user-token.ts';
import type { UserToken } from '../binding/user-token.ts';
import { checkClaims } from './claims.ts';
import type { ClaimsPolicy } from './claims.ts';
import { createCognitoPools } from './cognito-pools.ts';
import type { CognitoPools } from './cognito-pools.ts';
import { parseCompactJwt } from './compact-jwt.ts';
import { createIssuerKeys, ISSUER_BUDGETS } from './issuer-keys.ts';
import type { IssuerBudgets, IssuerKeys } from './issuer-keys.ts';
import type { TokenVerification } from './ports.ts';
import { verifySignature } from './verify-signature.ts';

export interface UserTokenVerifier {
  /** Signature and every claim. Never throws for anything a caller can send. */
  verify(jwt: Secret): Promise<TokenVerification>;
  /** Whether this is a configured issuer, compared exactly; waits for those not yet reached. */
  knowsIssuer(issuer: string): Promise<'configured' | 'wrong_issuer' | 'issuer_never_reached'>;
  /** Tries to reach every issuer whose keys are not held fresh; never rejects. */
  load(): Promise<void>;
  /** One entry per configured discovery URL, in order. */
  readonly issuers: readonly IssuerKeys[];
  /** For /ready: one entry per configured discovery URL, in order. */
  status(): readonly IssuerStatus[];
}

export interface IssuerStatus {
  readonly discoveryUrl: string;
  readonly reachedOnce: boolean;
  readonly failing: boolean;
}

export interface UserTokenVerifierOptions extends ClaimsPolicy {
  readonly discoveryUrls: readonly string[];
  /** Where no discovery URL is configured, any Cognito user pool is an issuer: for single-user environments only. */
  readonly recognizesCognito?: boolean;
  readonly clock: Clock;
  readonly fetch?: typeof globalThis.fetch;
  /** For the log: once per failed attempt. The reason is a stable word of ours. */
  readonly onFault?: (fault: { readonly discoveryUrl: string; readonly reason: string }) => void;
  readonly budgets?: Partial<IssuerBudgets>;
}

export function createUserTokenVerifier(options: UserTokenVerifierOptions): UserTokenVerifier {
  const { clock } = options;
  const createKeys = (discoveryUrl: string, mayHold: (issuer: string) => boolean) =>
    createIssuerKeys({
      ...ISSUER_BUDGETS,
      ...options.budgets,
      discoveryUrl,
      clock,
      fetch: options.fetch ?? globalThis.fetch,
      onFault: (reason) => options.onFault?.({ discoveryUrl, reason }),
      mayHold,
    });

  const issuers: readonly IssuerKeys[] = options.discoveryUrls.map((discoveryUrl, index) =>
    createKeys(
      discoveryUrl,
      // Of two documents that name one issuer the first configured is believed, in whichever order they arrive:
      // whose keys count must not depend on who was slow at the start (SB-11).
      (issuer) => {
        if (issuers.slice(0, index).some((earlier) => earlier.issuer() === issuer)) return false;
        for (const later of issuers.slice(index + 1)) if (later.issuer() === issuer) later.yieldIssuer();
        return true;
      },
    ),
  );
  const pools =
    options.recognizesCognito && issuers.length === 0
      ? createCognitoPools({
          clock,
          createKeys: (discoveryUrl, issuer) => createKeys(discoveryUrl, (found) => found === issuer),
        })
      : undefined;

  /**
   * Whose keys are asked about a token that claims this issuer. Only a token of none of the issuers held waits
   * for those not yet reached, and only until the first of them turns out to be its issuer.
   */
  async function findIssuer(claimedIssuer: string): Promise<IssuerKeys | undefined> {
    // Compared exactly: `https://issuer` and `https://issuer/` may be two tenants (SB-11).
    const known = issuers.find((keys) => keys.issuer() === claimedIssuer);
    if (known !== undefined) return known;
    const missing = issuers.filter((keys) => keys.issuer() === undefined);
    const loading = new Map(missing.map((keys) => [keys, keys.load().then(() => keys)]));
    while (loading.size > 0) {
      const loaded = await Promise.race(loading.values());
      if (loaded.issuer() === claimedIssuer) return loaded;
      loading.delete(loaded);
    }
    return undefined;
  }

  async function findPool(claimedIssuer: string, known: CognitoPools) {
    const keys = known.find(claimedIssuer);
    if (keys === 'not_cognito') return invalid('issuer_not_configured');
    if (keys === 'too_many_pools') return unavailable(keys);
    if (keys.issuer() === undefined) await keys.load();
    return keys.issuer() === undefined
      ? unavailable('issuer_never_reached')
      : ({ kind: 'found', keys } as const);
  }

  async function findConfigured(claimedIssuer: string) {
    const keys = await findIssuer(claimedIssuer);
    if (keys !== undefined) return { kind: 'found', keys } as const;
    const isAnyMissing = issuers.some((candidate) => candidate.issuer() === undefined);
    return isAnyMissing
      ? ({ kind: 'issuer_unavailable', reason: 'issuer_never_reached' } as const)
      : ({ kind: 'invalid', reason: 'wrong_issuer' } as const);
  }

  return {
    issuers,
    async verify(jwt) {
      const parsed = parseCompactJwt(jwt.reveal());
      if (parsed.kind === 'refused') return invalid(parsed.reason);
      // Until the signature is checked `iss` chooses among keys that we hold, and nothing else.
      const { iss } = parsed.unverifiedClaims;
      if (typeof iss !== 'string') return invalid('wrong_issuer');
      const found = pools === undefined ? await findConfigured(iss) : await findPool(iss, pools);
      if (found.kind !== 'found') return found;
      const signature = await verifySignature(jwt, parsed, found.keys);
      if (signature.kind !== 'verified') return signature;
      const check = checkClaims(signature.claims, options, clock.nowMs());
      if (check.kind === 'refused') return invalid(check.reason);
      const { subject, expiresAtMs, username } = check;
      const userToken: UserToken = {
        user: { issuer: iss, subject },
        jwt,
        fingerprint: tokenFingerprint(jwt),
        expiresAtMs,
        ...(username !== undefined && { username }),
      };
      return { kind: 'verified', userToken };
    },
    async knowsIssuer(issuer) {
      const found = await findConfigured(issuer);
      return found.kind === 'found' ? 'configured' : found.reason;
    },
    async load() {
      await Promise.all(issuers.map((keys) => keys.load()));
    },
    status: () =>
      issuers.map((keys) => ({
        discoveryUrl: keys.discoveryUrl,
        reachedOnce: keys.issuer() !== undefined,
        failing: keys.failing(),
      })),
  };
}

function invalid(reason: string): TokenVerification {
  return { kind: 'invalid', reason };
}

function unavailable(reason: string): TokenVerification {
  return { kind: 'issuer_unavailable', reason };
}
