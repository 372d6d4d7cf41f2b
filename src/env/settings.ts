import { Secret } from '../binding/secret.ts';
import { parsed, wrong } from './parsed.ts';
import type { Parsed } from './parsed.ts';
import { parseLoadBalancerArn } from './load-balancer-arn.ts';
import { parseAppUrl, parseBaseUrl, parseDiscoveryUrl, parseOrigin } from './parse-urls.ts';
import {
  parseBoolean,
  parseChoice,
  parseHost,
  parseHostName,
  parseList,
  parseListenAddress,
  parseMatching,
  parseWholeNumber,
} from './parse-values.ts';
import { parseSessionSecrets } from './session-secrets.ts';
import { parseStoreUrl, type StoreUrl } from './store-url.ts';
import { parseTrustedProxy } from './trusted-proxies.ts';

/** One row of the configuration: what loading, the report of `check` and the README say comes from here alone. */
export interface Setting<T> {
  /** The variables that set it; the first one that is set counts. */
  readonly names: readonly [string, ...string[]];
  /** For the README; Markdown. */
  readonly meaning: string;
  readonly whenUnset: WhenUnset<T>;
  /** Its value is never shown. */
  readonly secret: boolean;
  readonly parse: (text: string) => Parsed<T>;
}

/** What holds when no variable is set. `text` is for the README; Markdown. */
type WhenUnset<T> =
  | { readonly kind: 'default'; readonly value: T }
  | { readonly kind: 'derived'; readonly text: string }
  | { readonly kind: 'required'; readonly text: string; readonly problem: string };

export interface SettingValues {
  readonly region: string;
  readonly agentcoreEndpoint: string;
  readonly authorizeHosts: readonly string[];
  readonly environment: RuntimeEnvironmentName;
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly publicUrl: string;
  readonly singleUser: boolean;
  readonly discoveryUrls: readonly string[];
  readonly allowedClients: readonly string[];
  readonly allowedAudience: readonly string[];
  readonly allowedScopes: readonly string[];
  readonly userClaim: string;
  readonly userIdentifier: UserIdentifierKind;
  readonly sessionSecrets: readonly [Secret, ...Secret[]];
  readonly sessionTtlSeconds: number;
  readonly storeUrl: StoreUrl;
  readonly requirePin: boolean;
  readonly allowedOrigins: readonly string[];
  readonly returnOrigins: readonly string[];
  readonly appUrl: string;
  readonly loginClientId: string;
  readonly loginClientSecret: Secret;
  readonly loginScopes: readonly string[];
  readonly albArn: string;
  readonly albClientId: string;
  readonly albPublicKeysUrl: string;
  readonly brandName: string;
  readonly brandLogo: string;
  readonly brandAccent: string;
  readonly drainSeconds: number;
  readonly trustedProxies: readonly string[];
  readonly rateLimitPerMinute: number;
  readonly metricsPort: number;
  readonly logLevel: LogLevel;
}

const RUNTIME_ENVIRONMENTS = ['local', 'sagemaker', 'container'] as const;

export type RuntimeEnvironmentName = (typeof RUNTIME_ENVIRONMENTS)[number];

const USER_IDENTIFIER_KINDS = ['token', 'id'] as const;

/** Which of AgentCore's user identifiers completes a flow: the user token that opened it, or the user id. */
export type UserIdentifierKind = (typeof USER_IDENTIFIER_KINDS)[number];

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export const DEFAULT_RATE_LIMIT_PER_MINUTE = 100;

export type LogLevel = (typeof LOG_LEVELS)[number];

// The region becomes part of a host name to which user tokens go, so nothing but a region's alphabet passes.
const REGION = /^[a-z]{2,4}(?:-[a-z]{2,12}){1,2}-[0-9]{1,2}$/;

// https://datatracker.ietf.org/doc/html/rfc6749#appendix-A: VSCHAR, without the blank.
const VISIBLE = /^[\x21-\x7e]{1,512}$/;

