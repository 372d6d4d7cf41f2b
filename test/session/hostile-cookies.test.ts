import { describe, expect, it } from 'vitest';
import type { Browser } from '../../src/demo/browser.ts';
import { expectProblem } from '../support/answers.ts';
import { idIn, sessionCookie, signedCookie, whoIs } from '../support/cookies.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareWorld } from '../support/shared-world.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';

const calls: StoreCall[] = [];
const world = shareWorld({ store: watchStore((call) => calls.push(call)) });

const NAME = 'session-binding';
type Make = (good: string, others: string) => string;

/** `Cookie` headers in which somebody has had a hand, made of a good cookie and another user's. */
const FORGED: readonly (readonly [name: string, header: Make])[] = [
  ['no signature', (good) => `${NAME}=${idIn(good)}`],
  ['an empty signature', (good) => `${NAME}=${idIn(good)}.`],
  ['a signature cut short', (good) => `${NAME}=${good.slice(0, -4)}`],
  ['a signature drawn out', (good) => `${NAME}=${good}AAAA`],
  ['a signature with padding', (good) => `${NAME}=${good}%3D`],
  [
    'one character of the signature changed',
    (good) => `${NAME}=${good.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))}`,
  ],
  [
    'one character of the id changed',
    (good) => `${NAME}=${good.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`,
  ],
  [
    'one user’s id under another’s signature',
    (good, others) => `${NAME}=${idIn(good)}.${decodeURIComponent(others).split('.')[1]}`,
  ],
  ['another key', (good) => `${NAME}=${signedCookie(idIn(good), 'another-secret-that-is-long-enough-0123')}`],
  ['the id in upper case', (good) => `${NAME}=${good.toUpperCase()}`],
  ['nothing', () => `${NAME}=`],
  ['a dot', () => `${NAME}=.`],
  ['only a signature', (good) => `${NAME}=.${good.split('.')[1]}`],
  ['a null byte', (good) => `${NAME}=%00${good}`],
  ['broken percent-encoding', (good) => `${NAME}=%zz${good}`],
  ['__proto__', () => `${NAME}=__proto__.__proto__`],
  ['seven thousand characters', () => `${NAME}=${'a'.repeat(7_000)}.${'b'.repeat(43)}`],
  ['another name', (good) => `${NAME}-x=${good}`],
  ['the name in upper case', (good) => `${NAME.toUpperCase()}=${good}`],
  ['the __Host- name, which is not ours here', (good) => `__Host-${NAME}=${good}`],
];

/** Our name twice with different values: one was planted, and nobody can tell which. */
const CONTRADICTING: readonly (readonly [name: string, header: Make])[] = [
  ['good and another user’s', (good, others) => `${NAME}=${good}; ${NAME}=${others}`],
  ['another user’s and good', (good, others) => `${NAME}=${others}; ${NAME}=${good}`],
  ['good and forged', (good) => `${NAME}=${good}; ${NAME}=forged.AAAA`],
  ['good and empty', (good) => `${NAME}=${good}; ${NAME}=`],
  ['empty and good', (good) => `${NAME}=; ${NAME}=${good}`],
  ['good and nameless, as a browser writes it', (good) => `a=b; ${NAME}=${good}; c=d; ${NAME}=x`],
  ['without a space between', (good, others) => `${NAME}=${good};${NAME}=${others}`],
  ['with a tab before', (good, others) => `${NAME}=${good};\t${NAME}=${others}`],
  ['with a space behind the name', (good, others) => `${NAME} =${others}; ${NAME}=${good}`],
  ['with a tab behind the name', (good, others) => `${NAME}=${good}; ${NAME}\t=${others}`],
];

describe('nobody sits at a browser whose cookie has', () => {
  it.each(FORGED)('%s; the store is not even asked [SB-05]', async (_name, make) => {
    const { good, others } = await twoCookies();
    calls.length = 0;
    expect(await whoIs(world(), make(good, others))).toBeUndefined();
    expect(calls).toEqual([]);
    expect(await whoIs(world(), `${NAME}=${good}`)).toBe('alice');
  });
});

describe('nobody sits at a browser that sends our cookie twice', () => {
  it.each(CONTRADICTING)('%s; the store is not even asked [SB-33]', async (_name, make) => {
    const { good, others } = await twoCookies();
    calls.length = 0;
    expect(await whoIs(world(), make(good, others))).toBeUndefined();
    expect(calls).toEqual([]);
  });

  it('in two header lines; the store is not even asked [SB-33]', async () => {
    const { good, others } = await twoCookies();
    calls.length = 0;
    const answer = await sendRaw(
      world().url,
      `GET /oauth2/callback?error=x HTTP/1.1\r\nHost: localhost\r\nCookie: ${NAME}=${others}\r\nCookie: ${NAME}=${good}\r\n\r\n`,
    );
    expectProblem(answer, 401, 'not_signed_in');
    expect(calls).toEqual([]);
  });

  it('unless both are the same, which plants nothing', async () => {
    const { good } = await twoCookies();
    expect(await whoIs(world(), `a=b; ${NAME}=${good}; ${NAME}=${good}`)).toBe('alice');
  });

  it('unless one of them is nameless, as a browser sends `x` of `Set-Cookie: x`: it is none of ours', async () => {
    const { good } = await twoCookies();
    for (const nameless of [`${NAME}x`, NAME, ''])
      expect(await whoIs(world(), `${nameless}; ${NAME}=${good}; ${nameless}`)).toBe('alice');
  });

  it('and a sign-in there makes a new browser session, and ends neither of the two [SB-33]', async () => {
    const { good, others, alice } = await twoCookies();
    const answer = await alice.send(`${world().url}/userIdentifier/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: world().url },
      body: JSON.stringify({ user_token: await world().tokenOf('alice') }),
    });
    expect(answer.status).toBe(200);
    expect(await whoIs(world(), `${NAME}=${others}`)).toBe('bob');
    expect(await whoIs(world(), `${NAME}=${good}`)).toBeUndefined();
  });
});

async function twoCookies(): Promise<{ good: string; others: string; alice: Browser }> {
  const alice = await world().signedIn(await world().tokenOf('alice'));
  const bob = await world().signedIn(await world().tokenOf('bob'));
  return { alice, good: sessionCookie(alice, world().url), others: sessionCookie(bob, world().url) };
}
