// npm run soak -- [--minutes N] [--seed S]: people and rude clients at two replicas on Redis and at one with the memory store,
// while AgentCore, Redis and the issuer fail in turns. After each turn everything works again, and then everybody must be
// able to finish, nobody may have got what is another's, and memory, handles and the event loop must be as before. Ends with
// 1 and names what was broken. The seed chooses what is done; in which order it meets is up to the machine. Needs Linux.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Agent } from '../dist/demo/agent.js';
import { freePort } from '../dist/demo/free-port.js';
import { startAgentCore } from '../dist/emulator/agentcore.js';
import { startIssuer } from '../dist/emulator/issuer.js';
import { openFiles } from './measure/process-figures.mjs';
import { progress } from '../bench/progress.mjs';
import { startService } from './measure/start-service.mjs';
import { play } from './soak/faults.mjs';
import { Ledger } from './soak/ledger.mjs';
import { Person } from './soak/person.mjs';
import { createRandom } from './soak/random.mjs';
import { startRedis } from './soak/redis-server.mjs';
import { beRude } from './soak/rude-clients.mjs';
import { brokenBy, describeGrowth } from './soak/verdicts.mjs';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
});
const SOAK_MS = Number(values.minutes) * 60_000;
const SEED = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
/** Short runs have shorter rounds. */
const FAULT_MS = Math.min(9_000, SOAK_MS / 4);
const PEOPLE = 8;
const RUDE_CLIENTS = 2;
const MOST_PAUSE_MS = 400;
/** A store that is back is found again within that time, an issuer's cooldown included. */
const HEALING_MS = 30_000;
const PROBE_MS = 20_000;
/** What the memory store keeps of a flow for a day, and the user token for its hour; on Redis next to nothing stays here. */
const BYTES_PER_FLOW = { memory: 10 * 1024, redis: 1024 };

// A paragraph about Node versions between the rounds; `serve` itself still says it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const random = createRandom(SEED);
const broken = new Set();
const ledger = new Ledger();
const counts = { rounds: 0, requests: 0, rude: 0 };
print(`\n  seed ${SEED}\n\n`);
progress('starting two replicas, another service, Redis, AgentCore and an issuer …');
const [redis, issuer, agentcore] = await Promise.all([startRedis(), startIssuer(), startAgentCore()]);
const towns = [await openTown('redis', 2, redis.url), await openTown('memory', 1, 'memory:?replicas=1')];
const endMs = performance.now() + SOAK_MS;
try {
  do await round();
  while (broken.size === 0 && performance.now() < endMs);
} finally {
  await close();
}
const flows = agentcore.flows.length;
print(
  `\n  ${counts.rounds} rounds, ${flows} flows, ${agentcore.bindings.length} bound, ${counts.requests} requests, ${counts.rude} rude clients\n`,
);
for (const { name, measurements } of services()) print(`  ${name}: ${describeGrowth(measurements)}\n`);
for (const sentence of broken) print(`  BROKEN  ${sentence}\n`);
print(broken.size === 0 ? '  no promise was broken\n\n' : `  again: npm run soak -- --seed ${SEED}\n\n`);
process.exitCode = broken.size === 0 ? 0 : 1;

/** Services behind one public URL on one store, with people of their own. */
async function openTown(name, replicas, storeUrl) {
  const ports = await Promise.all(Array.from({ length: replicas }, freePort));
  const publicUrl = `http://localhost:${ports[0]}`;
  const returnUrl = `${publicUrl}/oauth2/callback`;
  agentcore.returnUrls.add(returnUrl);
  const started = [];
  for (const [index, port] of ports.entries()) {
    const service = await startService({
      agentcoreEndpoint: agentcore.endpoint,
      discoveryUrl: issuer.discoveryUrl,
      settings: { PUBLIC_URL: publicUrl, STORE_URL: storeUrl, LOG_LEVEL: 'warn', DRAIN_SECONDS: '0' },
      port,
    });
    const bytesPerFlow = BYTES_PER_FLOW[name];
    started.push({
      name: replicas === 1 ? name : `${name} ${index + 1}`,
      service,
      bytesPerFlow,
      measurements: [],
    });
  }
  const town = {
    publicUrl,
    urls: started.map(({ service }) => service.url),
    services: started,
    agent: new Agent({ endpoint: agentcore.endpoint, returnUrl }),
    agentcore,
    issuer,
    ledger,
    broken,
    asked: 0,
    opened: 0,
  };
  town.people = Array.from({ length: PEOPLE }, () => new Person(town, random.fork()));
  return town;
}

