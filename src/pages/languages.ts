import Negotiator from 'negotiator';
import { rememberLast } from './remember.ts';
import type { Words } from './words.ts';
import { ENGLISH } from './words-en.ts';
import { JAPANESE } from './words-ja.ts';

/** The first one is for whoever understands none of them. */
const LANGUAGES: readonly [Words, ...Words[]] = [ENGLISH, JAPANESE];

/** What this browser's user reads best, by `Accept-Language` (RFC 9110 section 12.5.4). */
export function chooseWords(acceptLanguage: string | undefined): Words {
  return acceptLanguage === undefined ? LANGUAGES[0] : choose(acceptLanguage);
}

const choose = rememberLast((acceptLanguage): Words => {
  const offered = LANGUAGES.map(({ language }) => language);
  const chosen = new Negotiator({ headers: { 'accept-language': acceptLanguage } }).language(offered);
  return LANGUAGES.find(({ language }) => language === chosen) ?? LANGUAGES[0];
});
