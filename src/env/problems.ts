import { standardPublicKeysUrl } from './load-balancer-arn.ts';
import { isLoopbackHost } from './loopback.ts';
import type { Readings } from './readings.ts';
import type { RuntimeEnvironment } from './runtime-environment.ts';
import { isGuessable, SECRET_HINT } from './session-secrets.ts';
import { SETTINGS } from './settings.ts';
import { isSet } from './variables.ts';
import type { Surroundings } from './variables.ts';

/** Every reason not to start, one line each: `NAME: what is wrong and what to write`. */
export function findProblems(
  readings: Readings,
  env: Surroundings['env'],
  runtime: RuntimeEnvironment,
): readonly string[] {
  return [
    ...Object.values(readings).flatMap((reading) => (reading.kind === 'wrong' ? reading.problems : [])),
    ...missingForSeveralUsers(readings, env, runtime),
    ...ephemeralPort(readings),
    ...guessableSecrets(readings, runtime),
    ...uncheckedEndpoint(readings, env),
    ...incompleteLogin(readings),
    ...incompleteLoadBalancer(readings, runtime),
    ...severalIdIssuers(readings),
    ...publicMetrics(readings),
  ];
}

const ORCHESTRATOR_VARIABLES = ['ECS_CONTAINER_METADATA_URI_V4', 'KUBERNETES_SERVICE_HOST'];

// What one user on his own machine can do without, and several users cannot.
function missingForSeveralUsers(
  readings: Readings,
  env: Surroundings['env'],
  runtime: RuntimeEnvironment,
): readonly string[] {
  if (runtime.singleUser) return [];
  // Whether that is so, and what is missing then, depends on the environment that was meant.
  if (readings.environment.kind === 'wrong' && readings.singleUser.kind === 'unset') return [];
  const missing = [
    ...missingIssuer(readings),
    ...missingSecret(readings),
    ...loneMemoryStore(readings),
    ...missingAudience(readings),
  ];
  if (missing.length === 0 || readings.singleUser.kind !== 'unset') return missing;
  // A container is for several users by default. One that no orchestrator runs and that names no address may be
  // somebody's own machine.
  if (runtime.name === 'container') {
    const isDeployed =
      readings.publicUrl.kind !== 'unset' || ORCHESTRATOR_VARIABLES.some((name) => isSet(name, env));
    return isDeployed
      ? missing
      : [
          ...missing,
          'RUNTIME_ENVIRONMENT: detected as container; in a dev container, for yourself alone, write RUNTIME_ENVIRONMENT=local',
        ];
  }
  return [
    ...missing,
    `SINGLE_USER: is off since ${runtime.exposures.join(', and ')}; write true only if nobody but its one user can get there`,
  ];
}

function missingIssuer({ discoveryUrls }: Readings): readonly string[] {
  if (discoveryUrls.kind !== 'unset') return [];
  return ["JWT_DISCOVERY_URL: required; write the agent's customJWTAuthorizer.discoveryUrl"];
}

function missingSecret({ sessionSecrets }: Readings): readonly string[] {
  return sessionSecrets.kind === 'unset' ? [`SESSION_SECRET: required; ${SECRET_HINT}`] : [];
}

// Of two replicas each would miss the vetoes that the other holds (SB-09).
function loneMemoryStore({ storeUrl }: Readings): readonly string[] {
  const isUnsaid = storeUrl.kind === 'value' && storeUrl.value.kind === 'memory' && !storeUrl.value.isAlone;
  if (storeUrl.kind !== 'unset' && !isUnsaid) return [];
  return [
    'STORE_URL: the memory store keeps every record in one process; if this is the only replica, write STORE_URL=memory:?replicas=1, else the rediss:// URL of a server that all replicas share',
  ];
}

// With neither list, a token that any other client of the same issuer was given would do (SB-11).
function missingAudience({ allowedClients, allowedAudience }: Readings): readonly string[] {
  if (allowedClients.kind !== 'unset' || allowedAudience.kind !== 'unset') return [];
  return [
    "JWT_ALLOWED_CLIENTS: this or JWT_ALLOWED_AUDIENCE is required; write allowedClients or allowedAudience of the agent's customJWTAuthorizer",
  ];
}

export function ephemeralPort({ port, publicUrl }: Pick<Readings, 'port' | 'publicUrl'>): readonly string[] {
  if (port.kind !== 'value' || port.value !== 0 || publicUrl.kind !== 'unset') return [];
  return [
    'PORT: 0 is accepted only beside PUBLIC_URL, since callback URLs need a port that is known; write a port',
  ];
}

