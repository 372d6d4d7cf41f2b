import { Secret } from '../binding/secret.ts';
import { parsed, wrong } from './parsed.ts';
import type { Parsed } from './parsed.ts';
import { parseList } from './parse-values.ts';

const LEAST_BYTES = 32;

/** What to write instead of a bad secret. */
export const SECRET_HINT = 'write one made by: openssl rand -base64 48';

/** The secrets, each at least 32 bytes long, of which the first signs. */
export function parseSessionSecrets(text: string): Parsed<readonly [Secret, ...Secret[]]> {
  const list = parseList(text, (entry) =>
    Buffer.byteLength(entry) < LEAST_BYTES
      ? wrong(`is shorter than ${LEAST_BYTES} bytes; ${SECRET_HINT}`)
      : parsed(new Secret(entry)),
  );
  if (list.kind === 'wrong') return list;
  const [first, ...others] = list.value;
  return first === undefined ? wrong(`is empty; ${SECRET_HINT}`) : parsed([first, ...others]);
}

// Six letters and more, so that a random base64 secret contains one of them by chance less than once in a million.
const WORDS =
  /change[-_ ]?(?:me|this)|replace[-_ ]?(?:me|this)|placeholder|passw[o0]rd|secret|example|insecure|keyboard|qwerty|12345678|abcdefgh/i;

/**
 * True for a secret that an attacker would try: a placeholder from an example, one character or one short piece
 * over and over (SB-28). It finds carelessness; it cannot prove a secret good.
 */
export function isGuessable(secret: Secret): boolean {
  const text = secret.reveal();
  // 32 random hexadecimal digits have fewer than eight different ones about once in thirty million.
  return WORDS.test(text) || new Set(text).size < 8 || isRepetition(text);
}

/** True where a piece of at most 16 characters fills the text, the last time perhaps only in part. */
function isRepetition(text: string): boolean {
  return Array.from({ length: 16 }, (_, index) => text.slice(index + 1)).some((rest) =>
    text.startsWith(rest),
  );
}
