import type { Config } from './config.ts';
import type { Readings } from './readings.ts';
import { SETTING_KEYS, SETTINGS } from './settings.ts';
import type { Setting, SettingValues } from './settings.ts';
import type { Reading } from './variables.ts';

/** One setting as it is in force, fit to be shown: a secret is only counted. */
export interface EffectiveSetting {
  readonly name: string;
  /** One line each. */
  readonly values: readonly string[];
  /** The variable that set it, or `default`, or `detected`. */
  readonly source: string;
}

export function effectiveSettings(config: Config, readings: Readings): readonly EffectiveSetting[] {
  const values: Readonly<Record<keyof SettingValues, unknown>> = {
    ...config,
    host: config.listenAddresses,
    storeUrl: config.storeUrl.shown,
    brandName: config.brand.name,
    brandLogo: config.brand.logoUrl === undefined ? undefined : 'an SVG',
    brandAccent: config.brand.accent,
    loginClientId: config.login?.clientId,
    loginClientSecret: config.login?.clientSecret,
    loginScopes: config.login?.scopes ?? [],
    albArn: config.loadBalancer?.arn,
    albClientId: config.loadBalancer?.clientId,
    albPublicKeysUrl: config.loadBalancer?.publicKeysUrl,
  };
  return SETTING_KEYS.map((key) => {
    const setting: Setting<unknown> = SETTINGS[key];
    const reading = readings[key];
    return {
      name: setting.names[0],
      values: isGenerated(reading, values[key], setting)
        ? [GENERATED]
        : showValue(setting, values[key], reading.kind === 'value'),
      source: reading.kind === 'value' ? reading.source : key === 'environment' ? 'detected' : 'default',
    };
  });
}

/** No secret has a default: one that nobody set and that is there was made for this start. */
function isGenerated({ kind }: Reading<unknown>, value: unknown, { secret }: Setting<unknown>): boolean {
  return secret && kind !== 'value' && value !== undefined;
}

const GENERATED = '[secret] (generated at every start)';

function showValue(setting: Setting<unknown>, value: unknown, isSaid: boolean): readonly string[] {
  const values = Array.isArray(value) ? value : [value];
  if (setting.secret && value !== undefined)
    return [`[secret] (${values.length} ${values.length === 1 ? 'value' : 'values'})`];
  if (values.length === 0) return ['none'];
  return values.map((one) => {
    if (one !== undefined || setting.whenUnset.kind !== 'derived') return String(one);
    // Off whatever was said, and a warning says why.
    return isSaid ? 'off' : setting.whenUnset.text;
  });
}
