import type { Clock } from './binding/clock.ts';

export type CheckResult = 'ok' | 'failing';

export interface ReadinessReport {
  readonly status: 'starting' | 'ready' | 'degraded' | 'draining';
  readonly checks: Readonly<Record<'store' | 'jwks' | 'credentials', CheckResult>> & {
    /** Only where it fails: in a Studio space that could not learn its own address. */
    readonly public_url?: 'failing';
  };
}

export interface ReadinessDeps {
  readonly clock: Clock;
  /** Rejects or answers false when the store fails. */
  readonly storeWorks: () => Promise<boolean>;
  readonly credentialsWork: () => Promise<boolean>;
  readonly issuers: {
    status(): readonly { readonly reachedOnce: boolean; readonly failing: boolean }[];
    /** Asks those again that failed, not more often than their cooldown allows. */
    load(): Promise<void>;
  };
  /** False: no browser will find its way back here, and nothing but a restart changes that. */
  readonly isPublicUrlKnown?: boolean;
}

const CHECK_BUDGET_MS = 900;
const CACHE_MS = 5_000;

/** What `/ready` says (contract §5): answers within a second, asks its parts at most every five. */
export class Readiness {
  readonly #deps: ReadinessDeps;
  #draining = false;
  readonly #drainListeners: (() => void)[] = [];
  #storeReachedOnce = false;
  #last: ReadinessReport | undefined;
  #cached: { readonly atMs: number; readonly report: Promise<ReadinessReport> } | undefined;

  constructor(deps: ReadinessDeps) {
    this.#deps = deps;
  }

  /** From now on the answer is `draining`, at once: traffic that arrives while a part is asked would be cut off. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    for (const listener of this.#drainListeners) listener();
  }

  /** For what must end when draining begins. */
  onDrain(listener: () => void): void {
    this.#drainListeners.push(listener);
  }

  /** True since {@link drain}. */
  get isDraining(): boolean {
    return this.#draining;
  }

  async report(): Promise<ReadinessReport> {
    if (this.#draining && this.#last !== undefined) return { ...this.#last, status: 'draining' };
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#cached === undefined || nowMs - this.#cached.atMs >= CACHE_MS) {
      this.#cached = { atMs: nowMs, report: this.#check() };
    }
    const cached = this.#cached;
    const report = await cached.report;
    this.#last = report;
    // "Starting" changes within seconds: caching it would hold traffic back for nothing.
    if (report.status === 'starting' && this.#cached === cached) this.#cached = undefined;
    return this.#draining ? { ...report, status: 'draining' } : report;
  }

  async #check(): Promise<ReadinessReport> {
    const { storeWorks, credentialsWork, issuers, isPublicUrlKnown = true } = this.#deps;
    const [store, credentials] = await Promise.all([this.#within(storeWorks), this.#within(credentialsWork)]);
    const all = issuers.status();
    // Keys are fetched when a token asks for them: after an outage it would be said to last until somebody comes. Not
    // waited for: what hangs would delay every answer, and the next one tells.
    if (all.some(({ failing }) => failing)) void issuers.load().catch(() => undefined);
    const jwks = all.every(({ failing }) => !failing) ? 'ok' : 'failing';
    this.#storeReachedOnce ||= store === 'ok';
    const reached = this.#storeReachedOnce && all.every(({ reachedOnce }) => reachedOnce);
    const publicUrl = isPublicUrlKnown ? {} : ({ public_url: 'failing' } as const);
    const checks = { store, jwks, credentials, ...publicUrl } as const;
    if (!reached) return { status: 'starting', checks };
    return { status: Object.values(checks).includes('failing') ? 'degraded' : 'ready', checks };
  }

  async #within(check: () => Promise<boolean>): Promise<CheckResult> {
    const answered = new AbortController();
    const late = this.#deps.clock.sleep(CHECK_BUDGET_MS, answered.signal).then(() => false);
    const works = await Promise.race([check().catch(() => false), late]);
    answered.abort();
    return works ? 'ok' : 'failing';
  }
}
