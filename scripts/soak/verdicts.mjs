import { growthOf } from './trend.mjs';

const MEBIBYTE = 1024 * 1024;
/** Fewer measurements say nothing about a trend. */
const MEASUREMENTS_AT_LEAST = 9;
/** What a heap and a process may grow by without a reason: code that is compiled late, pages that are given back late. */
const HEAP_NOISE = 2 * MEBIBYTE;
const RESIDENT_NOISE = 24 * MEBIBYTE;
const HANDLE_NOISE = 12;
/** A stop of the event loop that no busy machine explains. */
const LONGEST_STALL_MS = 5_000;

/**
 * What a service's measurements break, a sentence each. Of each: the requests that were answered and the flows that were
 * opened by then, the heap and the resident memory after garbage was collected, open files, and the longest stall since
 * the one before. `bytesPerFlow`: what the service has to keep of each flow.
 */
export function brokenBy(name, measurements, bytesPerFlow) {
  const broken = [];
  const longest = Math.max(...measurements.map(({ longestStallMs }) => longestStallMs));
  if (longest > LONGEST_STALL_MS)
    broken.push(`${name}: the event loop stood still for ${Math.round(longest)} ms`);
  if (measurements.length < MEASUREMENTS_AT_LEAST) return broken;

  const grown = (of) => growthOf(measurements.map((one) => [one.requests, of(one)]));
  const kept =
    Math.max(
      0,
      grown(({ flows }) => flows),
    ) * bytesPerFlow;
  const judge = (what, growth, allowed, say) => {
    if (growth > allowed)
      broken.push(`${name}: ${what} grew by ${say(growth)}, ${say(allowed)} are explained`);
  };
  judge(
    'the heap',
    grown(({ heapUsed }) => heapUsed),
    HEAP_NOISE + kept,
    mebibytes,
  );
  judge(
    'resident memory',
    grown(({ rss }) => rss),
    RESIDENT_NOISE + 2 * kept,
    mebibytes,
  );
  judge(
    'the number of open files',
    grown(({ files }) => files),
    HANDLE_NOISE,
    String,
  );
  judge(
    'the number of handles and timers',
    grown(({ handles }) => handles),
    HANDLE_NOISE,
    String,
  );
  return broken;
}

/** The same as figures for a person: growth after the warm-up, as a share of what was there. */
export function describeGrowth(measurements) {
  const share = (of) => {
    const values = measurements.map(of);
    const growth = growthOf(measurements.map((one) => [one.requests, of(one)]));
    return `${growth < 0 ? '−' : '+'}${Math.abs((100 * growth) / values[Math.floor(values.length / 3)]).toFixed(1)} %`;
  };
  return `heap ${share(({ heapUsed }) => heapUsed)}, memory ${share(({ rss }) => rss)}, files ${share(({ files }) => files)}`;
}

function mebibytes(bytes) {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}
