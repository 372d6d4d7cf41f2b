/** The slope through points `[x, y]` that half of all pairs are below (Theil and Sen): one odd point does not bend it. */
export function slopeOf(points) {
  const slopes = points.flatMap(([x, y], index) =>
    points
      .slice(index + 1)
      .filter(([otherX]) => otherX !== x)
      .map(([otherX, otherY]) => (otherY - y) / (otherX - x)),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}

/**
 * How much something has grown with the work that was done, from the end of the warm-up on. `points` are `[work, amount]`,
 * of which the first third is the warm-up: caches fill, code is compiled.
 */
export function growthOf(points) {
  const steady = points.slice(Math.floor(points.length / 3));
  const span = (steady.at(-1)?.[0] ?? 0) - (steady[0]?.[0] ?? 0);
  return slopeOf(steady) * span;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.5)] + sorted[Math.floor(middle)]) / 2;
}
