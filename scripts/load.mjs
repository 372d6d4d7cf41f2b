// npm run load [-- --seconds N --store URL --trials quick,slow,hang]: how much the built service can do, and what becomes of it when ten times as
// much comes. Service, AgentCore's stand-in and the people are processes of their own. Prints a table of counts and ratios,
// and ends with 1 when a promise of scripts/load/promises.mjs does not hold. Needs Linux.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startIssuer } from '../dist/emulator/issuer.js';
import { brokenPromises, FLOOD, LIMITS, summarise } from './load/promises.mjs';
import { cpuMs, residentBytes, starvedMs } from './measure/process-figures.mjs';
import { progress } from '../bench/progress.mjs';
import { CLIENT_ID, startService } from './measure/start-service.mjs';
import { startWorker } from './measure/worker.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    store: { type: 'string', default: 'memory:?replicas=1' },
    trials: { type: 'string', default: 'quick,slow,hang' },
  },
});
/** Of each phase. */
const SECONDS = Number(values.seconds);
/** As many live pins as a user may have. */
const FLOWS_PER_PERSON = 32;
/** As many as connections, each visit with a flow of its own. */
const SPARE_FLOWS = 300;
const SAMPLE_MS = 250;
const CONCURRENCIES = [4, 8, 16, 32, 64];
/** What the memory store keeps of each finished flow for a day: an attempt and a completion. */
const FINISHED_FLOW_BYTES = values.store.startsWith('memory:') ? 1_200 : 0;
/** More browsers than that make no difference once the next step adds less. */
const WORTH_A_STEP = 1.05;
/** A generator that is later than this, or has no processor left, did not offer what it says. */
const GENERATOR_LAG_MS = 50;
const STARVED_SHARE = 0.25;

const startedMs = performance.now();
const issuer = await startIssuer();
const agentcore = await startWorker(new URL('load/agentcore.mjs', import.meta.url));
const people = await startWorker(new URL('load/generator.mjs', import.meta.url));
progress('starting the service …');
const service = await startService({
  agentcoreEndpoint: agentcore.started.endpoint,
  discoveryUrl: issuer.discoveryUrl,
  settings: { STORE_URL: values.store },
});
const broken = [];
try {
  await run();
} finally {
  progress('');
  await Promise.all([people.close(), agentcore.close()]);
  await service.stop();
  await issuer.close();
}
for (const sentence of broken) print(`  BROKEN  ${sentence}\n`);
const tookSeconds = Math.round((performance.now() - startedMs) / 1000);
print(broken.length === 0 ? `  all promises hold (${tookSeconds} s)\n\n` : `  (${tookSeconds} s)\n\n`);
process.exitCode = broken.length === 0 ? 0 : 1;

async function run() {
  await makeFlows(SPARE_FLOWS + 200 * SECONDS);
  progress('warming up …');
  // Also what turns people away: code that has never run is several times as slow.
  await people.ask({ does: 'closed', concurrency: 300, seconds: Math.min(3, SECONDS) });
  const { concurrency, atMost } = await findCapacity();
  for (const name of values.trials.split(',')) {
    await makeFlowsFor(atMost);
    // Again, where the records of a trial are: a machine that others use does not always do as much.
    const capacity = await finishedPerSecond(concurrency);
    await makeFlowsFor(Math.max(capacity, atMost));
    await trial(capacity, trialsAt(capacity)[name]);
  }
}

/** More than can be finished. What is pinned before the first phase is not taken for what a flood leaves behind. */
async function makeFlowsFor(capacity) {
  await makeFlows(SPARE_FLOWS + 4 * SECONDS * capacity);
}

