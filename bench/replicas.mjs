// npm run bench:replicas [-- --rounds N]: the callback through Redis with one, two and three replicas beside the memory
// store. The replicas share one core here, so it is the CPU of each part that says how they scale: what a callback costs
// a replica must not grow with their number, nor what it costs Redis.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startIssuer } from '../dist/emulator/issuer.js';
import { generate, median, percentile } from './generator.mjs';
import { callbacksOf, issueUserTokens, signIn } from './people.mjs';
import {
  OTHER_CORE,
  pinToCore,
  serviceEnvironment,
  startAgentCore,
  startRedis,
  startServer,
} from './processes.mjs';
import { progress } from './progress.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const USERS = 200;
const MILLISECONDS = 3000;
/** To each replica: a callback costs less where more come at once. */
const CONNECTIONS = 48;
/** For each replica, until V8 is done with what it makes faster. */
const WARM_UP_MS = 6000;

pinToCore(process.pid, OTHER_CORE);
const agentcore = await startAgentCore();
await agentcore.delay(0);
const issuer = await startIssuer();
const userTokens = await issueUserTokens(issuer, USERS);
const samples = [];
for (let round = 1; round <= Number(values.rounds); round += 1) {
  for (const replicas of [0, 1, 2, 3]) samples.push(await play(round, replicas));
}
agentcore.stop();
await issuer.close();
report();

/** None: one process with the memory store. */
async function play(round, replicas) {
  progress(`round ${round}: ${replicas} replicas`);
  const redis = replicas === 0 ? undefined : await startRedis();
  const env = { ...serviceEnvironment(agentcore, issuer), ...(redis && { STORE_URL: redis.url }) };
  const servers = [];
  for (let started = 0; started < Math.max(1, replicas); started += 1) {
    const publicUrl = servers[0] && { PUBLIC_URL: `http://localhost:${servers[0].port}` };
    servers.push(await startServer([CLI, 'serve'], { ...env, ...publicUrl }));
  }
  const cookies = await signIn(servers[0].port, userTokens);
  const ports = servers.map(({ port }) => port);
  const nextRequest = callbacksOf(ports[0], cookies);
  const connections = CONNECTIONS * ports.length;
  await generate({ ports, connections, milliseconds: WARM_UP_MS * ports.length, nextRequest });
  const before = { servers: sum(servers.map((server) => server.cpuMs())), redis: redis?.cpuMs() ?? 0 };
  const { latenciesMs, statuses, elapsedMs } = await generate({
    ports,
    connections,
    milliseconds: MILLISECONDS,
    nextRequest,
  });
  const count = latenciesMs.length;
  const { 200: _, 503: shed = 0, ...others } = statuses;
  if (Object.keys(others).length > 0) throw new Error(`unexpected answers: ${JSON.stringify(others)}`);
  latenciesMs.sort((a, b) => a - b);
  const sample = {
    round,
    replicas,
    perSecond: (count / elapsedMs) * 1000,
    shed: shed / (count + shed),
    serverCpu: ((sum(servers.map((server) => server.cpuMs())) - before.servers) / count) * 1000,
    redisCpu: (((redis?.cpuMs() ?? 0) - before.redis) / count) * 1000,
    p99Ms: percentile(latenciesMs, 0.99),
  };
  for (const server of servers) await server.stop();
  redis?.stop();
  return sample;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function report() {
  progress('');
  const of = (replicas, field) =>
    median(samples.filter((sample) => sample.replicas === replicas).map((sample) => sample[field]));
  const lines = [0, 1, 2, 3].map((replicas) => {
    const ratio = of(replicas, 'serverCpu') / of(1, 'serverCpu');
    return [
      (replicas === 0 ? 'memory store' : `Redis, ${replicas} replica${replicas > 1 ? 's' : ''}`).padEnd(20),
      of(replicas, 'serverCpu').toFixed(0).padStart(12),
      ratio.toFixed(2).padStart(8),
      of(replicas, 'redisCpu').toFixed(0).padStart(12),
      of(replicas, 'perSecond').toFixed(0).padStart(12),
      of(replicas, 'p99Ms').toFixed(1).padStart(10),
      `${(of(replicas, 'shed') * 100).toFixed(1)} %`.padStart(8),
    ].join('');
  });
  const head = `${''.padEnd(20)}${'CPU µs'.padStart(12)}${'ratio'.padStart(8)}${'of Redis'.padStart(12)}${'a second'.padStart(12)}${'p99 ms'.padStart(10)}${'shed'.padStart(8)}`;
  process.stdout.write(`${head}\n${lines.join('\n')}\n\nRatio: CPU per callback, to that of one replica.\n`);
}
