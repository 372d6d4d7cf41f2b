// npm run bench [-- --rounds N] [--seconds N] [--only 20x50, or other milliseconds and connections]: the callback beside three reference servers, in turns
// within one run, since machines are noisy and only ratios say something. Prints the table; --json FILE writes all rounds.
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startIssuer } from '../dist/emulator/issuer.js';
import { generate, median, percentile } from './generator.mjs';
import { callbacksOf, issueUserTokens, signIn } from './people.mjs';
import { OTHER_CORE, pinToCore, serviceEnvironment, startAgentCore, startServer } from './processes.mjs';
import { progress } from './progress.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});
const USERS = 400;
const UPSTREAMS_MS = [0, 20, 200];
const CONNECTIONS = [1, 50, 200];
const WARM_UP_MS = 6000;
const HANGING = 200;
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const SERVERS = {
  ours: [at('../dist/cli.js'), 'serve'],
  fastify: [at('servers/fastify.mjs')],
  express: [at('servers/express.mjs')],
  'node:http': [at('servers/node-http.mjs')],
};
const scenarios = (
  values.only === undefined
    ? UPSTREAMS_MS.flatMap((upstreamMs) => CONNECTIONS.map((connections) => [upstreamMs, connections]))
    : [values.only.split('x').map(Number)]
).map(([upstreamMs, connections]) => ({ name: `${upstreamMs}x${connections}`, upstreamMs, connections }));

pinToCore(process.pid, OTHER_CORE);
const agentcore = await startAgentCore();
const issuer = await startIssuer();
const userTokens = await issueUserTokens(issuer, USERS);
const samples = [];
for (let round = 1; round <= Number(values.rounds); round += 1) await playRound(round);
agentcore.stop();
await issuer.close();
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(samples, undefined, 2));
report();

async function playRound(round) {
  const names = Object.keys(SERVERS);
  // Whoever comes first has no advantage over all rounds.
  const order = names.map((_, index) => names[(index + round) % names.length]);
  const started = {};
  for (const name of order) {
    progress(`round ${round}: starting ${name}`);
    const server = await startServer(SERVERS[name], serviceEnvironment(agentcore, issuer));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const idleBytes = server.residentBytes();
    const cookies = await signIn(server.port, userTokens);
    started[name] = {
      server,
      nextRequest: callbacksOf(server.port, cookies),
      hangingRequest: callbacksOf(server.port, cookies, '-that-hangs'),
    };
    samples.push({ round, name, scenario: 'start', startMs: server.startMs, idleBytes });
  }
  await agentcore.delay(0);
  // Long enough for V8 to be done with what it makes faster.
  for (const name of order) {
    progress(`round ${round}: warming up ${name}`);
    await play(started[name], { connections: 50, milliseconds: WARM_UP_MS });
  }
  for (const { name: scenario, upstreamMs, connections } of scenarios) {
    await agentcore.delay(upstreamMs);
    for (const name of order) {
      progress(`round ${round}: ${scenario} ${name}`);
      const measured = await play(started[name], {
        connections,
        milliseconds: Number(values.seconds) * 1000,
      });
      samples.push({ round, name, scenario, upstreamMs, ...measured });
    }
  }
  await playIsolation(round, started.ours);
  for (const name of order) {
    samples.push({ round, name, scenario: 'end', endBytes: started[name].server.residentBytes() });
    await started[name].server.stop();
  }
}

