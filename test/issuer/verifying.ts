import { Secret } from '../../src/binding/secret.ts';
import { createUserTokenVerifier } from '../../src/issuer/user-token-verifier.ts';
import type { UserTokenVerifier, UserTokenVerifierOptions } from '../../src/issuer/user-token-verifier.ts';
import { createAdjustableClock } from './adjustable-clock.ts';
import type { AdjustableClock } from './adjustable-clock.ts';

export interface Verifying {
  readonly verifier: UserTokenVerifier;
  readonly clock: AdjustableClock;
  /** Reasons of the faults reported, in order. */
  readonly faults: string[];
  /** `verified`, or `<kind>: <reason>`. */
  readonly verdict: (jwt: string) => Promise<string>;
}

/** A verifier for issuers of the emulator, with a clock in the test's hands. */
export function startVerifying(
  discoveryUrls: readonly string[],
  options: Partial<UserTokenVerifierOptions> = {},
): Verifying {
  const clock = createAdjustableClock();
  const faults: string[] = [];
  const verifier = createUserTokenVerifier({
    discoveryUrls,
    allowedClients: ['emulated-client'],
    allowedAudience: [],
    allowedScopes: [],
    userClaim: 'sub',
    clock,
    onFault: ({ reason }) => void faults.push(reason),
    ...options,
  });
  return {
    verifier,
    clock,
    faults,
    async verdict(jwt) {
      const verification = await verifier.verify(new Secret(jwt));
      return verification.kind === 'verified' ? 'verified' : `${verification.kind}: ${verification.reason}`;
    },
  };
}