// A secret from an example signs cookies for whoever read the example. Loopback is for trying things out, but
// only while nobody else can reach the listener either: both the URL and the address count (SB-28).
function guessableSecrets({ sessionSecrets }: Readings, runtime: RuntimeEnvironment): readonly string[] {
  if (sessionSecrets.kind !== 'value' || !sessionSecrets.value.some(isGuessable)) return [];
  const isLocal =
    isLoopbackHost(new URL(runtime.publicUrl).hostname) && runtime.listenAddresses.every(isLoopbackHost);
  return isLocal ? [] : [`SESSION_SECRET: looks like a placeholder or a repeated pattern; ${SECRET_HINT}`];
}

// The SDK falls back to the endpoint of all services, unchecked: http://anywhere would receive user tokens.
function uncheckedEndpoint({ agentcoreEndpoint }: Readings, env: Surroundings['env']): readonly string[] {
  if (agentcoreEndpoint.kind !== 'unset' || !isSet('AWS_ENDPOINT_URL', env)) return [];
  return [
    'AWS_ENDPOINT_URL: would send user tokens wherever the other AWS calls go; name the host in AWS_ENDPOINT_URL_BEDROCK_AGENTCORE, or unset it',
  ];
}

function incompleteLogin(readings: Readings): readonly string[] {
  const { loginClientId, loginClientSecret, loginScopes, discoveryUrls } = readings;
  if (loginClientId.kind === 'unset') {
    return [
      ...(loginClientSecret.kind === 'unset' ? [] : ['LOGIN_CLIENT_SECRET: needs LOGIN_CLIENT_ID']),
      ...(loginScopes.kind === 'unset' ? [] : ['LOGIN_SCOPES: needs LOGIN_CLIENT_ID']),
    ];
  }
  return discoveryUrls.kind === 'unset'
    ? ['LOGIN_CLIENT_ID: needs JWT_DISCOVERY_URL, whose first issuer signs users in']
    : [];
}

// Half of it would be a header that anybody can write, or a check that nobody can pass (SB-20).
function incompleteLoadBalancer(readings: Readings, runtime: RuntimeEnvironment): readonly string[] {
  const { albArn, albClientId, albPublicKeysUrl, trustedProxies, loginClientId, discoveryUrls } = readings;
  if (albArn.kind === 'unset') {
    return [
      ...(albClientId.kind === 'unset' ? [] : ['ALB_CLIENT_ID: needs ALB_ARN']),
      ...(albPublicKeysUrl.kind === 'unset' ? [] : ['ALB_PUBLIC_KEYS_URL: needs ALB_ARN']),
    ];
  }
  const isNamed = albArn.kind === 'value' && standardPublicKeysUrl(albArn.value) === undefined;
  return [
    ...(albClientId.kind === 'unset'
      ? [
          'ALB_CLIENT_ID: required beside ALB_ARN; write the client that the load balancer signs users in with',
        ]
      : []),
    ...(trustedProxies.kind === 'unset'
      ? ['TRUST_PROXY: required beside ALB_ARN; write the addresses or subnets of that load balancer']
      : []),
    ...(discoveryUrls.kind === 'unset'
      ? ['ALB_ARN: needs JWT_DISCOVERY_URL, whose issuers it may name']
      : []),
    ...(isNamed && albPublicKeysUrl.kind === 'unset'
      ? ['ALB_PUBLIC_KEYS_URL: required for a load balancer of this partition']
      : []),
    // Two answers to who somebody is would have to be weighed against each other.
    ...(loginClientId.kind === 'unset'
      ? []
      : ['LOGIN_CLIENT_ID: unset it; behind ALB_ARN the load balancer signs users in']),
    ...(runtime.singleUser ? ['SINGLE_USER: unset it; behind ALB_ARN nobody signs in by a click'] : []),
  ];
}

// A user id does not say which issuer it is of, and two issuers may give one to two people (SB-11).
function severalIdIssuers({ userIdentifier, discoveryUrls }: Readings): readonly string[] {
  if (userIdentifier.kind !== 'value' || userIdentifier.value !== 'id') return [];
  if (discoveryUrls.kind === 'wrong' || (discoveryUrls.kind === 'value' && discoveryUrls.value.length === 1))
    return [];
  return ['USER_IDENTIFIER: id needs exactly one issuer in JWT_DISCOVERY_URL'];
}

// Metrics tell strangers how busy the service is and what fails in it; the public port has a proxy in front that
// hands everything through.
function publicMetrics({ metricsPort, port }: Readings): readonly string[] {
  if (metricsPort.kind !== 'value') return [];
  const publicPort = port.kind === 'value' ? port.value : SETTINGS.port.whenUnset.value;
  if (metricsPort.value !== publicPort) return [];
  return ['METRICS_PORT: must not be PORT, which the public reaches; write another one, such as 9464'];
}
