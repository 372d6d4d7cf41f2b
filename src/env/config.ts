import type { Secret } from '../binding/secret.ts';
import { standardAuthorizeHosts } from './agentcore-hosts.ts';
import { effectiveSettings } from './effective-settings.ts';
import type { EffectiveSetting } from './effective-settings.ts';
import { findProblems } from './problems.ts';
import { readSettings } from './readings.ts';
import { SETTINGS } from './settings.ts';
import type { LogLevel } from './settings.ts';
import type { Reading } from './variables.ts';
import { findWarnings } from './warnings.ts';

/** What the operator told the service, validated once at start. Deep-frozen. */
export interface Config {
  readonly region: string;
  /** `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE`, or that of its `_FILE`; undefined: AWS's own endpoint of the region. */
  readonly agentcoreEndpoint: string | undefined;
  /** Every host of AgentCore's authorize endpoint, not only the further ones; `host` or `host:port`, lower case. */
  readonly authorizeHosts: readonly string[];
  readonly host: string;
  /** 0, an ephemeral port, only beside an explicit `PUBLIC_URL`. */
  readonly port: number;
  /** Host names to accept besides that of `publicUrl` and loopback names; lower case, no port. */
  readonly allowedHosts: readonly string[];
  /** Without trailing slash, with its path prefix. */
  readonly publicUrl: string;
  /** One person's own machine: sign-in by a click, and Cognito issuers recognised by their URL (contract §7). */
  readonly singleUser: boolean;
  readonly discoveryUrls: readonly string[];
  /** Empty: not set, not checked. */
  readonly allowedClients: readonly string[];
  /** Empty: not set, not checked. */
  readonly allowedAudience: readonly string[];
  /** Empty: not set, not checked. */
  readonly allowedScopes: readonly string[];
  readonly userClaim: string;
  /** The first signs and encrypts, the others still verify and decrypt. */
  readonly sessionSecrets: readonly [Secret, ...Secret[]];
  readonly sessionTtlSeconds: number;
  readonly requirePin: boolean;
  /** Exact serialised origins, never `null`. */
  readonly allowedOrigins: readonly string[];
  readonly logLevel: LogLevel;
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
 * The configuration that an environment describes, or everything that is wrong with it. Pure: environment and
 * file reader are passed in; `readFile` may throw. Never throws.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): LoadedConfig {
  const readings = readSettings({ env, readFile });
  const { region, discoveryUrls, sessionSecrets } = readings;
  const problems = findProblems(readings, env);
  // The kinds are asked for the compiler: a required setting without value is among the problems already.
  if (
    problems.length > 0 ||
    region.kind !== 'value' ||
    discoveryUrls.kind !== 'value' ||
    sessionSecrets.kind !== 'value'
  ) {
    return deepFreeze({ kind: 'invalid', problems });
  }
  const agentcoreEndpoint = valueOr(readings.agentcoreEndpoint, undefined);
  const port = valueOr(readings.port, SETTINGS.port.whenUnset.value);
  const publicUrl = valueOr(readings.publicUrl, `http://localhost:${port}`);
  const config: Config = {
    region: region.value,
    agentcoreEndpoint,
    authorizeHosts: [
      ...new Set([
        ...standardAuthorizeHosts(region.value, agentcoreEndpoint),
        ...valueOr(readings.authorizeHosts, []),
      ]),
    ],
    host: valueOr(readings.host, SETTINGS.host.whenUnset.value),
    port,
    allowedHosts: valueOr(readings.allowedHosts, SETTINGS.allowedHosts.whenUnset.value),
    publicUrl,
    singleUser: valueOr(readings.singleUser, SETTINGS.singleUser.whenUnset.value),
    discoveryUrls: discoveryUrls.value,
    allowedClients: valueOr(readings.allowedClients, []),
    allowedAudience: valueOr(readings.allowedAudience, []),
    allowedScopes: valueOr(readings.allowedScopes, SETTINGS.allowedScopes.whenUnset.value),
    userClaim: valueOr(readings.userClaim, SETTINGS.userClaim.whenUnset.value),
    sessionSecrets: sessionSecrets.value,
    sessionTtlSeconds: valueOr(readings.sessionTtlSeconds, SETTINGS.sessionTtlSeconds.whenUnset.value),
    requirePin: valueOr(readings.requirePin, SETTINGS.requirePin.whenUnset.value),
    allowedOrigins: valueOr(readings.allowedOrigins, [new URL(publicUrl).origin]),
    logLevel: valueOr(readings.logLevel, SETTINGS.logLevel.whenUnset.value),
  };
  return deepFreeze({
    kind: 'valid',
    config,
    settings: effectiveSettings(config, readings),
    warnings: findWarnings(config),
  });
}

function valueOr<T, D>(reading: Reading<T>, fallback: D): T | D {
  return reading.kind === 'value' ? reading.value : fallback;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