/** By name: three phases, when AgentCore changes its ways, and which promises hold then. */
function trialsAt(capacity) {
  const half = capacity / 2;
  const flooded = [
    { name: 'half', ratePerSecond: half, seconds: SECONDS },
    { name: 'flood', ratePerSecond: FLOOD * capacity, seconds: SECONDS },
    { name: 'after', ratePerSecond: half, seconds: SECONDS + 1 },
  ];
  const hanging = [
    { name: 'half', ratePerSecond: half, seconds: SECONDS },
    { name: 'hang', ratePerSecond: half, seconds: 2 * SECONDS },
    { name: 'after', ratePerSecond: half, seconds: SECONDS + 1 },
  ];
  const all = Object.keys(LIMITS);
  return {
    quick: {
      title: 'AgentCore answers at once',
      phases: flooded,
      delays: [{ atSeconds: 0, delayMs: 0 }],
      promises: all,
    },
    slow: {
      title: 'AgentCore takes 200 ms',
      phases: flooded,
      delays: [{ atSeconds: 0, delayMs: 200 }],
      promises: all,
    },
    hang: {
      title: 'AgentCore hangs, at half the capacity',
      phases: hanging,
      delays: [
        { atSeconds: 0, delayMs: 0 },
        { atSeconds: SECONDS, delayMs: Infinity },
        { atSeconds: 3 * SECONDS, delayMs: 0 },
      ],
      // Nothing can be finished then, and whoever has a place waits for AgentCore until his time is up.
      promises: ['refusedMs', 'healthCheckMs', 'residentMemory', 'heap', 'secondsToRecover'],
    },
  };
}

/** With how many browsers it finishes most, and how many consents a second these are. */
async function findCapacity() {
  let best = { concurrency: 0, atMost: 0 };
  for (const concurrency of CONCURRENCIES) {
    progress(`capacity: ${concurrency} browsers …`);
    await makeFlows(SPARE_FLOWS + 2 * SECONDS * Math.max(best.atMost, 200));
    const perSecond = await finishedPerSecond(concurrency);
    const isEnough = perSecond < best.atMost * WORTH_A_STEP && concurrency > 16;
    if (perSecond > best.atMost) best = { concurrency, atMost: perSecond };
    if (isEnough) break;
  }
  return best;
}

async function finishedPerSecond(concurrency) {
  const { acceptedPerSecond } = await people.ask({ does: 'closed', concurrency, seconds: SECONDS / 2 });
  return acceptedPerSecond;
}

/** The first of its phases is what the others are compared with. */
async function trial(capacity, { title, phases, delays, promises }) {
  const { heapUsed: heapBefore } = await service.probe();
  const samples = [];
  const sample = () =>
    samples.push({
      at: Date.now(),
      resident: residentBytes(service.pid),
      cpu: cpuMs(service.pid),
      starved: starvedMs(service.pid),
    });
  const sampling = setInterval(sample, SAMPLE_MS);
  const timers = delays.map(({ atSeconds, delayMs }) =>
    setTimeout(() => void agentcore.ask({ delayMs }), atSeconds * 1000),
  );
  progress(`${title}: ${phases.map(({ name, seconds }) => `${name} ${seconds} s`).join(', ')} …`);
  const result = await people.ask({ does: 'open', phases });
  timers.forEach(clearTimeout);
  await agentcore.ask({ delayMs: 0 });
  // What was held up to ten seconds by a hang has ended by then.
  await sleep(200);
  sample();
  clearInterval(sampling);

  let keptBytes = 0;
  const summaries = phases.map(({ seconds }, index) => {
    const phase = result.phases[index];
    const isWithin = ({ at }) => at >= phase.startedAt && at <= phase.startedAt + seconds * 1000;
    keptBytes += FINISHED_FLOW_BYTES * (phase.kinds.accepted?.answer.length ?? 0);
    const resident = samples.filter(isWithin).map((sampled) => sampled.resident);
    return summarise(phase, resident, keptBytes);
  });
  const [before, flood, after] = summaries;
  const { heapUsed } = await service.probe();
  const heapGrowth = (heapUsed - keptBytes) / heapBefore;
  show(title, capacity, phases, summaries, heapGrowth);
  const spanMs = samples.at(-1).at - samples[0].at;
  const starvedShare = (samples.at(-1).starved - samples[0].starved) / spanMs;
  const { lagP99Ms, cpuShare } = result.own;
  print(`  people: ${percent(cpuShare)} of a processor, at most ${Math.round(lagP99Ms)} ms late (p99)`);
  print(`; the service waited ${percent(starvedShare)} of the time for one\n`);
  if (lagP99Ms > GENERATOR_LAG_MS) {
    print('  The people were late: less came, or later, than this table says.\n');
  }
  if (starvedShare > STARVED_SHARE) {
    print('  Others kept this machine busy: latencies are theirs as much as the service’s.\n');
  }
  const { seconds } = phases[1];
  const figures = {
    before,
    flood,
    after,
    capacityPerSecond: capacity,
    seconds,
    heapGrowth,
  };
  broken.push(...brokenPromises(promises, figures).map((sentence) => `${title}: ${sentence}`));
  if (result.unanswered > 0) broken.push(`${title}: ${result.unanswered} visits were never answered`);
  print('\n');
}

