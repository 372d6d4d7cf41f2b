import { inspect } from 'node:util';

/**
 * A string that cannot be printed by accident: `toString`, `toJSON` and `util.inspect` all say `[secret]`
 * (SB-16). The only way to the value is {@link Secret.reveal}, which a reviewer can search for.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it only where the value leaves for its one destination. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
