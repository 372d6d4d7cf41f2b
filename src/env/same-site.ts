import { isIP } from 'node:net';

/** What can be said about two origins without the public suffix list. */
export type SiteGuess = 'same' | 'different' | 'unsure';

// Under these, every customer has a site of his own, although the names share their last labels.
const SHARED_SUFFIXES = [
  'amazonaws.com',
  'amplifyapp.com',
  'awsapprunner.com',
  'azurewebsites.net',
  'cloudfront.net',
  'github.io',
  'herokuapp.com',
  'netlify.app',
  'on.aws',
  'pages.dev',
  'vercel.app',
  'workers.dev',
];

/**
 * Whether a browser would call two origins same-site: same scheme and same registrable domain, ports ignored
 * (https://html.spec.whatwg.org/multipage/browsers.html#same-site). The registrable domain is guessed as the last two
 * labels, so a shared suffix that may belong to a registry or a hosting company is `unsure`.
 */
export function guessSameSite(a: string, b: string): SiteGuess {
  const one = new URL(a);
  const other = new URL(b);
  if (one.protocol !== other.protocol) return 'different';
  if (one.hostname === other.hostname) return 'same';
  if (isAddress(one.hostname) || isAddress(other.hostname)) return 'different';
  const shared = sharedLabels(one.hostname, other.hostname);
  if (shared.length < 2) return 'different';
  return mayBePublicSuffix(shared) ? 'unsure' : 'same';
}

function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || isIP(hostname) !== 0;
}

/** The labels that both names end in, in their written order. */
function sharedLabels(a: string, b: string): readonly string[] {
  const labels = a.split('.').toReversed();
  const others = b.split('.').toReversed();
  const different = labels.findIndex((label, index) => label !== others[index]);
  return labels.slice(0, different === -1 ? labels.length : different).toReversed();
}

function mayBePublicSuffix(labels: readonly string[]): boolean {
  const suffix = labels.join('.');
  if (SHARED_SUFFIXES.some((shared) => suffix === shared || suffix.endsWith(`.${shared}`))) return true;
  // `co.uk`, `com.au`, `ne.jp`: a short label under a country's domain.
  return /^[a-z]{2,3}\.[a-z]{2}$/.test(suffix);
}
