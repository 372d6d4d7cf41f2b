export interface Measurement {
  readonly requests: number;
  readonly flows: number;
  readonly heapUsed: number;
  readonly rss: number;
  readonly files: number;
  readonly handles: number;
  readonly longestStallMs: number;
}

export function brokenBy(
  name: string,
  measurements: readonly Measurement[],
  bytesPerFlow: number,
): readonly string[];
