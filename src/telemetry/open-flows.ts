import { AUTHORIZATION_SESSION_TTL_MS } from '../binding/authorization-session.ts';
import type { Clock } from '../binding/clock.ts';

/** Some megabytes. Flows beyond it are not counted; nothing else hangs on them (SB-22). */
const MAX_FLOWS = 20_000;

/** The flows that this process saw pinned and that can still be finished: for metrics alone, and bounded. */
export class OpenFlows {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #max: number;
  /** Oldest first, since all of them live equally long. */
  readonly #pinnedAtMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, max = MAX_FLOWS) {
    this.#clock = clock;
    this.#max = max;
  }

  /** False for a flow that is known already, and for one too many. */
  begin(authorizationSessionKey: string): boolean {
    this.#forgetOld();
    if (this.#pinnedAtMs.has(authorizationSessionKey) || this.#pinnedAtMs.size >= this.#max) return false;
    this.#pinnedAtMs.set(authorizationSessionKey, this.#clock.monotonicMs());
    return true;
  }

  /** Undefined for a flow that is over, or was pinned elsewhere or never. */
  ageMs(authorizationSessionKey: string): number | undefined {
    this.#forgetOld();
    const pinnedAtMs = this.#pinnedAtMs.get(authorizationSessionKey);
    return pinnedAtMs === undefined ? undefined : this.#clock.monotonicMs() - pinnedAtMs;
  }

  end(authorizationSessionKey: string): void {
    this.#pinnedAtMs.delete(authorizationSessionKey);
  }

  count(): number {
    this.#forgetOld();
    return this.#pinnedAtMs.size;
  }

  #forgetOld(): void {
    const pinnedBeforeMs = this.#clock.monotonicMs() - AUTHORIZATION_SESSION_TTL_MS;
    for (const [key, pinnedAtMs] of this.#pinnedAtMs) {
      if (pinnedAtMs > pinnedBeforeMs) return;
      this.#pinnedAtMs.delete(key);
    }
  }
}
