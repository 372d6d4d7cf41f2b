import { Secret } from '../binding/secret.ts';
import { parsed, wrong } from './parsed.ts';
import type { Parsed } from './parsed.ts';
import { parseHostName, parseWholeNumber } from './parse-values.ts';

/** Where records are kept. */
export type StoreUrl = MemoryUrl | RedisUrl;

interface MemoryUrl {
  readonly kind: 'memory';
  /** The operator has said that this process is the only replica. */
  readonly isAlone: boolean;
  /** Fit to be shown. */
  readonly shown: string;
}

interface RedisUrl {
  readonly kind: 'redis';
  /** A name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: Secret | undefined;
  readonly password: Secret | undefined;
  readonly db: number;
  readonly cluster: boolean;
  /** Fit to be shown: without user name and password (SB-16). */
  readonly shown: string;
}

export const UNSAID_MEMORY: StoreUrl = { kind: 'memory', isAlone: false, shown: 'memory:' };

const FORM = 'rediss://[user:password@]host[:port][/database][?cluster=true]';
const REDIS =
  /^(rediss?):\/\/(?:([^:@/?#]*)(?::([^:@/?#]*))?@)?([^:@/?#[\]]+|\[[^@/?#[\]]*\])(?::([^:@/?#]*))?(?:\/([^/?#]*))?(?:\?([^?#]*))?$/;
const DEFAULT_PORT = 6379;

export function parseStoreUrl(text: string): Parsed<StoreUrl> {
  if (text === 'memory:') return parsed(UNSAID_MEMORY);
  if (text === 'memory:?replicas=1') return parsed({ kind: 'memory', isAlone: true, shown: text });
  if (/^rediss?:/.test(text)) return parseRedisUrl(text);
  return wrong(`must be memory:, memory:?replicas=1, or a server of Valkey or Redis: ${FORM}`);
}

function parseRedisUrl(text: string): Parsed<StoreUrl> {
  const match = REDIS.exec(text);
  if (match === null) return wrong(`must be ${FORM}; percent-encode what is special in user and password`);
  const [, scheme = '', user, pass, hostText = '', portText, dbText, query] = match;
  const host = parseHostName(hostText);
  const port = portText === undefined ? parsed(DEFAULT_PORT) : parseWholeNumber(portText, 1, 65_535);
  const db = dbText === undefined || dbText === '' ? parsed(0) : parseWholeNumber(dbText, 0, 999);
  const [username, password] = [decode(user), decode(pass)];
  const cluster = query === 'cluster=true';
  const problems = [
    ...(host.kind === 'wrong' ? ['must name one host'] : []),
    ...(port.kind === 'wrong' ? ['must have a port from 1 to 65535, or none'] : []),
    ...(db.kind === 'wrong' ? ['must have a database number from 0 to 999, or none'] : []),
    ...(query === undefined || cluster ? [] : ['must carry no query but cluster=true']),
    ...(cluster && db.kind === 'parsed' && db.value !== 0 ? ['must not name a database of a cluster'] : []),
    ...new Set([username, password].flatMap((one) => (one.kind === 'wrong' ? one.problems : []))),
    // Whoever writes only one of them has forgotten the other, or taken one for the other.
    ...(user !== undefined && (pass === undefined || pass === '')
      ? ['must carry user:password, or :password alone']
      : []),
  ];
  // The kinds are asked for the compiler: what is wrong is among the problems already.
  if (
    problems.length > 0 ||
    host.kind === 'wrong' ||
    port.kind === 'wrong' ||
    db.kind === 'wrong' ||
    username.kind === 'wrong' ||
    password.kind === 'wrong'
  ) {
    return wrong(...problems);
  }
  const credentials = user === undefined ? '' : '[secret]@';
  const suffix = cluster ? '?cluster=true' : `/${db.value}`;
  return parsed({
    kind: 'redis',
    host: host.value.replace(/^\[(.*)\]$/, '$1'),
    port: port.value,
    tls: scheme === 'rediss',
    username: username.value,
    password: password.value,
    db: db.value,
    cluster,
    shown: `${scheme}://${credentials}${host.value}:${port.value}${suffix}`,
  });
}

function decode(text: string | undefined): Parsed<Secret | undefined> {
  try {
    return parsed(text === undefined || text === '' ? undefined : new Secret(decodeURIComponent(text)));
  } catch {
    // A stray percent sign.
    return wrong('must percent-encode what is special in user and password');
  }
}
