import { foreignEndpointHost } from './agentcore-hosts.ts';
import type { Config } from './config.ts';
import { misspeltSettings } from './misspelt.ts';
import type { Readings } from './readings.ts';
import type { RuntimeEnvironment } from './runtime-environment.ts';
import { isLoopbackHost } from './loopback.ts';
import { guessSameSite } from './same-site.ts';
import type { SiteGuess } from './same-site.ts';
import { isGuessable, SECRET_HINT } from './session-secrets.ts';
import type { Surroundings } from './variables.ts';

/** What starts but deserves a look, one line each, for `check` and the start of `serve`. */
export function findWarnings(
  config: Config,
  readings: Readings,
  runtime: RuntimeEnvironment,
  env: Surroundings['env'],
): readonly string[] {
  return [
    ...misspeltSettings(env),
    ...exposedSingleUser(runtime),
    ...unknownSharing(runtime),
    ...unnamedContainer(readings, runtime),
    ...crossSiteOrigins(config),
    ...guessableSecrets(config),
    ...foreignEndpoint(config),
    ...unlimitedRate(config),
    ...unencryptedStore(config),
  ];
}

// By default it would be off: somebody has said it (SB-28).
function exposedSingleUser({ singleUser, exposures }: RuntimeEnvironment): readonly string[] {
  if (!singleUser) return [];
  return exposures.map(
    (exposure) =>
      `SINGLE_USER: is true although ${exposure}: whoever gets there can sign in as any user who has posted a token`,
  );
}

// The service must start although AWS was not there to be asked (contract §9): whoever reads this can tell (SB-28).
function unknownSharing({ singleUser, isSharingUnknown }: RuntimeEnvironment): readonly string[] {
  if (!singleUser || !isSharingUnknown) return [];
  return [
    'SINGLE_USER: is true although it is not known whether this Studio space is shared, since DescribeSpace did not say; in a shared space write false',
  ];
}

/** For `callback-url` too, which prints that URL. */
export function unnamedContainer(
  { publicUrl }: Pick<Readings, 'publicUrl'>,
  runtime: Pick<RuntimeEnvironment, 'name' | 'publicUrl'>,
): readonly string[] {
  if (runtime.name !== 'container' || publicUrl.kind !== 'unset') return [];
  return [
    `PUBLIC_URL: is not set in a container, so links lead to ${runtime.publicUrl}, which only browsers of this host reach, through a published port; set it to the address that users open`,
  ];
}

const SITE_WARNINGS = {
  same: undefined,
  different:
    'is not same-site with PUBLIC_URL by its name, so browsers will not keep the cookie of its POSTs',
  unsure:
    'may not be same-site with PUBLIC_URL: the part of the name they share may be a public suffix. If it is one, browsers will not keep the cookie of its POSTs',
} satisfies Record<SiteGuess, string | undefined>;

function crossSiteOrigins({ allowedOrigins, publicUrl }: Config): readonly string[] {
  return allowedOrigins.flatMap((origin) => {
    const warning = SITE_WARNINGS[guessSameSite(origin, publicUrl)];
    return warning === undefined ? [] : [`ALLOWED_ORIGINS: ${origin} ${warning}`];
  });
}

// Beyond loopback this is a problem and stops the start (SB-28).
function guessableSecrets({ sessionSecrets }: Config): readonly string[] {
  return sessionSecrets.some(isGuessable)
    ? [
        `SESSION_SECRET: looks like a placeholder or a repeated pattern, good enough for loopback only; ${SECRET_HINT}`,
      ]
    : [];
}

function foreignEndpoint({ agentcoreEndpoint }: Config): readonly string[] {
  const host = agentcoreEndpoint === undefined ? undefined : foreignEndpointHost(agentcoreEndpoint);
  if (host === undefined) return [];
  return [
    `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: user tokens go to host ${host}, which by its name is not AgentCore's`,
  ];
}

function unlimitedRate(config: Config): readonly string[] {
  const { rateLimitPerMinute, environment, singleUser, publicUrl } = config;
  // For a single user on loopback or in his own Studio space there is nobody to limit: a warning without a remedy.
  const isOwnMachine = environment === 'sagemaker' || isLoopbackHost(new URL(publicUrl).hostname);
  if (rateLimitPerMinute !== undefined || (singleUser && isOwnMachine)) return [];
  return [
    'RATE_LIMIT_PER_MINUTE: off, since behind the proxy that ends TLS all clients have its address; name that proxy in TRUST_PROXY',
  ];
}

// What is sealed stays sealed, but whoever is on the way reads the password and can take vetoes away (SB-14).
function unencryptedStore({ storeUrl }: Config): readonly string[] {
  if (storeUrl.kind === 'memory' || storeUrl.tls || isLoopbackHost(storeUrl.host)) return [];
  return [
    `STORE_URL: redis:// is not encrypted, and host ${storeUrl.host} is not this machine; write rediss:// where the server speaks TLS`,
  ];
}
