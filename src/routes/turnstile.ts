import type { Clock } from '../binding/clock.ts';
import type { Limits } from './limits.ts';

/** So long may somebody wait before it is a flood: a few dozen who come at once are served, in order, within that time. */
const FLOOD_AFTER_MS = 50;

/** Whoever has been waiting for so long is turned away: soon for a person, and late for a machine that asks again at once. */
const LONGEST_WAIT_MS = 300;

/** Far more than can be let in until then. Each has a socket, some ten kilobytes, and perhaps a body on its way. */
const MOST_WAITING = 1024;

/** A turn that took longer was held up by the machine; the rest of it is not counted, or all who wait would be turned away. */
const LONGEST_TURN_MS = 50;

interface Waiting {
  readonly sinceMs: number;
  readonly end: (isLetIn: boolean) => void;
}

/**
 * Lets in so many requests in one turn of the event loop; the others wait for the next turns. In a flood some wait in vain
 * in any case: then the last to come is the first to be let in, so that whoever is served has hardly waited, and whoever
 * came first is turned away when he has waited long enough. Turning him away at once would be no help: who asks again at
 * once has the whole processor turn him away. So turns stay short, and whoever opens a connection is not kept out, a load
 * balancer's health check above all, since Node accepts one connection a turn (https://github.com/libuv/libuv/pull/3696).
 * A limit on what is under way cannot do that: while AgentCore hangs hundreds cost nothing, and while it is quick a few
 * dozen are all that a processor can do (SB-21).
 */
export class Turnstile {
  readonly #perTurn: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** The longest waiting first. */
  readonly #waiting: Waiting[] = [];
  #passed = 0;
  /** The time that turns have taken. */
  #elapsedMs = 0;
  #turnedAtMs = 0;

  constructor({ perTurn }: Pick<Limits, 'perTurn'>, clock: Pick<Clock, 'monotonicMs'>) {
    this.#perTurn = perTurn;
    this.#clock = clock;
  }

  /** True once it is let in, which may be some turns later; false if it is turned away. */
  async pass(): Promise<boolean> {
    if (this.#passed < this.#perTurn) {
      // Whoever gets in line behind the first one of a turn has not been waiting while nobody came.
      if (this.#passed === 0) this.#turnedAtMs = this.#clock.monotonicMs();
      this.#let();
      return true;
    }
    if (this.#waiting.length >= MOST_WAITING) this.#waiting.shift()?.end(false);
    return new Promise((end) => this.#waiting.push({ sinceMs: this.#elapsedMs, end }));
  }

  #let(): void {
    this.#passed += 1;
    // Runs when this turn has looked at every connection that had something to say.
    if (this.#passed === 1) setImmediate(() => this.#turn());
  }

  #turn(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#elapsedMs += Math.min(nowMs - this.#turnedAtMs, LONGEST_TURN_MS);
    this.#turnedAtMs = nowMs;
    this.#passed = 0;
    for (const { end } of this.#next()) {
      this.#let();
      end(true);
    }
    for (const { end } of this.#waiting.splice(0, this.#countOfLonger(LONGEST_WAIT_MS))) end(false);
  }

  #next(): Waiting[] {
    const isFlood = this.#countOfLonger(FLOOD_AFTER_MS) > 0;
    return this.#waiting.splice(isFlood ? -this.#perTurn : 0, this.#perTurn);
  }

  /** How many have been waiting for so long. */
  #countOfLonger(milliseconds: number): number {
    const at = this.#waiting.findIndex(({ sinceMs }) => this.#elapsedMs - sinceMs < milliseconds);
    return at === -1 ? this.#waiting.length : at;
  }
}
