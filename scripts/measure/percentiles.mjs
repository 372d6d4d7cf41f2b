/** Percentiles of some durations, e.g. `percentiles(ms, [50, 99])`; NaN where there is none. */
export function percentiles(values, wanted) {
  const sorted = Float64Array.from(values).toSorted();
  return wanted.map((percent) =>
    sorted.length === 0 ? Number.NaN : sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)],
  );
}
