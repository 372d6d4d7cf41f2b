import * as fc from 'fast-check';

/** What fast-check has found: the smallest input that breaks a property, as JSON. */
export interface Failure {
  readonly seed: number;
  readonly value: unknown;
  readonly message: string;
}

/** How long and from where a property is tried. */
export interface Effort {
  readonly runs: number;
  readonly seed: number;
  /** Inputs that broke it once: tried first. */
  readonly past: readonly unknown[];
  /** Stop after that long, whatever is left of `runs`. */
  readonly limitMs?: number;
}

/** Something that holds for every input. */
export interface Property {
  readonly name: string;
  /** How much one run costs, against the cheapest: so many times fewer of them are tried. */
  readonly cost: number;
  check(effort: Effort): Promise<{ readonly runs: number; readonly failure: Failure | undefined }>;
}

/** Inputs must survive JSON: that is how those that broke something are kept. */
export function property<Input>(
  name: string,
  cost: number,
  inputs: fc.Arbitrary<Input>,
  holds: (input: Input) => void | Promise<void>,
): Property {
  return {
    name,
    cost,
    async check({ runs, seed, past, limitMs }) {
      const details = await fc.check(
        fc.asyncProperty(inputs, async (input) => {
          await holds(input);
        }),
        {
          seed,
          numRuns: Math.max(1, Math.ceil(runs / cost)) + past.length,
          examples: past.map((input) => [input as Input]),
          ...(limitMs === undefined ? {} : { interruptAfterTimeLimit: limitMs }),
        },
      );
      const failure =
        details.counterexample === null
          ? undefined
          : { seed, value: details.counterexample[0], message: String(details.errorInstance) };
      return { runs: details.numRuns, failure };
    },
  };
}
