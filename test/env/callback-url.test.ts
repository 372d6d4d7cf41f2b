import { describe, expect, it } from 'vitest';
import { loadCallbackUrl } from '../../src/env/callback-url.ts';
import type { Machine } from '../../src/env/runtime-environment.ts';
import { fileReader, PLAIN_MACHINE } from './environment.ts';

const STUDIO: Partial<Machine> = {
  resourceMetadata: JSON.stringify({ DomainId: 'd-abc', SpaceName: 'mine' }),
  space: { kind: 'described', url: 'https://abc.studio.us-east-1.sagemaker.aws/x', isShared: true },
};

function load(
  env: Readonly<Record<string, string>>,
  machine: Partial<Machine> = {},
  files: Readonly<Record<string, string>> = {},
) {
  return loadCallbackUrl(
    { env: { AWS_REGION: 'us-east-1', ...env }, readFile: fileReader(files) },
    { ...PLAIN_MACHINE, ...machine },
  );
}

function urlOf(...args: Parameters<typeof load>): string | undefined {
  const loaded = load(...args);
  return loaded.kind === 'valid' ? loaded.callbackUrl : undefined;
}

describe('the callback URL', () => {
  it('is that of the environment', () => {
    expect(urlOf({ PORT: '8080' })).toBe('http://localhost:8080/oauth2/callback');
    expect(urlOf({ PORT: '8080' }, STUDIO)).toBe(
      'https://abc.studio.us-east-1.sagemaker.aws/x/proxy/8080/oauth2/callback',
    );
    expect(urlOf({ PUBLIC_URL: 'https://a.example.com/p/' }, STUDIO)).toBe(
      'https://a.example.com/p/oauth2/callback',
    );
  });

  it('needs no other setting, not even a good one', () => {
    const others = {
      HOST: '!',
      SINGLE_USER: 'maybe',
      JWT_DISCOVERY_URL: 'x',
      SESSION_SECRET: 'short',
      STORE_URL: 'x',
      ALB_ARN: 'x',
    };
    expect(urlOf(others)).toBe('http://localhost:9090/oauth2/callback');
  });

  it('can be had from mounted files', () => {
    expect(urlOf({ PUBLIC_URL_FILE: '/u' }, {}, { '/u': 'https://a.example.com\n' })).toBe(
      'https://a.example.com/oauth2/callback',
    );
  });

  it('comes with a warning where a variable is nearly its setting [SB-28]', () => {
    expect(load({ PUBLIC_URI: 'https://a.example.com' })).toMatchObject({
      callbackUrl: 'http://localhost:9090/oauth2/callback',
      warnings: ['PUBLIC_URI: sets nothing; if it is meant for this service, write PUBLIC_URL'],
    });
  });

  it('reports every problem of the settings that decide it', () => {
    const bad = { AWS_REGION: '', PORT: 'x', PUBLIC_URL: 'http://a.example.com', RUNTIME_ENVIRONMENT: 'x' };
    expect(load(bad)).toEqual({
      kind: 'invalid',
      problems: [
        expect.stringMatching(/^AWS_REGION: required/),
        'RUNTIME_ENVIRONMENT: must be one of local, sagemaker, container',
        'PORT: must be a whole number from 0 to 65535, digits only',
        'PUBLIC_URL: must be https; http is accepted only for loopback hosts',
      ],
    });
    expect(load({ PORT: '0' })).toMatchObject({ kind: 'invalid' });
  });
});
