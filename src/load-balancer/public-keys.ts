import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../binding/clock.ts';
import { fetchBytes } from '../issuer/fetch-bytes.ts';
import { IssuerFault } from '../issuer/issuer-fault.ts';
import { parseIssuerUrl } from '../issuer/issuer-url.ts';

/** Limits on what the key endpoint may cost us, and on what strangers can make us ask it. */
export interface PublicKeyBudgets {
  readonly fetchTimeoutMs: number;
  /** Between the end of one fetch of a key and the next of the same. */
  readonly cooldownMs: number;
  /** How long a key is used without asking again: a key that was withdrawn is not believed for ever. */
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  readonly maxHeld: number;
  /** Fetches of keys not held, within one cooldown. */
  readonly maxUnheld: number;
}

export interface PublicKeysOptions extends PublicKeyBudgets {
  readonly publicKeysUrl: string;
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  /** Once per failed fetch. The reason is a stable word of ours. */
  readonly onFault: (reason: string) => void;
}

/** `unknown_key`: the endpoint was asked and has no such key. `unavailable`: it could not be asked, or not now. */
export type PublicKeyLookup =
  | { readonly kind: 'found'; readonly key: KeyObject }
  | { readonly kind: 'unknown_key' }
  | { readonly kind: 'unavailable' };

/** The load balancer's public keys. */
export interface PublicKeys {
  find(kid: string): Promise<PublicKeyLookup>;
}

/** The endpoint is a bucket: of an object that is not there it says 403 to whoever may not list it. */
const NO_SUCH_KEY: ReadonlySet<string> = new Set(['status_403', 'status_404']);
/** A public key and nothing else: Node would take the public half of a private key, or a certificate's. */
const PUBLIC_KEY_PEM = /^-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*$/;

/**
 * Fetches `<publicKeysUrl>/<kid>` on demand: one fetch in flight per key, none within the cooldown after it, and few for
 * keys never seen, since anybody whose request reaches a trusted proxy can make up names of keys (SB-12, SB-20).
 */
export function createPublicKeys(options: PublicKeysOptions): PublicKeys {
  const { publicKeysUrl, clock, fetch, onFault } = options;
  const { fetchTimeoutMs, cooldownMs, maxAgeMs, maxBytes, maxHeld, maxUnheld } = options;
  /** Least recently used first. */
  const held = new Map<string, { readonly key: KeyObject; readonly loadedAtMs: number }>();
  const inFlight = new Map<string, Promise<PublicKeyLookup>>();
  /** What the last fetch came to, as long as the cooldown after it lasts. */
  const lately = new Map<string, { readonly lookup: PublicKeyLookup; readonly endedAtMs: number }>();
  let unheldSinceMs = Number.NEGATIVE_INFINITY;
  let unheld = 0;

  async function load(kid: string): Promise<PublicKeyLookup> {
    const lookup = await ask(kid);
    lately.set(kid, { lookup, endedAtMs: clock.monotonicMs() });
    if (lookup.kind === 'found') hold(kid, lookup.key);
    if (lookup.kind === 'unknown_key') held.delete(kid);
    return lookup;
  }

  async function ask(kid: string): Promise<PublicKeyLookup> {
    try {
      const url = parseIssuerUrl(`${publicKeysUrl}/${kid}`);
      if (url === undefined) throw new IssuerFault('public_keys_url_not_https');
      const { signal } = clock.deadline(fetchTimeoutMs);
      return {
        kind: 'found',
        key: parseKey(await fetchBytes(url, { fetch, maxBytes, signal, accept: '*/*' })),
      };
    } catch (error) {
      if (!(error instanceof IssuerFault)) throw error;
      onFault(error.reason);
      return { kind: NO_SUCH_KEY.has(error.reason) ? 'unknown_key' : 'unavailable' };
    }
  }

  function hold(kid: string, key: KeyObject): void {
    held.delete(kid);
    held.set(kid, { key, loadedAtMs: clock.monotonicMs() });
    for (const oldest of held.keys()) {
      if (held.size <= maxHeld) break;
      held.delete(oldest);
    }
  }

  /** Never a verdict about the header, and in no user's way whose key is held. */
  function mayAskForUnheld(nowMs: number): boolean {
    if (nowMs - unheldSinceMs >= cooldownMs) {
      unheldSinceMs = nowMs;
      unheld = 0;
    }
    unheld += 1;
    return unheld <= maxUnheld;
  }

  return {
    async find(kid) {
      const nowMs = clock.monotonicMs();
      for (const [name, { endedAtMs }] of lately) if (nowMs - endedAtMs >= cooldownMs) lately.delete(name);
      const known = held.get(kid);
      if (known !== undefined) {
        held.delete(kid);
        held.set(kid, known);
        if (nowMs - known.loadedAtMs < maxAgeMs) return { kind: 'found', key: known.key };
      }
      const recent = lately.get(kid)?.lookup;
      let lookup = recent;
      if (lookup === undefined) {
        let pending = inFlight.get(kid);
        if (pending === undefined) {
          if (known === undefined && !mayAskForUnheld(nowMs)) return { kind: 'unavailable' };
          pending = load(kid).finally(() => inFlight.delete(kid));
          inFlight.set(kid, pending);
        }
        lookup = await pending;
      }
      // An outage of the endpoint must not sign everybody out.
      return lookup.kind === 'unavailable' && known !== undefined
        ? { kind: 'found', key: known.key }
        : lookup;
    },
  };
}

function parseKey(bytes: Uint8Array): KeyObject {
  const pem = Buffer.from(bytes).toString('latin1');
  if (!PUBLIC_KEY_PEM.test(pem)) throw new IssuerFault('not_a_public_key');
  const key = importKey(pem);
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  if (!isP256) throw new IssuerFault('not_a_p256_key');
  return key;
}

function importKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    // Nothing but what the endpoint published goes in, so whatever is thrown says: not a key.
    throw new IssuerFault('not_a_public_key', { cause });
  }
}
