import { describe, expect, it } from 'vitest';
import { misspeltSettings } from '../../src/env/misspelt.ts';
import { loadValid, problemsOf } from './environment.ts';

describe('a variable that is nearly a setting', () => {
  it.each([
    ['REQUIRE_PINS', 'REQUIRE_PIN'],
    ['require_pin', 'REQUIRE_PIN'],
    ['PUBLIC_URI', 'PUBLIC_URL'],
    ['ALLOWED_ORIGNIS', 'ALLOWED_ORIGINS'],
    ['JWT_ALLOWED_CLIENT', 'JWT_ALLOWED_CLIENTS'],
    ['TRUSTED_PROXY', 'TRUST_PROXY'],
    ['SESSION_SECRETS_FILE', 'SESSION_SECRET_FILE'],
  ])('is warned about, since it protects nobody: %s [SB-28]', (name, meant) => {
    expect(loadValid({ [name]: 'true' }).warnings).toEqual([
      `${name}: sets nothing; if it is meant for this service, write ${meant}`,
    ]);
  });

  it.each([
    // Somebody else's, or of the AWS SDK.
    'API_URL',
    'HOSTS',
    'AWS_PROFILE',
    'AWS_ROLE_ARN',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL',
    'COGNITO_CLIENT_SECRET',
    'PUBLIC_URL_OF_THE_SHOP',
    'PATH',
  ])('is not meant where three letters differ, or names are short: %s', (name) => {
    expect(misspeltSettings({ [name]: 'true' })).toEqual([]);
  });

  it('is named beside what is missing, which it may be meant for', () => {
    expect(problemsOf({ JWT_DISCOVERY_URL: undefined, JWT_DISCOVERY_URI: 'x' })).toEqual([
      expect.stringMatching(/^JWT_DISCOVERY_URL: /),
      'JWT_DISCOVERY_URI: sets nothing; if it is meant for this service, write JWT_DISCOVERY_URL',
    ]);
  });

  it('is not looked for among thousands: that would delay the start [SB-21]', () => {
    const others = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`SERVICE_${index}`, 'x']));
    expect(misspeltSettings({ ...others, REQUIRE_PINS: 'true' })).toEqual([]);
    const { SERVICE_0: _, ...fewer } = others;
    expect(misspeltSettings({ ...fewer, REQUIRE_PINS: 'true' })).toHaveLength(1);
  });

  it('is nobody’s concern where it is empty, or has a name that no shell can set', () => {
    expect(misspeltSettings({ REQUIRE_PINS: '', PUBLIC_URI: undefined, 'PUBLIC\nURL': 'x' })).toEqual([]);
  });
});
