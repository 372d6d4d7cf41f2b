import type { Secret } from '../binding/secret.ts';
import { standardAuthorizeHosts } from './agentcore-hosts.ts';
import { effectiveSettings } from './effective-settings.ts';
import type { EffectiveSetting } from './effective-settings.ts';
import { findProblems } from './problems.ts';
import { isLoopbackHost } from './loopback.ts';
import { misspeltSettings } from './misspelt.ts';
import { standardPublicKeysUrl } from './load-balancer-arn.ts';
import { type Readings, readSettings } from './readings.ts';
import { decideRuntimeEnvironment, type Machine } from './runtime-environment.ts';
import { DEFAULT_RATE_LIMIT_PER_MINUTE, SETTINGS } from './settings.ts';
import type { LogLevel, RuntimeEnvironmentName, UserIdentifierKind } from './settings.ts';
import { type StoreUrl, UNSAID_MEMORY } from './store-url.ts';
import type { Reading } from './variables.ts';
import { findWarnings } from './warnings.ts';

/** What the operator told the service, validated once at start. Deep-frozen. */
export interface Config {
  readonly region: string;
  /** `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE`, or that of its `_FILE`; undefined: AWS's own endpoint of the region. */
  readonly agentcoreEndpoint: string | undefined;
  /** Every host of AgentCore's authorize endpoint, not only the further ones; `host` or `host:port`, lower case. */
  readonly authorizeHosts: readonly string[];
  readonly environment: RuntimeEnvironmentName;
  /** Host names or IP addresses without brackets; of several, each where it exists. */
  readonly listenAddresses: readonly string[];
  /** 0, an ephemeral port, only beside an explicit `PUBLIC_URL`. */
  readonly port: number;
  /** Host names to accept besides that of `publicUrl` and loopback names; lower case, no port. */
  readonly allowedHosts: readonly string[];
  /** Without trailing slash, with its path prefix. */
  readonly publicUrl: string;
  /** Why the user's browser will not reach `publicUrl`, and the fix; undefined where nothing is known against it. */
  readonly publicUrlProblem: string | undefined;
  /** Whoever reaches the service may sign in with a click, since nobody else can reach it. */
  readonly singleUser: boolean;
  /** Empty only when single-user. */
  readonly discoveryUrls: readonly string[];
  /** Empty: not set, not checked. */
  readonly allowedClients: readonly string[];
  /** Empty: not set, not checked. */
  readonly allowedAudience: readonly string[];
  /** Empty: not set, not checked. */
  readonly allowedScopes: readonly string[];
  readonly userClaim: string;
  readonly userIdentifier: UserIdentifierKind;
  /** The first signs and encrypts, the others still verify and decrypt. */
  readonly sessionSecrets: readonly [Secret, ...Secret[]];
  readonly sessionTtlSeconds: number;
  readonly storeUrl: StoreUrl;
  readonly requirePin: boolean;
  /** Exact serialised origins, never `null`. */
  readonly allowedOrigins: readonly string[];
  /** Exact serialised origins, never `null`. */
  readonly returnOrigins: readonly string[];
  readonly appUrl: string | undefined;
  /** Sign-in at the callback, at the first issuer; undefined: off. */
  readonly login: LoginConfig | undefined;
  /** The load balancer whose signed header says who the user is; undefined: off. */
  readonly loadBalancer: LoadBalancerConfig | undefined;
  /** Whose pages these are. */
  readonly brand: BrandConfig;
  /** How long SIGTERM keeps accepting. */
  readonly drainSeconds: number;
  /** Addresses and CIDR blocks; empty: no forwarded header counts. */
  readonly trustedProxies: readonly string[];
  /** Undefined: off, since the address of a client cannot be known. */
  readonly rateLimitPerMinute: number | undefined;
  /** Undefined: no metrics are kept. */
  readonly metricsPort: number | undefined;
  readonly logLevel: LogLevel;
}

export interface LoginConfig {
  readonly clientId: string;
  /** Undefined: a public client. */
  readonly clientSecret: Secret | undefined;
  readonly scopes: readonly string[];
}

export interface BrandConfig {
  readonly name: string | undefined;
  /** A `data:` URL. */
  readonly logoUrl: string | undefined;
  /** `#rrggbb` */
  readonly accent: string | undefined;
}

export interface LoadBalancerConfig {
  readonly arn: string;
  readonly clientId: string;
  /** Without trailing slash; a key is at `<publicKeysUrl>/<kid>`. */
  readonly publicKeysUrl: string;
}