/** Something goes wrong while everybody goes on; then it works again, and everybody finishes. */
async function round() {
  counts.rounds += 1;
  const isFirst = counts.rounds === 1;
  let what = 'nothing';
  let isOver = false;
  const isGoingOn = () => !isOver;
  const lives = towns.flatMap((town) => [
    ...town.people.map((person) => live(person, town, isGoingOn)),
    ...Array.from({ length: RUDE_CLIENTS }, () => annoy(town, random.fork(), isGoingOn)),
  ]);
  // The first is the warm-up: caches fill while nothing fails.
  if (isFirst) await sleep(FAULT_MS);
  else {
    await play({ agentcore, issuer, redis }, FAULT_MS, random.fork(), (said) => {
      what = said;
      progress(`round ${counts.rounds}: ${said} …`);
    });
  }
  isOver = true;
  await Promise.all(lives);

  progress(`round ${counts.rounds}: everything works again …`);
  for (const { name, service } of services()) {
    if (!(await isReadyAgain(service)))
      broken.add(`${name}: is not ready ${HEALING_MS / 1000} s after everything works again`);
  }
  await Promise.all(towns.flatMap(({ people }) => people.map((person) => person.finishAll())));
  ledger.check(agentcore);
  for (const sentence of ledger.broken) broken.add(sentence);
  counts.requests = towns.reduce((sum, { asked }) => sum + asked, 0);
  for (const town of towns) for (const one of town.services) await measure(one, town);
  for (const town of towns) {
    town.people = town.people.map((person) => (person.isOld ? new Person(town, random.fork()) : person));
  }
  const left = Math.max(0, Math.round((endMs - performance.now()) / 1000));
  progress('');
  print(
    `  ${String(counts.rounds).padStart(3)}  ${what.padEnd(50)} ${counts.requests} requests, ${left} s left\n`,
  );
}

async function live(person, town, isGoingOn) {
  const choices = random.fork();
  while (isGoingOn()) {
    await person.act(town.people);
    await sleep(MOST_PAUSE_MS * choices.next());
  }
}

async function annoy(town, choices, isGoingOn) {
  while (isGoingOn()) {
    counts.rude += 1;
    if (!(await beRude(choices.of(town.urls), choices)))
      broken.add('a malformed request got neither answer nor end');
    await sleep(MOST_PAUSE_MS * choices.next());
  }
}

async function isReadyAgain({ url }) {
  const untilMs = performance.now() + HEALING_MS;
  while (performance.now() < untilMs) {
    const body = await fetch(`${url}/ready`).then(
      (answer) => answer.json(),
      () => ({}),
    );
    if (body.status === 'ready') return true;
    await sleep(250);
  }
  return false;
}

async function measure({ name, service, measurements }, { asked, opened }) {
  if (service.hasEnded()) {
    broken.add(`${name}: the process has ended`);
    return;
  }
  const figures = await service.probe(AbortSignal.timeout(PROBE_MS)).catch(() => undefined);
  if (figures === undefined) {
    broken.add(`${name}: the event loop stands still`);
    return;
  }
  const handles = Object.values(figures.resources).reduce((sum, count) => sum + count, 0);
  const files = openFiles(service.pid);
  measurements.push({ ...figures, handles, files, requests: asked, flows: opened });
}

/** Ends everything, and takes a last look. */
async function close() {
  progress('closing …');
  for (const { name, service, measurements, bytesPerFlow } of services()) {
    for (const sentence of brokenBy(name, measurements, bytesPerFlow)) broken.add(sentence);
    // What a service says about itself: a bug of its own is logged once, with its stack.
    const bug = service
      .log()
      .split('\n')
      .find((line) => line.includes('"code":"internal_error"'));
    if (bug !== undefined) broken.add(`${name}: logged ${bug.slice(0, 500)}`);
    const code = await service.stop();
    if (code !== 0) broken.add(`${name}: ended with ${code}`);
  }
  for (const { agent } of towns) agent.close();
  await Promise.all([redis.close(), issuer.close(), agentcore.close()]);
  progress('');
}

function services() {
  return towns.flatMap((town) => town.services);
}

function print(text) {
  process.stdout.write(text);
}
