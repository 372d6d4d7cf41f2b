// The people who come, in a process of its own: signs users in, pins flows, and opens callbacks, either one after the
// other at so many browsers (closed loop) or at a rate that heeds no answer (open loop).
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpConnection } from '../measure/http-connection.mjs';
import { serveWorker } from '../measure/worker.mjs';

/**
 * What a load balancer holds open to one target, and how many visits wait there until one of them is free; Envoy, too,
 * answers the others itself. Whoever came by a connection of his own would wait for Node, which accepts one in a turn.
 */
const CONNECTIONS = 256;
const MAX_WAITING = 1024;
/** A health check, on a connection of its own. */
const CHECK_MS = 200;
/** Longer than any callback may take (ten seconds). */
const PATIENCE_MS = 15_000;
const OVERLOADED_PAGE = '<title>Busy right now</title>';

/** First in, first out: an array of thousands is slow at its beginning. */
class Queue {
  #items = [];
  #first = 0;

  push(item) {
    this.#items.push(item);
  }

  shift() {
    if (this.#first === this.#items.length) return undefined;
    const item = this.#items[this.#first];
    this.#first += 1;
    if (this.#first > 1_000) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  get length() {
    return this.#items.length - this.#first;
  }
}

let port;
const flows = new Queue();
const idle = [];
const waiting = new Queue();
let connections = 0;

serveWorker('ready', ({ does, ...options }) => {
  switch (does) {
    case 'count':
      return { flows: flows.length };
    case 'pin':
      return pinFlows(options);
    case 'closed':
      return closedLoop(options);
    case 'open':
      return openLoop(options);
    default:
      throw new TypeError(`no such work: ${does}`);
  }
});

/** Each person's app posts the person's user token with one flow after the other. */
async function pinFlows({ url, people, concurrency }) {
  port = Number(new URL(url).port);
  const host = new URL(url).host;
  const queue = [...people];
  const pinOne = async () => {
    for (let person = queue.pop(); person !== undefined; person = queue.pop()) {
      let cookie = '';
      for (const sessionUri of person.sessionUris) {
        const body = JSON.stringify({ user_token: person.userToken, session_uri: sessionUri });
        const request =
          `POST /userIdentifier/token HTTP/1.1\r\nhost: ${host}\r\n${cookie}origin: ${url}\r\n` +
          'sec-fetch-site: same-origin\r\nsec-fetch-mode: cors\r\nsec-fetch-dest: empty\r\n' +
          `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
        let answer = await ask(request);
        // A machine that others keep busy may turn some away even now.
        for (let tries = 1; answer?.status === 503 && tries < 50; tries += 1) {
          await sleep(100);
          answer = await ask(request);
        }
        if (answer?.status !== 200) throw new Error(`a pin was answered ${answer?.status} ${answer?.body}`);
        const pairs = [...answer.head.matchAll(/\r\nset-cookie: ([^;]+)/gi)].map(([, pair]) => pair);
        cookie = `cookie: ${pairs.join('; ')}\r\n`;
      }
      for (const sessionUri of person.sessionUris) {
        flows.push(
          `GET /oauth2/callback?session_id=${encodeURIComponent(sessionUri)} HTTP/1.1\r\nhost: ${host}\r\n${cookie}` +
            'sec-fetch-site: cross-site\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n' +
            'accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n' +
            'accept-language: en-GB,en;q=0.9\r\naccept-encoding: gzip, deflate, br\r\n' +
            'user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36\r\n\r\n',
        );
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, pinOne));
  return { flows: flows.length };
}

/** So many browsers, each of which opens the next callback as soon as its last one is answered. */
async function closedLoop({ concurrency, seconds }) {
  const untilMs = performance.now() + seconds * 1000;
  const counts = {};
  const startedMs = performance.now();
  const browse = async () => {
    while (performance.now() < untilMs) {
      const kind = await new Promise(visit);
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, browse));
  const elapsedSeconds = (performance.now() - startedMs) / 1000;
  return { acceptedPerSecond: (counts.accepted ?? 0) / elapsedSeconds, counts };
}

/**
 * Phases of `ratePerSecond` for `seconds`, one right after the other, whatever is answered. Of each visit: how long its
 * answer took, and how long it waited before, from when it was due, until a connection was free.
 */
async function openLoop({ phases }) {
  await warmUp();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const results = [];
  let underWay = 0;
  let phaseStartMs = startedMs;
  for (const { ratePerSecond, seconds } of phases) {
    const result = {
      startedAt: performance.timeOrigin + phaseStartMs,
      kinds: {},
      seconds: Array.from({ length: Math.ceil(seconds) }, () => ({ accepted: 0, others: 0 })),
      checks: [],
    };
    const checking = setInterval(() => checkHealth(result.checks), CHECK_MS);
    results.push(result);
    const total = Math.round(ratePerSecond * seconds);
    const dueMs = (index) => phaseStartMs + (index * 1000) / ratePerSecond;
    for (let index = 0; index < total;) {
      const nowMs = performance.now();
      for (; index < total && dueMs(index) <= nowMs; index += 1) {
        const due = dueMs(index);
        const second = Math.floor((due - phaseStartMs) / 1000);
        underWay += 1;
        visit((kind, sentMs) => {
          underWay -= 1;
          const answeredMs = performance.now();
          const figures = (result.kinds[kind] ??= { answer: [], wait: [] });
          figures.answer.push(answeredMs - sentMs);
          figures.wait.push(sentMs - due);
          const counts = result.seconds[second];
          counts[kind === 'accepted' ? 'accepted' : 'others'] += 1;
        });
      }
      await sleep(1);
    }
    clearInterval(checking);
    phaseStartMs += seconds * 1000;
  }
  const untilMs = performance.now() + PATIENCE_MS + 1000;
  const isOver = () => underWay === 0 || performance.now() > untilMs;
  while (!isOver()) await sleep(20);
  const { user, system } = process.cpuUsage(cpuBefore);
  delay.disable();
  return {
    phases: results,
    unanswered: underWay,
    own: {
      lagP99Ms: delay.percentile(99) / 1e6,
      cpuShare: (user + system) / 1000 / (performance.now() - startedMs),
    },
  };
}

/** Opens what is missing, and asks on each once: it is accepted before anything is measured. */
async function warmUp() {
  const opened = Array.from({ length: CONNECTIONS - connections }, openConnection);
  const request = 'GET /ping HTTP/1.1\r\nhost: localhost\r\n\r\n';
  await Promise.all(opened.map((connection) => new Promise((resolve) => connection.send(request, resolve))));
  idle.push(...opened);
}

function checkHealth(checks) {
  const startedMs = performance.now();
  const connection = new HttpConnection(port, () => undefined);
  connection.send('GET /ping HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', (answer) => {
    checks.push(answer?.status === 200 ? performance.now() - startedMs : Infinity);
    connection.close();
  });
}

/** One person comes back from the consent. Tells how it ended, and when it was sent. */
function visit(ended) {
  let flow;
  const next = () => {
    flow = flows.shift();
    return flow;
  };
  send(next, (answer, sentMs) => {
    const kind = answer !== 'full' && flow === undefined ? 'no flow left' : kindOf(answer);
    // Nobody has tried a refused one yet: it comes again later.
    if (kind.startsWith('refused')) flows.push(flow);
    ended(kind, sentMs);
  });
}

/** Asks for the request when a connection is free, and sends it; undefined is none. */
function send(next, answered) {
  const connection = idle.pop() ?? (connections < CONNECTIONS ? openConnection() : undefined);
  if (connection !== undefined) sendOn(connection, next, answered);
  else if (waiting.length < MAX_WAITING) waiting.push({ next, answered });
  else answered('full', performance.now());
}

function sendOn(connection, next, answered) {
  const sentMs = performance.now();
  const request = next();
  if (request === undefined) {
    answered(undefined, sentMs);
    return void setImmediate(release, connection);
  }
  const timer = setTimeout(() => connection.close(), PATIENCE_MS);
  connection.send(request, (answer) => {
    clearTimeout(timer);
    answered(answer, sentMs);
    // One that was cut off is none any more: another is opened for whoever waits.
    release(answer === undefined ? undefined : connection);
  });
}

function release(connection) {
  const first = waiting.shift();
  if (first !== undefined) sendOn(connection ?? openConnection(), first.next, first.answered);
  else if (connection !== undefined) idle.push(connection);
}

function kindOf(answer) {
  if (answer === 'full') return 'never sent';
  if (answer === undefined) return 'no answer';
  const { status, body } = answer;
  if (status === 200) return 'accepted';
  if (status === 429) return 'refused 429';
  return status === 503 && body.includes(OVERLOADED_PAGE) ? 'refused 503' : `failed ${status}`;
}

function ask(request) {
  return new Promise((resolve) => send(() => request, resolve));
}

function openConnection() {
  connections += 1;
  return new HttpConnection(port, (closed) => {
    connections -= 1;
    const at = idle.indexOf(closed);
    if (at !== -1) idle.splice(at, 1);
  });
}
