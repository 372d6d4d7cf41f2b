import type { FlowFacts } from '../binding/outcome.ts';
import type { OutcomeCode } from '../pages/outcomes.ts';

const MAX_LENGTH = 2048;

// As in an authorization URL: what parsers disagree about is nobody's honest address.
const CHARACTERS = /^[!-~]+$/;
const PARAMETER = 'binding';

/**
 * Where a finished flow may send the browser: an absolute http(s) URL whose origin is one of `returnOrigins`, compared
 * exactly. Undefined for everything else, and for each text that a parser would have to mend: the browser is sent to
 * what was checked, letter by letter (SB-18).
 */
export function parseReturnTo(text: string, returnOrigins: readonly string[]): string | undefined {
  if (text.length > MAX_LENGTH || !CHARACTERS.test(text) || text.includes('\\')) return undefined;
  if (!/^https?:\/\/[^/?#@]+(?:[/?#]|$)/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  // The one thing that may be mended: an origin alone has no path.
  if (url.href !== text && url.href !== `${text}/`) return undefined;
  return returnOrigins.includes(url.origin) ? url.href : undefined;
}

/**
 * That address with `binding=<code>` in its query, everything else of it as it was. One that is there already, from an
 * earlier return, goes: an app must not read the end of another flow.
 */
export function withBinding(returnTo: string, code: OutcomeCode): string {
  const url = new URL(returnTo);
  const others = url.search.slice(1).split('&');
  const kept = others.filter((part) => part !== '' && !new URLSearchParams(part).has(PARAMETER));
  url.search = [...kept, `${PARAMETER}=${code}`].join('&');
  return url.href;
}

/** The "back to the app" link of a page: the flow's own, where its user is asking, else the operator's. */
export function backToApp(
  code: OutcomeCode,
  flow: FlowFacts | undefined,
  appUrl: string | undefined,
): string | undefined {
  const target = flow?.returnTo ?? appUrl;
  return target === undefined ? undefined : withBinding(target, code);
}
