import type { Clock } from '../binding/clock.ts';
import type { Limits } from './limits.ts';

/** So long may somebody be waiting before it is a flood, and no longer what piled up while the process was held up. */
const FLOOD_AFTER_MS = 100;

/** In a flood nobody waits for longer: some 50 ms, which is less than a slow network takes. */
const MOST_TURNS_OF_WAITING = 3;

/**
 * Lets in so many requests in one turn of the event loop; the others wait for the next turns, and in a flood whoever comes
 * is turned away unless he fits into the next three. So a turn takes about as long in a flood as without: whoever was
 * let in is served in time, and whoever opens a connection is not kept out, a load balancer's health check above all, since
 * Node accepts one connection a turn (https://github.com/libuv/libuv/pull/3696). A limit on what is under way cannot do that:
 * while AgentCore hangs hundreds cost nothing, and while it is quick a few dozen are all that a processor can do (SB-21).
 */
export class Turnstile {
  readonly #perTurn: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #waiting: (() => void)[] = [];
  /** Since when there was always somebody waiting. */
  #waitingSinceMs: number | undefined;
  #passed = 0;

  constructor({ perTurn }: Pick<Limits, 'perTurn'>, clock: Pick<Clock, 'monotonicMs'>) {
    this.#perTurn = perTurn;
    this.#clock = clock;
  }

  /** Whether whoever comes now is turned away. */
  get isShut(): boolean {
    return this.#waiting.length >= MOST_TURNS_OF_WAITING * this.#perTurn && this.#isFlood();
  }

  /** True once it is let in, which may be some turns later; false at once if it is turned away. */
  async pass(): Promise<boolean> {
    if (this.isShut) return false;
    if (this.#passed < this.#perTurn) this.#let();
    else await this.#wait();
    return true;
  }

  #wait(): Promise<void> {
    this.#waitingSinceMs ??= this.#clock.monotonicMs();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #let(): void {
    this.#passed += 1;
    // Runs when this turn has looked at every connection that had something to say.
    if (this.#passed === 1) setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#passed = 0;
    for (const next of this.#waiting.splice(0, this.#perTurn)) {
      this.#let();
      next();
    }
    if (this.#waiting.length === 0) this.#waitingSinceMs = undefined;
  }

  #isFlood(): boolean {
    const since = this.#waitingSinceMs;
    return since !== undefined && this.#clock.monotonicMs() - since >= FLOOD_AFTER_MS;
  }
}
