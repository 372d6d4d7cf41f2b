// npm run bench:growth: what a lookup, a write and an expiry cost in the memory store with a hundred, ten thousand and a
// million records of each kind, and what each takes of memory. All of it must stay flat.
import { createMemoryStore } from '../dist/store/memory-store.js';
import { Secret } from '../dist/binding/secret.js';
import { digest } from '../dist/binding/digest.js';
import { median } from './generator.mjs';
import { progress } from './progress.mjs';

const SIZES = [100, 10_000, 1_000_000];
const LOOKUPS = 20_000;
const HOUR_MS = 3_600_000;
const ISSUER = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI';
const BOUNDLESS = { maxEntries: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER };
const KINDS = [
  'browserSessions',
  'userTokens',
  'pinnedUserTokens',
  'pins',
  'attempts',
  'completions',
  'signInCodes',
];
if (globalThis.gc === undefined) throw new Error('start it with --expose-gc, as npm run bench:growth does');

const userOf = (index) => ({
  issuer: ISSUER,
  subject: `${String(index).padStart(8, '0')}-2222-4333-8444-5555`,
});
const rows = [];
for (const size of SIZES) rows.push(await measure(size));
report();

async function measure(size) {
  let nowMs = Date.now();
  const clock = { nowMs: () => nowMs };
  const store = createMemoryStore(clock, Object.fromEntries(KINDS.map((kind) => [kind, BOUNDLESS])));
  const keys = Array.from({ length: size }, (_, index) => digest(`key ${index}`));
  const before = memory();

  progress(`${size} users`);
  // A signed-in user: one browser session and one user token of 1.2 kB. Expiries are spread over an hour.
  for (let index = 0; index < size; index += 1) await signIn(store, keys[index], index, nowMs);
  const userBytes = (memory() - before) / size;

  progress(`${size} open flows`);
  const beforeFlows = memory();
  for (let index = 0; index < size; index += 1) await store.pins.create(pinOf(keys[index], index, nowMs));
  const flowBytes = (memory() - beforeFlows) / size;

  const row = {
    size,
    userBytes,
    flowBytes,
    sessionMicroseconds: await time(size, (index) => store.browserSessions.read(keys[index])),
    tokenMicroseconds: await time(size, (index) => store.userTokens.list(userOf(index))),
    pinMicroseconds: await time(size, (index) => store.pins.read(keys[index])),
    claimMicroseconds: await time(size, (index) =>
      store.attempts.compareAndSet(keys[index], userOf(index), undefined, {}, 'pinned'),
    ),
  };
  progress(`${size} expiries`);
  nowMs += 2 * HOUR_MS;
  const startedMs = cpuMs();
  // The first write drops all that has expired.
  await signIn(store, digest('another'), size, nowMs);
  row.expiryMicroseconds = ((cpuMs() - startedMs) / (2 * size)) * 1000;
  return row;
}

async function signIn(store, key, index, nowMs) {
  const expiresAtMs = nowMs + 1 + (index % 3600) * 1000;
  // A string of its own, as a parsed body is: not a slice of a shared one.
  const jwt = new Secret(Buffer.alloc(1200, `${index} `).toString('latin1'));
  await store.userTokens.write({
    user: userOf(index),
    jwt,
    fingerprint: digest(`token ${index}`),
    expiresAtMs,
    username: `user-${index}`,
  });
  const browserSession = {
    user: userOf(index),
    username: `user-${index}`,
    createdAtMs: nowMs,
    lineage: key.slice(0, 22),
    tokenExpiresAtMs: expiresAtMs,
    provisional: false,
  };
  await store.browserSessions.write(key, browserSession, expiresAtMs);
}

function pinOf(authorizationSessionKey, index, nowMs) {
  return {
    authorizationSessionKey,
    user: userOf(index),
    tokenFingerprint: digest(`token ${index}`),
    tokenExpiresAtMs: nowMs + HOUR_MS,
    liveUntilMs: nowMs + 600_000,
    label: 'GitHub for the sales agent',
  };
}

/** CPU of one, median of rounds over indexes that jump about. */
async function time(size, operation) {
  const rounds = [];
  let index = 0;
  for (let round = 0; round < 9; round += 1) {
    const startedMs = cpuMs();
    for (let lookup = 0; lookup < LOOKUPS; lookup += 1) {
      index = (index + 7919) % size;
      await operation(index);
    }
    rounds.push(((cpuMs() - startedMs) / LOOKUPS) * 1000);
  }
  return median(rounds);
}

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function memory() {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function report() {
  progress('');
  const line = (title, field, digits) => {
    const cells = rows.map((row) => {
      const ratio = (row[field] / rows[0][field]).toFixed(2);
      return `${row[field].toFixed(digits)} (${ratio})`.padStart(20);
    });
    return `${title.padEnd(34)}${cells.join('')}`;
  };
  process.stdout.write(
    [
      `${'records of each kind'.padEnd(34)}${SIZES.map((size) => size.toLocaleString('en').padStart(20)).join('')}`,
      line('browser session, µs to read', 'sessionMicroseconds', 2),
      line('tokens of a user, µs to list', 'tokenMicroseconds', 2),
      line('pin, µs to read', 'pinMicroseconds', 2),
      line('claim, µs to take', 'claimMicroseconds', 2),
      line('expiry of one record, µs', 'expiryMicroseconds', 2),
      line('a signed-in user, bytes', 'userBytes', 0),
      line('an open flow, bytes', 'flowBytes', 0),
      '',
      'In brackets: divided by the first column.',
      '',
    ].join('\n'),
  );
}
