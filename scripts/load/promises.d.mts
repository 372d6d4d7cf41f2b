export interface Phase {
  readonly kinds: Readonly<
    Record<string, { readonly answer: readonly number[]; readonly wait: readonly number[] }>
  >;
  readonly checks: readonly number[];
  readonly seconds: readonly { readonly accepted: number; readonly others: number }[];
}

export interface PhaseSummary {
  readonly accepted: number;
  readonly firstWholeSecond: number | undefined;
}

export const LIMITS: Readonly<Record<string, number>>;

export function summarise(phase: Phase, resident: readonly number[], keptBytes: number): PhaseSummary;

export function brokenPromises(
  names: readonly string[],
  figures: {
    readonly before: PhaseSummary;
    readonly flood: PhaseSummary;
    readonly after: PhaseSummary;
    readonly capacityPerSecond: number;
    readonly seconds: number;
    readonly heapGrowth: number;
  },
): readonly string[];
