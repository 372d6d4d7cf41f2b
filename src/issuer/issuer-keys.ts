import type { Clock } from '../binding/clock.ts';
import { IssuerFault } from './issuer-fault.ts';
import { fetchIssuerDocument } from './issuer-document.ts';
import type { IssuerDocument } from './issuer-document.ts';
import type { JsonObject } from './json-object.ts';
import { selectKey } from './usable-keys.ts';
import type { KeySelection } from './usable-keys.ts';

/** Limits on what an issuer may cost us. */
export interface IssuerBudgets {
  /** For discovery and key set together. */
  readonly fetchTimeoutMs: number;
  /** Between the end of one attempt and the start of the next. */
  readonly cooldownMs: number;
  /** How long keys are used without asking again. */
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

/** Contract §10. */
export const ISSUER_BUDGETS: IssuerBudgets = {
  fetchTimeoutMs: 3000,
  cooldownMs: 5000,
  maxAgeMs: 10 * 60_000,
  maxBytes: 256 * 1024,
};

export interface IssuerKeysOptions extends IssuerBudgets {
  readonly discoveryUrl: string;
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  readonly onFault: (reason: string) => void;
  /** Asked before keys of this issuer are held; false when another discovery URL speaks for it. */
  readonly mayHold: (issuer: string) => boolean;
}

/** `unknown_key`: the issuer was asked and has no such key. `issuer_unavailable`: it could not be asked. */
export type KeyLookup = KeySelection | { readonly kind: 'issuer_unavailable' };

/** The keys behind one discovery URL, kept fresh on demand. */
export interface IssuerKeys {
  readonly discoveryUrl: string;
  /** The issuer whose keys are held, if any are. */
  issuer(): string | undefined;
  /** Its discovery document, held together with the keys. */
  metadata(): JsonObject | undefined;
  /** The last attempt to reach the issuer failed. */
  failing(): boolean;
  /** The key for a token's header; waits for a fetch only where the held keys may be out of date. */
  find(kid: string | undefined, alg: string): Promise<KeyLookup>;
  /** Fetches unless what is held is fresh. An issuer at fault goes to `onFault` and rejects nothing. */
  load(): Promise<void>;
  /** Lets go of the keys: a discovery URL that takes precedence speaks for this issuer. */
  yieldIssuer(): void;
}

export function createIssuerKeys(options: IssuerKeysOptions): IssuerKeys {
  const { clock, cooldownMs, maxAgeMs } = options;
  let held: (IssuerDocument & { readonly loadedAtMs: number }) | undefined;
  let lastAttempt: { readonly endedAtMs: number; readonly failed: boolean } | undefined;
  let inFlight: Promise<void> | undefined;

  function fail(reason: string): void {
    lastAttempt = { endedAtMs: clock.monotonicMs(), failed: true };
    options.onFault(reason);
  }

  async function attempt(): Promise<void> {
    try {
      const document = await fetchIssuerDocument(options);
      // A discovery document that turns into another issuer's would take all users of this one with it.
      if (held !== undefined && held.issuer !== document.issuer) throw new IssuerFault('issuer_changed');
      if (!options.mayHold(document.issuer)) throw new IssuerFault('duplicate_issuer');
      held = { ...document, loadedAtMs: clock.monotonicMs() };
      lastAttempt = { endedAtMs: held.loadedAtMs, failed: false };
    } catch (error) {
      if (!(error instanceof IssuerFault)) throw error;
      // What is held stays: an outage of the issuer must not sign everybody out (SB-12).
      fail(error.reason);
    } finally {
      inFlight = undefined;
    }
  }

  /** One attempt at a time, and none within the cooldown: random `kid`s must not become requests (SB-12). */
  async function refresh(): Promise<void> {
    const isCoolingDown =
      lastAttempt !== undefined && clock.monotonicMs() - lastAttempt.endedAtMs < cooldownMs;
    if (isCoolingDown) return;
    inFlight ??= attempt();
    await inFlight;
  }

  const isStale = () => held === undefined || clock.monotonicMs() - held.loadedAtMs >= maxAgeMs;
  const failing = () => lastAttempt?.failed ?? false;

  return {
    discoveryUrl: options.discoveryUrl,
    issuer: () => held?.issuer,
    metadata: () => held?.metadata,
    failing,
    async find(kid, alg) {
      if (isStale()) await refresh();
      const selection = selectKey(held?.keys ?? [], kid, alg);
      if (selection.kind !== 'unknown_key') return selection;
      await refresh();
      const second = selectKey(held?.keys ?? [], kid, alg);
      return second.kind === 'unknown_key' && failing() ? { kind: 'issuer_unavailable' } : second;
    },
    async load() {
      if (isStale() || failing()) await refresh();
    },
    yieldIssuer() {
      held = undefined;
      fail('duplicate_issuer');
    },
  };
}