/** So many flows are there then that nobody has tried yet, each pinned by its person. */
async function makeFlows(count) {
  const { flows } = await people.ask({ does: 'count' });
  const missing = Math.ceil((count - flows) / FLOWS_PER_PERSON);
  if (missing <= 0) return;
  progress(`${missing * FLOWS_PER_PERSON} flows are pinned …`);
  const newcomers = [];
  for (let index = 0; index < missing; index += 1) {
    const subject = `person-${randomBytes(6).toString('hex')}`;
    newcomers.push({
      userToken: await issuer.accessToken({ subject, username: subject, clientId: CLIENT_ID }),
      sessionUris: Array.from(
        { length: FLOWS_PER_PERSON },
        () => `urn:ietf:params:oauth:request_uri:${randomBytes(24).toString('base64url')}`,
      ),
    });
  }
  await people.ask({ does: 'pin', url: service.url, people: newcomers, concurrency: 16 });
}

function show(title, capacity, phases, summaries, heapGrowth) {
  const [{ acceptedMs: base, checkMs: baseCheck, residentBytes: baseBytes }] = summaries;
  const times = (value, of) => (Number.isNaN(value / of) ? '–' : `${(value / of).toFixed(1)}×`);
  const rows = summaries.map((summary, index) => {
    const { accepted, refused, failed, acceptedMs, refusedMs, waitMs, checkMs } = summary;
    return [
      phases[index].name,
      String(accepted),
      counts(refused),
      counts(failed),
      String(summary.neverSent),
      `${times(acceptedMs[0], base[0])} ${times(acceptedMs[1], base[1])}`,
      `${times(refusedMs[0], base[0])} ${times(refusedMs[1], base[1])}`,
      times(waitMs[1] + acceptedMs[1], base[1]),
      times(checkMs[1], baseCheck[1]),
      `${(summary.residentBytes / baseBytes).toFixed(2)}×`,
      index === 2 ? `second ${summary.firstWholeSecond ?? 'none'}` : '',
    ];
  });
  print(
    `\n  ${title}\n  The service can finish ${Math.round(capacity)} consents a second; a flood is ${FLOOD} times that.\n\n`,
  );
  const head = [
    '',
    'accepted',
    'refused',
    'failed',
    'never sent',
    'accepted p50 p99',
    'refused p50 p99',
    'with the wait',
    'health p99',
    'memory',
    'all served',
  ];
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table) {
    print(
      `  ${row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
  print(`\n  heap after a collection of garbage, without what is kept: ${heapGrowth.toFixed(2)}×\n`);
}

function counts(byKind) {
  const all = Object.entries(byKind).map(([kind, count]) => `${kind.replace('refused ', '')}: ${count}`);
  return all.length === 0 ? '–' : all.join(', ');
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

function print(text) {
  process.stdout.write(text);
}
