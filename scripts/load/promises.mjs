import { percentiles } from '../measure/percentiles.mjs';

/** So much more than the service can do comes in a flood. */
export const FLOOD = 10;
/** What has to hold. Ratios are to half the capacity right before; of memory without the records of what was finished. */
export const LIMITS = {
  /** Of all visits: without an answer, or with one that is neither the page nor a refusal. */
  failedShare: 0.001,
  /** Accepted in a flood, of what the service can do when nobody floods it. */
  servedShareAtLeast: 0.4,
  /** How long an answer takes: its 99th percentile. */
  acceptedLatency: 15,
  /** Soon enough for a person. */
  refusedMs: 1_000,
  /** A health check on a connection of its own: load balancers give up after five seconds. */
  healthCheckMs: 5_000,
  /** Of the process. Garbage is among it: V8 lets some lie where it has room. */
  residentMemory: 1.6,
  /** When garbage was collected, as it was before the first phase. */
  heap: 1.1,
  /** The first second, counted from the end of the flood, in which everybody is served again. */
  secondsToRecover: 5,
};

/**
 * What a phase came to. `kinds` and `checks` as the generator gives them, `resident` samples in bytes, of which
 * `keptBytes` are the records of what was finished: half of what they take, since heaps have gaps.
 */
export function summarise({ kinds, checks, seconds }, resident, keptBytes) {
  const of = (kind) => kinds[kind] ?? { answer: [], wait: [] };
  const isRefusal = (kind) => kind.startsWith('refused');
  const names = Object.keys(kinds);
  const refused = names.filter(isRefusal).flatMap((kind) => of(kind).answer);
  const failed = names.filter((kind) => kind !== 'accepted' && kind !== 'never sent' && !isRefusal(kind));
  const { answer, wait } = of('accepted');
  return {
    accepted: answer.length,
    neverSent: of('never sent').answer.length,
    refused: Object.fromEntries(names.filter(isRefusal).map((kind) => [kind, of(kind).answer.length])),
    failed: Object.fromEntries(failed.map((kind) => [kind, of(kind).answer.length])),
    acceptedMs: percentiles(answer, [50, 99]),
    refusedMs: percentiles(refused, [50, 99]),
    waitMs: percentiles(wait, [50, 99]),
    checkMs: percentiles(checks, [50, 99]),
    residentBytes: Math.max(...resident) - 2 * keptBytes,
    /** Undefined: in none of them. */
    firstWholeSecond: firstWhole(seconds),
  };
}

function firstWhole(seconds) {
  const at = seconds.findIndex(({ accepted, others }) => accepted > 0 && others === 0);
  return at === -1 ? undefined : at + 1;
}

/**
 * The promises of these that do not hold, a sentence each. `flood` and `after` are compared with `before`, at half the
 * capacity; `seconds` is how long the flood was.
 */
export function brokenPromises(names, { before, flood, after, capacityPerSecond, seconds, heapGrowth }) {
  const sent = flood.accepted + sum(flood.refused) + sum(flood.failed);
  const failedShare = sum(flood.failed) / sent;
  const servedShare = flood.accepted / seconds / capacityPerSecond;
  const ratio = (limit, what, value) => [
    !(value > LIMITS[limit]),
    `${what} ${value.toFixed(1)} times what it was before, above ${LIMITS[limit]}`,
  ];
  const promises = {
    failedShare: [failedShare <= LIMITS.failedShare, `${percent(failedShare)} of the visits failed`],
    servedShareAtLeast: [
      servedShare >= LIMITS.servedShareAtLeast,
      `only ${percent(servedShare)} of the capacity was served`,
    ],
    acceptedLatency: ratio(
      'acceptedLatency',
      'an accepted visit took',
      flood.acceptedMs[1] / before.acceptedMs[1],
    ),
    refusedMs: [
      !(flood.refusedMs[1] > LIMITS.refusedMs),
      `a refusal took ${Math.round(flood.refusedMs[1])} ms, above ${LIMITS.refusedMs}`,
    ],
    healthCheckMs: [
      flood.checkMs[1] <= LIMITS.healthCheckMs,
      'health checks took longer than load balancers wait',
    ],
    residentMemory: ratio(
      'residentMemory',
      'memory was',
      Math.max(flood.residentBytes, after.residentBytes) / before.residentBytes,
    ),
    heap: ratio('heap', 'the heap afterwards was', heapGrowth),
    secondsToRecover: [
      (after.firstWholeSecond ?? Infinity) <= LIMITS.secondsToRecover,
      `the first second in which everybody was served again was number ${after.firstWholeSecond ?? 'none'}, after ${LIMITS.secondsToRecover}`,
    ],
  };
  return names.map((name) => promises[name]).flatMap(([holds, sentence]) => (holds ? [] : [sentence]));
}

function sum(counts) {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
