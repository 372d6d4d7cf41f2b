import { isIP } from 'node:net';
import { parsed, wrong } from './parsed.ts';
import type { Parsed } from './parsed.ts';

/** Plain digits only: `Number` would also take `1e3`, `0x1f` and blanks. */
export function parseWholeNumber(text: string, least: number, most: number): Parsed<number> {
  const value = Number(text);
  if (/^(?:0|[1-9][0-9]{0,8})$/.test(text) && value >= least && value <= most) return parsed(value);
  return wrong(`must be a whole number from ${least} to ${most}, digits only`);
}

export function parseBoolean(text: string): Parsed<boolean> {
  if (text === 'true') return parsed(true);
  if (text === 'false') return parsed(false);
  return wrong('must be true or false');
}

export function parseChoice<T extends string>(text: string, choices: readonly T[]): Parsed<T> {
  const choice = choices.find((candidate) => candidate === text);
  return choice === undefined ? wrong(`must be one of ${choices.join(', ')}`) : parsed(choice);
}

export function parseMatching(text: string, pattern: RegExp, hint: string): Parsed<string> {
  return pattern.test(text) ? parsed(text) : wrong(hint);
}

/**
 * Comma separated, spaces around an entry ignored. An empty entry is a problem: it is a typing error, or a
 * template variable that came out empty, and must not quietly shorten a list that restricts something (SB-28).
 */
export function parseList<T>(text: string, parseEntry: (entry: string) => Parsed<T>): Parsed<readonly T[]> {
  const entries = text.split(',').map((entry) => entry.trim());
  const values: T[] = [];
  const problems: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const outcome = entry === '' ? wrong('is empty; remove the spare comma') : parseEntry(entry);
    if (outcome.kind === 'parsed') values.push(outcome.value);
    else problems.push(...outcome.problems.map((problem) => named(problem, index, entries.length)));
  }
  return problems.length > 0 ? wrong(...problems) : parsed(values);
}

function named(problem: string, index: number, count: number): string {
  return count === 1 ? problem : `entry ${index + 1} ${problem}`;
}

const DNS_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)*$/;

/** A host name or IP address without port, lower case; IPv6 in brackets, as `URL.hostname` spells it. */
export function parseHostName(text: string): Parsed<string> {
  const name = text.toLowerCase();
  const address = name.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 6 && URL.canParse(`http://[${address}]`)) {
    return parsed(new URL(`http://[${address}]`).hostname);
  }
  if (DNS_NAME.test(name)) return parsed(name);
  return wrong('must be a host name such as auth.example.com, without scheme, port, path or wildcard');
}

/** A host name with or without port, lower case; the default port of https is dropped, as `URL.host` does. */
export function parseHost(text: string): Parsed<string> {
  const [, name = '', port] = /^(.*?)(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const host = parseHostName(name);
  if (host.kind === 'wrong' || Number(port ?? '1') < 1 || Number(port ?? '1') > 65_535) {
    return wrong('must be a host such as auth.example.com or auth.example.com:8443, without scheme or path');
  }
  return parsed(port === undefined || Number(port) === 443 ? host.value : `${host.value}:${Number(port)}`);
}

/** What `listen` takes: a host name or an IP address without brackets. */
export function parseListenAddress(text: string): Parsed<string> {
  const name = text.toLowerCase();
  if (isIP(name) !== 0 || DNS_NAME.test(name)) return parsed(name);
  return wrong('must be a host name or IP address without brackets or port, such as localhost or 0.0.0.0');
}
