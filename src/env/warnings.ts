import { foreignEndpointHost } from './agentcore-hosts.ts';
import type { Config } from './config.ts';
import { guessSameSite } from './same-site.ts';
import type { SiteGuess } from './same-site.ts';
import { isGuessable, SECRET_HINT } from './session-secrets.ts';

/** What starts but deserves a look, one line each, for `check` and the start of `serve`. */
export function findWarnings(config: Config): readonly string[] {
  return [
    ...crossSiteOrigins(config),
    ...guessableSecrets(config),
    ...foreignEndpoint(config),
    ...unlimitedRate(config),
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

function unlimitedRate({ rateLimitPerMinute }: Config): readonly string[] {
  if (rateLimitPerMinute !== undefined) return [];
  return [
    'RATE_LIMIT_PER_MINUTE: off, since behind the proxy that ends TLS all clients have its address; name that proxy in TRUST_PROXY',
  ];
}
