import { SETTINGS } from './settings.ts';
import type { Setting, SettingValues } from './settings.ts';
import { readSetting } from './variables.ts';
import type { Reading, Surroundings } from './variables.ts';

/** Every setting as the environment has it. */
export type Readings = { readonly [K in keyof SettingValues]: Reading<SettingValues[K]> };

export function readSettings(surroundings: Surroundings): Readings {
  const read = <T>(setting: Setting<T>): Reading<T> => readSetting(setting, surroundings);
  return {
    region: read(SETTINGS.region),
    agentcoreEndpoint: read(SETTINGS.agentcoreEndpoint),
    authorizeHosts: read(SETTINGS.authorizeHosts),
    environment: read(SETTINGS.environment),
    host: read(SETTINGS.host),
    port: read(SETTINGS.port),
    allowedHosts: read(SETTINGS.allowedHosts),
    publicUrl: read(SETTINGS.publicUrl),
    singleUser: read(SETTINGS.singleUser),
    discoveryUrls: read(SETTINGS.discoveryUrls),
    allowedClients: read(SETTINGS.allowedClients),
    allowedAudience: read(SETTINGS.allowedAudience),
    allowedScopes: read(SETTINGS.allowedScopes),
    userClaim: read(SETTINGS.userClaim),
    userIdentifier: read(SETTINGS.userIdentifier),
    sessionSecrets: read(SETTINGS.sessionSecrets),
    sessionTtlSeconds: read(SETTINGS.sessionTtlSeconds),
    storeUrl: read(SETTINGS.storeUrl),
    requirePin: read(SETTINGS.requirePin),
    allowedOrigins: read(SETTINGS.allowedOrigins),
    returnOrigins: read(SETTINGS.returnOrigins),
    appUrl: read(SETTINGS.appUrl),
    loginClientId: read(SETTINGS.loginClientId),
    loginClientSecret: read(SETTINGS.loginClientSecret),
    loginScopes: read(SETTINGS.loginScopes),
    albArn: read(SETTINGS.albArn),
    albClientId: read(SETTINGS.albClientId),
    albPublicKeysUrl: read(SETTINGS.albPublicKeysUrl),
    brandName: read(SETTINGS.brandName),
    brandLogo: read(SETTINGS.brandLogo),
    brandAccent: read(SETTINGS.brandAccent),
    drainSeconds: read(SETTINGS.drainSeconds),
    trustedProxies: read(SETTINGS.trustedProxies),
    rateLimitPerMinute: read(SETTINGS.rateLimitPerMinute),
    metricsPort: read(SETTINGS.metricsPort),
    logLevel: read(SETTINGS.logLevel),
  };
}
