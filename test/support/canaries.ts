import { inspect } from 'node:util';
import { expect } from 'vitest';
import type { Page } from '../../src/demo/browser.ts';
import { spellingsOf } from './server-content.ts';

/** Shorter text would be found by chance. */
const MIN_LENGTH = 8;

/** Everything that must not be read where anybody else may look, gathered while flows play. */
export class Canaries {
  readonly #byText = new Map<string, string>();

  /** The text itself in its usual spellings, and what of it would still be worth stealing. */
  add(name: string, text: string | undefined): void {
    if (text === undefined || text.length < MIN_LENGTH) throw new Error(`${name} is no canary: ${text}`);
    const decoded = decodeURIComponent(text);
    const parts = decoded.split('.');
    const [, claims = ''] = parts;
    this.#put(name, text);
    this.#put(`${name}, decoded`, decoded);
    // Half of a token that was cut off is too much still.
    for (const [piece] of decoded.matchAll(/[\w-]{32}/g)) this.#byText.set(piece, `a piece of ${name}`);
    if (parts.length > 1) this.#put(`the last part of ${name}`, parts.at(-1) ?? '');
    if (parts.length === 3) this.#put(`the claims of ${name}`, claims);
    // The prefix of an authorization session id says nothing.
    if (decoded.startsWith('urn:')) this.#put(`the end of ${name}`, decoded.split(':').at(-1) ?? '');
  }

  addAll(texts: Readonly<Record<string, string | undefined>>): void {
    for (const [name, text] of Object.entries(texts)) this.add(name, text);
  }

  get size(): number {
    return this.#byText.size;
  }

  /** Names of those that the text carries. */
  foundIn(text: string): readonly string[] {
    return [...this.#byText].filter(([canary]) => text.includes(canary)).map(([, name]) => name);
  }

  #put(name: string, text: string): void {
    if (text.length < MIN_LENGTH) return;
    for (const spelling of spellingsOf(text)) this.#byText.set(spelling, name);
  }
}

/** An answer without its cookies and without the way on of a redirect, which carry a flow because they must. */
export function textOfPage({ headers, body }: Page): string {
  const { 'set-cookie': _own, location: _wayOn, ...others } = headers;
  return `${JSON.stringify(others)} ${body}`;
}

/** The answers carry none of these. */
export function expectNoneIn(pages: readonly Page[], canaries: Canaries): void {
  for (const page of pages) {
    const found = canaries.foundIn(textOfPage(page));
    expect({ status: page.status, body: found.length > 0 ? page.body : '', found }).toEqual({
      status: page.status,
      body: '',
      found: [],
    });
    expect(page.body).not.toMatch(/Exception|TypeError|\.ts:\d|node_modules/);
  }
}

/** A log carries none of these, nor anything of their shape that nobody has thought of. */
export function expectSilentLog(log: string, canaries: Canaries): void {
  expect(canaries.foundIn(log)).toEqual([]);
  const lines = log.split('\n');
  expect(lines.filter((line) => /canary|urn:ietf|sb1\.|%3A/i.test(line))).toEqual([]);
  // The beginning of any JWT, and longer than a request id, which may have these letters by chance.
  expect(lines.filter((line) => /eyJ[\w-]{16}/.test(line))).toEqual([]);
}

/** Everything that a program might print of an error, of what caused it and of what hangs on it. */
export function everythingIn(error: unknown): string {
  const { message = '', stack = '', cause } = error instanceof Error ? error : {};
  const shown = inspect(error, { depth: null, showHidden: true, getters: true });
  return [message, stack, inspect(cause, { depth: null }), shown, JSON.stringify(error)].join('\n');
}