export type LoadedConfig =
  | {
      readonly kind: 'valid';
      readonly config: Config;
      /** Every setting with its origin, fit to be shown. */
      readonly settings: readonly EffectiveSetting[];
      readonly warnings: readonly string[];
    }
  /** Every problem, one line each: `NAME: what is wrong and what to write`. No line quotes a value. */
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/**
 * The configuration that an environment describes, or everything that is wrong with it. Pure: environment, file
 * reader and what the machine says are passed in; `readFile` may throw. Never throws.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
  machine: Machine,
): LoadedConfig {
  const readings = readSettings({ env, readFile });
  const { region } = readings;
  const runtime = decideRuntimeEnvironment(readings, env, machine);
  const problems = findProblems(readings, env, runtime);
  // The kind is asked for the compiler: a required setting without value is among the problems already.
  if (problems.length > 0 || region.kind !== 'value') {
    // What is missing may only be misspelt.
    return deepFreeze({ kind: 'invalid', problems: [...problems, ...misspeltSettings(env)] });
  }
  const { listenAddresses, publicUrl, publicUrlProblem, singleUser } = runtime;
  const agentcoreEndpoint = valueOr(readings.agentcoreEndpoint, undefined);
  const trustedProxies = valueOr(readings.trustedProxies, SETTINGS.trustedProxies.whenUnset.value);
  const config: Config = {
    region: region.value,
    agentcoreEndpoint,
    authorizeHosts: [
      ...new Set([
        ...standardAuthorizeHosts(region.value, agentcoreEndpoint),
        ...valueOr(readings.authorizeHosts, []),
      ]),
    ],
    environment: runtime.name,
    listenAddresses,
    port: valueOr(readings.port, SETTINGS.port.whenUnset.value),
    allowedHosts: valueOr(readings.allowedHosts, SETTINGS.allowedHosts.whenUnset.value),
    publicUrl,
    publicUrlProblem,
    singleUser,
    discoveryUrls: valueOr(readings.discoveryUrls, []),
    allowedClients: valueOr(readings.allowedClients, []),
    allowedAudience: valueOr(readings.allowedAudience, []),
    allowedScopes: valueOr(readings.allowedScopes, SETTINGS.allowedScopes.whenUnset.value),
    userClaim: valueOr(readings.userClaim, SETTINGS.userClaim.whenUnset.value),
    userIdentifier: valueOr(readings.userIdentifier, SETTINGS.userIdentifier.whenUnset.value),
    sessionSecrets: valueOr(readings.sessionSecrets, [machine.randomSecret]),
    sessionTtlSeconds: valueOr(readings.sessionTtlSeconds, SETTINGS.sessionTtlSeconds.whenUnset.value),
    storeUrl: valueOr(readings.storeUrl, UNSAID_MEMORY),
    requirePin: valueOr(readings.requirePin, SETTINGS.requirePin.whenUnset.value),
    allowedOrigins: valueOr(readings.allowedOrigins, [new URL(publicUrl).origin]),
    returnOrigins: valueOr(readings.returnOrigins, SETTINGS.returnOrigins.whenUnset.value),
    appUrl: valueOr(readings.appUrl, undefined),
    login: loginOf(readings),
    loadBalancer: loadBalancerOf(readings),
    brand: {
      name: valueOr(readings.brandName, undefined),
      logoUrl: valueOr(readings.brandLogo, undefined),
      accent: valueOr(readings.brandAccent, undefined),
    },
    drainSeconds: valueOr(readings.drainSeconds, isLoopbackHost(new URL(publicUrl).hostname) ? 0 : 10),
    trustedProxies,
    rateLimitPerMinute: decideRateLimit(readings, { publicUrl, singleUser, trustedProxies }),
    metricsPort: valueOr(readings.metricsPort, undefined),
    logLevel: valueOr(readings.logLevel, SETTINGS.logLevel.whenUnset.value),
  };
  return deepFreeze({
    kind: 'valid',
    config,
    settings: effectiveSettings(config, readings),
    warnings: findWarnings(config, readings, runtime, env),
  });
}

function loginOf(readings: Readings): LoginConfig | undefined {
  const { loginClientId, loginClientSecret, loginScopes } = readings;
  if (loginClientId.kind !== 'value') return undefined;
  return {
    clientId: loginClientId.value,
    clientSecret: valueOr(loginClientSecret, undefined),
    scopes: valueOr(loginScopes, SETTINGS.loginScopes.whenUnset.value),
  };
}

function loadBalancerOf({ albArn, albClientId, albPublicKeysUrl }: Readings): LoadBalancerConfig | undefined {
  if (albArn.kind !== 'value' || albClientId.kind !== 'value') return undefined;
  const publicKeysUrl = valueOr(albPublicKeysUrl, standardPublicKeysUrl(albArn.value));
  return publicKeysUrl === undefined
    ? undefined
    : { arn: albArn.value, clientId: albClientId.value, publicKeysUrl };
}

function decideRateLimit(
  { rateLimitPerMinute }: Readings,
  { publicUrl, singleUser, trustedProxies }: Pick<Config, 'publicUrl' | 'singleUser' | 'trustedProxies'>,
): number | undefined {
  const { protocol, hostname } = new URL(publicUrl);
  // Behind a proxy that ends TLS all people would share the proxy's own address, and one of them could have all
  // the others refused (SB-35).
  if (protocol === 'https:' && trustedProxies.length === 0) return undefined;
  // The one user shares his address with every page he has open, and each could have him refused by loading images
  // from here (SB-35). There is nobody else to hold off.
  if (rateLimitPerMinute.kind === 'unset' && singleUser && isLoopbackHost(hostname)) return undefined;
  return valueOr(rateLimitPerMinute, DEFAULT_RATE_LIMIT_PER_MINUTE);
}

function valueOr<T, D>(reading: Reading<T>, fallback: D): T | D {
  return reading.kind === 'value' ? reading.value : fallback;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
