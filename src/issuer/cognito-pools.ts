import type { Clock } from '../binding/clock.ts';
import type { IssuerKeys } from './issuer-keys.ts';

/** Amazon Cognito user pools that nobody configured, recognised by their issuer URL (contract §5). */
export interface CognitoPools {
  /** The keys of that pool, perhaps not reached yet; why not, where there are none. */
  find(issuer: string): IssuerKeys | 'not_cognito' | 'too_many_pools';
}

export interface CognitoPoolsOptions {
  readonly clock: Clock;
  /** Keys of exactly this issuer, behind its discovery URL. */
  readonly createKeys: (discoveryUrl: string, issuer: string) => IssuerKeys;
}

// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
// The whole URL, and a region's shape in it: `cognito-idp.s3.amazonaws.com` and `cognito-idp.s3-us-west-2…` are
// buckets that anybody may own. A pool's id begins with its region. Partitions with other domains (China, the
// European Sovereign Cloud) have no AgentCore: whoever needs them names the issuer in JWT_DISCOVERY_URL.
const COGNITO_ISSUER =
  /^https:\/\/cognito-idp\.(?<region>[a-z]{2}(?:-gov)?-[a-z]{2,12}-[0-9]{1,2})\.amazonaws\.com\/\k<region>_[0-9A-Za-z]{1,55}$/;

export function isCognitoIssuer(issuer: string): boolean {
  return COGNITO_ISSUER.test(issuer);
}

/** Anybody can name pools in forged tokens: this many may await their first answer at a time (SB-12). */
const MAX_UNREACHED_POOLS = 8;
/** Longer than a fetch and the cooldown after it, so that forgetting a pool wins no further request. */
const UNREACHED_KEPT_MS = 10_000;
/** More than one person uses; the least recently used leaves. */
const MAX_REACHED_POOLS = 8;

export function createCognitoPools({ clock, createKeys }: CognitoPoolsOptions): CognitoPools {
  /** Least recently used first. */
  const pools = new Map<string, { readonly keys: IssuerKeys; readonly sinceMs: number }>();

  function makeRoom(): boolean {
    const nowMs = clock.monotonicMs();
    for (const [issuer, { keys, sinceMs }] of pools) {
      if (keys.issuer() === undefined && nowMs - sinceMs >= UNREACHED_KEPT_MS) pools.delete(issuer);
    }
    const reached = [...pools].filter(([, { keys }]) => keys.issuer() !== undefined);
    if (pools.size - reached.length >= MAX_UNREACHED_POOLS) return false;
    const spare = Math.max(0, reached.length - MAX_REACHED_POOLS + 1);
    for (const [issuer] of reached.slice(0, spare)) pools.delete(issuer);
    return true;
  }

  return {
    find(issuer) {
      if (!isCognitoIssuer(issuer)) return 'not_cognito';
      const known = pools.get(issuer);
      if (known === undefined && !makeRoom()) return 'too_many_pools';
      const pool = known ?? {
        keys: createKeys(`${issuer}/.well-known/openid-configuration`, issuer),
        sinceMs: clock.monotonicMs(),
      };
      pools.delete(issuer);
      pools.set(issuer, pool);
      return pool.keys;
    },
  };
}
