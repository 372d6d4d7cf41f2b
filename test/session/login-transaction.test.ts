import fastifyCookie from '@fastify/cookie';
import { fastify } from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { createLoginTransactions } from '../../src/session/login-transaction.ts';
import { systemClock, systemRandomness } from '../../src/system.ts';

const PREFIX = 'session-binding-login-';
const TTL_MS = 10 * 60_000;
const SECRET = new Secret('a-test-secret-that-is-long-enough-0123456789');

/** Nothing but the cookies of logins, under a clock that stands still: `/keep?state=…` and `/read?state=…`. */
async function startTransactions() {
  let nowMs = 1_800_000_000_000;
  const publicUrl = 'http://localhost:9090';
  const sealer = createSealer([SECRET], 'login', systemRandomness);
  const transactions = createLoginTransactions({
    publicUrl,
    sealer,
    clock: { ...systemClock, nowMs: () => nowMs },
  });
  const app = fastify();
  await app.register(fastifyCookie);
  app.get('/keep', (request, reply) => {
    const { state = '', wayBack = '' } = request.query as Record<string, string>;
    return reply.send({ kept: transactions.keep(request, reply, { state, wayBack }) });
  });
  app.get('/read', (request, reply) => {
    const { state = '' } = request.query as Record<string, string>;
    return reply.send({ known: transactions.read(request, state) !== undefined });
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  const ask = (browser: Browser, path: string, cookie?: string) =>
    browser.send(`${url}${path}`, { headers: cookie === undefined ? {} : { cookie } });
  return { ask, advance: (ms: number) => void (nowMs += ms), cookies: (one: Browser) => one.cookies(url) };
}

const linesOf = (page: Page) => [page.headers['set-cookie'] ?? []].flat();

it('a login lives for ten minutes, to the millisecond [SB-31]', async () => {
  const { ask, advance } = await startTransactions();
  const browser = new Browser();
  await ask(browser, '/keep?state=a');
  advance(TTL_MS - 1);
  expect((await ask(browser, '/read?state=a')).body).toBe('{"known":true}');
  advance(1);
  expect((await ask(browser, '/read?state=a')).body).toBe('{"known":false}');
});

it('a login that is kept again takes no place from the others, nor do cookies of other names', async () => {
  const { ask, cookies } = await startTransactions();
  const browser = new Browser();
  for (const state of ['a', 'b', 'c', 'd']) await ask(browser, `/keep?state=${state}`);
  const again = await ask(browser, '/keep?state=b');
  expect(linesOf(again).map((line) => line.split('=')[0])).toEqual([`${PREFIX}b`]);
  expect([...cookies(browser).keys()].toSorted()).toEqual(['a', 'b', 'c', 'd'].map((one) => PREFIX + one));

  const strange = Array.from({ length: 9 }, (_, index) => `other-${index}=${'x'.repeat(900)}`).join('; ');
  const beside = await ask(new Browser(), '/keep?state=a', strange);
  expect(linesOf(beside).map((line) => line.split('=')[0])).toEqual([`${PREFIX}a`]);
});

/** A state and a way back such that the cookie meets each length, since sealing makes of one character one or two. */
const SIZES = ['x', 'xy', 'xyz'].flatMap((state) =>
  Array.from({ length: 60 }, (_, index) => ({ state, more: 'w'.repeat(index) })),
);

/** Bytes of the cookie that this answer sets, name and value; undefined if it sets none. */
function bytesSet(page: Page): number | undefined {
  const line = linesOf(page).find((one) => !one.includes('Max-Age=0'));
  return line === undefined ? undefined : (line.split(';')[0] ?? '').length - '='.length;
}

it('a login whose cookie would be longer than browsers keep is not begun: 3600 bytes, and no more [SB-21]', async () => {
  const { ask } = await startTransactions();
  const wayBack = 'w'.repeat(2_560);
  const bytes = [];
  for (const { state, more } of SIZES)
    bytes.push(bytesSet(await ask(new Browser(), `/keep?state=${state}&wayBack=${wayBack}${more}`)));
  expect(bytes).toContain(undefined);
  expect(Math.max(...bytes.map((one) => one ?? 0))).toBe(3_600);
});

it('logins leave when their cookies together are longer than a header line may be: 6000 bytes, and no more [SB-21]', async () => {
  const { ask } = await startTransactions();
  const first = await ask(new Browser(), `/keep?state=a&wayBack=${'w'.repeat(2_400)}`);
  const [cookie = ''] = (linesOf(first)[0] ?? '').split(';');
  const together = [];
  for (const { state, more } of SIZES) {
    const page = await ask(new Browser(), `/keep?state=${state}&wayBack=${'w'.repeat(1_850)}${more}`, cookie);
    const isDropped = linesOf(page).some((line) => line.startsWith(`${PREFIX}a=;`));
    together.push(isDropped ? undefined : (bytesSet(first) ?? 0) + (bytesSet(page) ?? 0));
  }
  expect(together).toContain(undefined);
  expect(Math.max(...together.map((one) => one ?? 0))).toBe(6_000);
});

it('logins leave also where some were planted that browsers send before them [SB-21]', async () => {
  const { ask } = await startTransactions();
  const planted = Array.from({ length: 40 }, (_, index) => `${PREFIX}planted-${index}=x`);
  // In the order in which they were made, as browsers send them.
  const own = new Map<string, string>();
  for (const state of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const cookie = [...planted, ...own.values()].join('; ');
    for (const line of linesOf(await ask(new Browser(), `/keep?state=${state}`, cookie))) {
      const [pair = ''] = line.split(';');
      const [name = ''] = pair.split('=');
      if (line.includes('Max-Age=0')) own.delete(name);
      else own.set(name, pair);
    }
  }
  expect(own.size).toBeLessThanOrEqual(4);
});

it('of hundreds of logins that nobody has begun a few are looked at, and the others lapse by themselves [SB-21]', async () => {
  const { ask } = await startTransactions();
  const madeUp = Array.from({ length: 500 }, (_, index) => `${PREFIX}${index}=x`).join(';');
  const lines = linesOf(await ask(new Browser(), '/keep?state=a', madeUp));
  expect(lines.filter((line) => line.startsWith(`${PREFIX}a=`))).toHaveLength(1);
  expect(lines.length).toBeLessThanOrEqual(1 + 16);
});