/** Beside 200 callbacks that hang in AgentCore, and without them. */
async function playIsolation(round, ours) {
  await agentcore.delay(0);
  for (const hanging of [0, HANGING]) {
    progress(`round ${round}: beside ${hanging} that hang`);
    const sockets = Array.from({ length: hanging }, () => {
      const socket = connect({ port: ours.server.port, host: '127.0.0.1' });
      socket.on('error', () => undefined).write(ours.hangingRequest());
      return socket;
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const measured = await play(ours, { connections: 50, milliseconds: Number(values.seconds) * 1000 });
    samples.push({ round, name: 'ours', scenario: `beside ${hanging}`, ...measured });
    for (const socket of sockets) socket.destroy();
  }
}

async function play({ server, nextRequest }, { connections, milliseconds }) {
  const before = server.cpuMs();
  const { latenciesMs, statuses, elapsedMs } = await generate({
    ports: [server.port],
    connections,
    milliseconds,
    nextRequest,
  });
  const cpuMs = server.cpuMs() - before;
  const count = latenciesMs.length;
  const { 200: _, 503: shed = 0, ...others } = statuses;
  if (Object.keys(others).length > 0) throw new Error(`unexpected answers: ${JSON.stringify(others)}`);
  // Where somebody else takes the core away, our service sheds, and the figures say little.
  if (shed > 0.01 * count)
    process.stderr.write(`\n${shed} of ${count + shed} callbacks were shed: the machine is busy\n`);
  latenciesMs.sort((a, b) => a - b);
  return {
    count,
    perSecond: (count / elapsedMs) * 1000,
    cpuMicroseconds: (cpuMs / count) * 1000,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
  };
}

/** Medians of rounds, and each as a ratio to ours: of values that were measured in the same round. */
function report() {
  progress('');
  const rows = [];
  const add = (title, scenario, field, scale, digits) => {
    const byName = {};
    for (const name of Object.keys(SERVERS)) {
      const own = samples.filter((sample) => sample.name === name && sample.scenario === scenario);
      byName[name] = own.map((sample) => sample[field] * scale);
    }
    const cells = Object.entries(byName).map(([name, list]) => {
      const value = median(list).toFixed(digits);
      if (name === 'ours') return value.padStart(14);
      const ratio = median(list.map((other, round) => byName.ours[round] / other)).toFixed(2);
      return `${value} (${ratio})`.padStart(18);
    });
    rows.push(`${title.padEnd(34)}${cells.join('')}`);
  };
  for (const { name, upstreamMs, connections } of scenarios) {
    const where = `${upstreamMs} ms, ${connections} conn.`;
    add(`CPU µs per callback  ${where}`, name, 'cpuMicroseconds', 1, 0);
    add(`callbacks a second   ${where}`, name, 'perSecond', 1, 0);
    add(`p50 ms               ${where}`, name, 'p50Ms', 1, 1);
    add(`p99 ms               ${where}`, name, 'p99Ms', 1, 1);
  }
  add('start to first /ping, ms', 'start', 'startMs', 1, 0);
  add('idle memory, MiB', 'start', 'idleBytes', 2 ** -20, 0);
  add('memory after all rounds, MiB', 'end', 'endBytes', 2 ** -20, 0);
  const head = `${''.padEnd(34)}${Object.keys(SERVERS)
    .map((name) => name.padStart(name === 'ours' ? 14 : 18))
    .join('')}`;
  process.stdout.write(
    `${head}\n${rows.join('\n')}\n\nIn brackets: ours divided by theirs, median of rounds.\n\n${isolation()}`,
  );
}

function isolation() {
  const of = (hanging) => samples.filter(({ scenario }) => scenario === `beside ${hanging}`);
  const line = (title, field, digits) => {
    const [alone, beside] = [of(0), of(HANGING)].map((list) => list.map((sample) => sample[field]));
    const ratio = median(beside.map((value, round) => value / alone[round])).toFixed(2);
    return `${title.padEnd(34)}${median(beside).toFixed(digits).padStart(14)}${`(${ratio})`.padStart(9)}\n`;
  };
  return [
    `Ours beside ${HANGING} callbacks that hang in AgentCore, and in brackets divided by ours alone:\n`,
    line('CPU µs per callback', 'cpuMicroseconds', 0),
    line('callbacks a second', 'perSecond', 0),
    line('p50 ms', 'p50Ms', 1),
    line('p99 ms', 'p99Ms', 1),
  ].join('');
}