export const SETTINGS = {
  region: {
    names: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    meaning: 'Region of AgentCore Identity.',
    whenUnset: {
      kind: 'required',
      text: 'required',
      problem: 'required; write the AWS region of AgentCore Identity, such as eu-central-1',
    },
    secret: false,
    parse: (text) => parseMatching(text, REGION, 'must be an AWS region such as eu-central-1'),
  },
  agentcoreEndpoint: {
    names: ['AWS_ENDPOINT_URL_BEDROCK_AGENTCORE'],
    meaning: "The AWS SDK's own variable. User tokens go there: https, loopback hosts excepted.",
    whenUnset: { kind: 'derived', text: "AWS's endpoint of the region" },
    secret: false,
    parse: parseBaseUrl,
  },
  authorizeHosts: {
    names: ['AUTHORIZE_HOSTS'],
    meaning: "Further hosts of AgentCore's authorize endpoint (FIPS, dual-stack, other partitions).",
    whenUnset: { kind: 'derived', text: "the region's standard host and the endpoint's" },
    secret: false,
    parse: (text) => parseList(text, parseHost),
  },
  environment: {
    names: ['RUNTIME_ENVIRONMENT'],
    meaning: `${RUNTIME_ENVIRONMENTS.map((name) => `\`${name}\``).join(', ')}: overrides detection.`,
    whenUnset: { kind: 'derived', text: 'detected' },
    secret: false,
    parse: (text) => parseChoice(text, RUNTIME_ENVIRONMENTS),
  },
  host: {
    names: ['HOST'],
    meaning: 'Listen address. `localhost`: 127.0.0.1 and ::1, each where it exists.',
    whenUnset: { kind: 'derived', text: '`localhost`; in Studio and containers `0.0.0.0`' },
    secret: false,
    parse: parseListenAddress,
  },
  port: {
    names: ['PORT'],
    meaning: 'Listen port. 0, an ephemeral port, only beside `PUBLIC_URL`.',
    whenUnset: { kind: 'default', value: 9090 },
    secret: false,
    parse: (text) => parseWholeNumber(text, 0, 65_535),
  },
  allowedHosts: {
    names: ['ALLOWED_HOSTS'],
    meaning: 'Further `Host` names to accept besides that of `PUBLIC_URL` and loopback names.',
    whenUnset: { kind: 'default', value: [] },
    secret: false,
    parse: (text) => parseList(text, parseHostName),
  },
  publicUrl: {
    names: ['PUBLIC_URL'],
    meaning:
      "Base URL that the user's browser reaches, with path prefix if any. http only for loopback hosts.",
    whenUnset: { kind: 'derived', text: "`http://localhost:PORT`; in Studio the space's own" },
    secret: false,
    parse: parseBaseUrl,
  },
  singleUser: {
    names: ['SINGLE_USER'],
    meaning:
      '`true`: whoever reaches the service may sign in with a click. Said explicitly, it holds beyond loopback and Studio too.',
    whenUnset: {
      kind: 'derived',
      text: '`true` on loopback and in a private Studio space; in containers `false`',
    },
    secret: false,
    parse: parseBoolean,
  },
  discoveryUrls: {
    names: ['JWT_DISCOVERY_URL'],
    meaning: "OIDC discovery URL(s): the same value as the agent's `customJWTAuthorizer.discoveryUrl`.",
    whenUnset: { kind: 'derived', text: 'required unless single-user' },
    secret: false,
    parse: (text) => withoutDuplicates(parseList(text, parseDiscoveryUrl)),
  },
  allowedClients: {
    names: ['JWT_ALLOWED_CLIENTS'],
    meaning: 'Accepted `client_id` claims (`azp`, `appid`, `cid` where an issuer uses them instead).',
    whenUnset: { kind: 'derived', text: 'this or `JWT_ALLOWED_AUDIENCE` is required unless single-user' },
    secret: false,
    parse: parseVisibleList,
  },
  allowedAudience: {
    names: ['JWT_ALLOWED_AUDIENCE'],
    meaning: 'Accepted `aud` claims. A Cognito access token has none: leave it unset there.',
    whenUnset: { kind: 'derived', text: 'this or `JWT_ALLOWED_CLIENTS` is required unless single-user' },
    secret: false,
    parse: parseVisibleList,
  },
  allowedScopes: {
    names: ['JWT_ALLOWED_SCOPES'],
    meaning: 'At least one of these must be in `scope` (or `scp`).',
    whenUnset: { kind: 'default', value: [] },
    secret: false,
    parse: parseVisibleList,
  },
  userClaim: {
    names: ['USER_CLAIM'],
    meaning: 'The claim that, with the issuer, is the user (Entra: `oid`).',
    whenUnset: { kind: 'default', value: 'sub' },
    secret: false,
    parse: (text) =>
      parseMatching(text, /^[\x21-\x7e]{1,128}$/, 'must be the name of one claim, such as sub'),
  },
  userIdentifier: {
    names: ['USER_IDENTIFIER'],
    meaning:
      "`token`: the user token that opened a flow completes it. `id`: `USER_CLAIM`'s value does, for agents that run on IAM user ids; one issuer only.",
    whenUnset: { kind: 'default', value: 'token' },
    secret: false,
    parse: (text) => parseChoice(text, USER_IDENTIFIER_KINDS),
  },
  sessionSecrets: {
    names: ['SESSION_SECRET'],
    meaning:
      'Signing and encryption secret(s), at least 32 bytes each. The first one signs, the others still verify.',
    whenUnset: { kind: 'derived', text: 'generated at every start when single-user, else required' },
    secret: true,
    parse: parseSessionSecrets,
  },
  sessionTtlSeconds: {
    names: ['SESSION_TTL_SECONDS'],
    meaning: 'Browser session lifetime, absolute.',
    whenUnset: { kind: 'default', value: 3600 },
    secret: false,
    parse: (text) => parseWholeNumber(text, 1, 30 * 24 * 60 * 60),
  },
  storeUrl: {
    names: ['STORE_URL'],
    meaning:
      'Where records are kept. `memory:` starts when single-user; `memory:?replicas=1` says that this process is the only replica. Replicas share a Valkey or Redis: `rediss://[user:password@]host[:port][/database][?cluster=true]` (or `redis://`).',
    whenUnset: { kind: 'derived', text: '`memory:`' },
    secret: false,
    parse: parseStoreUrl,
  },
  requirePin: {
    names: ['REQUIRE_PIN'],
    meaning: '`true`: refuse a callback for which no pin exists. Recommended where every app pins.',
    whenUnset: { kind: 'default', value: false },
    secret: false,
    parse: parseBoolean,
  },
  allowedOrigins: {
    names: ['ALLOWED_ORIGINS'],
    meaning:
      'Browser origins that may POST user tokens (credentialed CORS). The cookie only sticks where they are same-site with `PUBLIC_URL`.',
    whenUnset: { kind: 'derived', text: 'origin of `PUBLIC_URL`' },
    secret: false,
    parse: (text) => parseList(text, parseOrigin),
  },
  returnOrigins: {
    names: ['RETURN_ORIGINS'],
    meaning: 'Origins to which a finished flow may send the browser (`return_to`).',
    whenUnset: { kind: 'default', value: [] },
    secret: false,
    parse: (text) => parseList(text, parseOrigin),
  },
  appUrl: {
    names: ['APP_URL'],
    meaning: 'Where "back to the app" links go.',
    whenUnset: { kind: 'derived', text: 'none' },
    secret: false,
    parse: parseAppUrl,
  },
  loginClientId: {
    names: ['LOGIN_CLIENT_ID'],
    meaning:
      'Turns on sign-in at the callback: this OIDC client of the first issuer, with `PUBLIC_URL/login/callback` among its redirect URIs.',
    whenUnset: { kind: 'derived', text: 'off' },
    secret: false,
    parse: (text) => parseMatching(text, VISIBLE, 'must be 1 to 512 visible ASCII characters'),
  },
  loginClientSecret: {
    names: ['LOGIN_CLIENT_SECRET'],
    meaning: 'Its client secret; unset for a public client.',
    whenUnset: { kind: 'derived', text: 'none' },
    secret: true,
    parse: parseClientSecret,
  },
  loginScopes: {
    names: ['LOGIN_SCOPES'],
    meaning: 'The scopes of that sign-in, separated by spaces; `openid` among them.',
    whenUnset: { kind: 'default', value: ['openid'] },
    secret: false,
    parse: parseLoginScopes,
  },
  albArn: {
    names: ['ALB_ARN'],
    meaning:
      "Trust this Application Load Balancer's `x-amzn-oidc-data` for `ALB_CLIENT_ID`; both, and `TRUST_PROXY`.",
    whenUnset: { kind: 'derived', text: 'off' },
    secret: false,
    parse: parseLoadBalancerArn,
  },
  albClientId: {
    names: ['ALB_CLIENT_ID'],
    meaning: 'The OIDC client that the load balancer signs users in with.',
    whenUnset: { kind: 'derived', text: 'off' },
    secret: false,
    parse: (text) => parseMatching(text, VISIBLE, 'must be 1 to 512 visible ASCII characters'),
  },
  albPublicKeysUrl: {
    names: ['ALB_PUBLIC_KEYS_URL'],
    meaning: "Base URL of that load balancer's public keys; required outside the `aws` partition.",
    whenUnset: { kind: 'derived', text: "the region's endpoint" },
    secret: false,
    parse: parseBaseUrl,
  },
  brandName: {
    names: ['BRAND_NAME'],
    meaning: 'A name above every page: your product or company.',
    whenUnset: { kind: 'derived', text: 'none' },
    secret: false,
    parse: (text) =>
      parseMatching(text, /^[^\p{Cc}\p{Cf}]{1,64}$/u, 'must be 1 to 64 characters on one line'),
  },
  brandLogo: {
    names: ['BRAND_LOGO'],
    meaning:
      'A logo beside it: the text of an SVG, 32 KiB at most; `BRAND_LOGO_FILE=/path/logo.svg` reads it from a file.',
    whenUnset: { kind: 'derived', text: 'none' },
    secret: false,
    parse: parseLogo,
  },
  brandAccent: {
    names: ['BRAND_ACCENT'],
    meaning: 'The colour of buttons, `#rrggbb`; darkened or lightened where people could not read it.',
    whenUnset: { kind: 'derived', text: 'blue' },
    secret: false,
    parse: (text) => parseMatching(text, /^#[0-9a-f]{6}$/i, 'must be a colour such as #0055cc'),
  },
  drainSeconds: {
    names: ['DRAIN_SECONDS'],
    meaning: 'How long SIGTERM keeps accepting while `/ready` says 503.',
    whenUnset: { kind: 'derived', text: '`0` where `PUBLIC_URL` is loopback, else `10`' },
    secret: false,
    parse: (text) => parseWholeNumber(text, 0, 600),
  },
  trustedProxies: {
    names: ['TRUST_PROXY'],
    meaning: "IPs/CIDRs of proxies whose `X-Forwarded-*` headers count, judged on the socket's peer.",
    whenUnset: { kind: 'default', value: [] },
    secret: false,
    parse: (text) => parseList(text, parseTrustedProxy),
  },
  rateLimitPerMinute: {
    names: ['RATE_LIMIT_PER_MINUTE'],
    meaning:
      'Refused requests per address (IPv6: /64) and minute before 429. Live browser sessions and verifying tokens are never limited.',
    whenUnset: {
      kind: 'derived',
      text: '100; off on https without TRUST_PROXY, and for a single user on loopback',
    },
    secret: false,
    parse: (text) => parseWholeNumber(text, 1, 1_000_000),
  },
  metricsPort: {
    names: ['METRICS_PORT'],
    meaning:
      'Prometheus metrics, at `/metrics` on this port of `HOST` and never on the public one. Whoever reaches it may read them.',
    whenUnset: { kind: 'derived', text: 'off' },
    secret: false,
    parse: (text) => parseWholeNumber(text, 1, 65_535),
  },
  logLevel: {
    names: ['LOG_LEVEL'],
    meaning: `${LOG_LEVELS.map((level) => `\`${level}\``).join(', ')}.`,
    whenUnset: { kind: 'default', value: 'info' },
    secret: false,
    parse: (text) => parseChoice(text, LOG_LEVELS),
  },
} satisfies { readonly [K in keyof SettingValues]: Setting<SettingValues[K]> };

/** The keys of {@link SETTINGS}, in its order. */
export const SETTING_KEYS = Object.keys(SETTINGS).filter(isSettingKey);

function isSettingKey(key: string): key is keyof SettingValues {
  return Object.hasOwn(SETTINGS, key);
}

function parseVisibleList(text: string): Parsed<readonly string[]> {
  return parseList(text, (entry) =>
    parseMatching(entry, VISIBLE, 'must be 1 to 512 visible ASCII characters; separate entries by commas'),
  );
}

/** RFC 6749 section 3.3. Without `openid` there would be no ID token, so nobody could be told who signed in. */
function parseLoginScopes(text: string): Parsed<readonly string[]> {
  const scopes = text.split(' ').filter((scope) => scope !== '');
  if (!scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/.test(scope))) {
    return wrong('must be scopes separated by spaces, such as openid profile');
  }
  return scopes.includes('openid') ? parsed(scopes) : wrong('must contain openid');
}

/** RFC 6749 appendix A.2: visible ASCII and blanks. */
function parseClientSecret(text: string): Parsed<Secret> {
  const isSendable = /^[\x20-\x7e]{1,1024}$/.test(text);
  return isSendable ? parsed(new Secret(text)) : wrong('must be 1 to 1024 printable ASCII characters');
}

const MAX_LOGO_BYTES = 32 * 1024;

/** As a `data:` URL for an image, in which no script of an SVG runs (SB-17). */
function parseLogo(text: string): Parsed<string> {
  if (!/^\s*<(?:\?xml|svg|!--|!doctype)/i.test(text)) return wrong('must be an SVG');
  if (Buffer.byteLength(text) > MAX_LOGO_BYTES) return wrong('must be 32 KiB at most');
  return parsed(`data:image/svg+xml;base64,${Buffer.from(text).toString('base64')}`);
}

function withoutDuplicates(list: Parsed<readonly string[]>): Parsed<readonly string[]> {
  if (list.kind === 'wrong' || new Set(list.value).size === list.value.length) return list;
  return wrong('names one URL twice; write each issuer once');
}
