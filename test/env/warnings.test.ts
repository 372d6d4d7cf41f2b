import { describe, expect, it } from 'vitest';
import { loadValid } from './environment.ts';

const DIFFERENT =
  'is not same-site with PUBLIC_URL by its name, so browsers will not keep the cookie of its POSTs';
const UNSURE =
  'may not be same-site with PUBLIC_URL: the part of the name they share may be a public suffix. If it is one, browsers will not keep the cookie of its POSTs';

describe('an allowed origin', () => {
  it.each([
    ['https://auth.example.com', 'https://auth.example.com'],
    ['https://auth.example.com/prefix', 'https://app.example.com:8443'],
    ['https://auth.example.com', 'https://example.com'],
    ['https://auth.corp.example.co.uk', 'https://app.example.co.uk'],
    ['http://localhost:9090', 'http://localhost:3000'],
    ['http://idp.app.localhost', 'http://x.app.localhost'],
    ['https://10.0.0.1', 'https://10.0.0.1:8443'],
  ])('of the same site as %s draws no warning: %s', (publicUrl, origin) => {
    expect(
      loadValid({ PUBLIC_URL: publicUrl, ALLOWED_ORIGINS: origin, TRUST_PROXY: '10.0.0.1' }).warnings,
    ).toEqual([]);
  });

  it.each([
    ['https://auth.example.com', 'https://auth.example.org'],
    ['https://auth.example.com', 'https://notexample.com'],
    ['https://localhost:9090', 'http://localhost:3000'],
    ['http://localhost:9090', 'http://127.0.0.1:9090'],
    ['http://app.localhost', 'http://idp.localhost'],
    ['https://10.0.0.1', 'https://20.0.0.1'],
    ['https://[2001:db8::1]', 'https://[2001:db8::2]'],
  ])('of another site than %s is warned about: %s', (publicUrl, origin) => {
    expect(
      loadValid({ PUBLIC_URL: publicUrl, ALLOWED_ORIGINS: origin, TRUST_PROXY: '10.0.0.1' }).warnings,
    ).toEqual([`ALLOWED_ORIGINS: ${origin} ${DIFFERENT}`]);
  });

  it.each([
    ['https://auth.co.uk', 'https://app.co.uk'],
    ['https://one.github.io', 'https://two.github.io'],
    ['https://a.eu-west-1.elb.amazonaws.com', 'https://b.eu-west-1.elb.amazonaws.com'],
  ])(
    'that shares only what may be a public suffix with %s is warned about in honest words: %s',
    (publicUrl, origin) => {
      expect(
        loadValid({ PUBLIC_URL: publicUrl, ALLOWED_ORIGINS: origin, TRUST_PROXY: '10.0.0.1' }).warnings,
      ).toEqual([`ALLOWED_ORIGINS: ${origin} ${UNSURE}`]);
    },
  );
});

describe('an endpoint of AgentCore', () => {
  it.each([
    'https://bedrock-agentcore.eu-central-1.amazonaws.com',
    'https://bedrock-agentcore-fips.us-gov-west-1.amazonaws.com',
    'https://bedrock-agentcore.eu-central-1.api.aws',
    'https://bedrock-agentcore.cn-north-1.amazonaws.com.cn',
    'https://vpce-0a1b-2c3d.bedrock-agentcore.eu-central-1.vpce.amazonaws.com',
  ])('of AWS draws no warning: %s', (url) => {
    expect(loadValid({ AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: url }).warnings).toEqual([]);
  });

  it.each([
    ['http://localhost:4000/aws', 'localhost:4000'],
    ['https://proxy.example.com', 'proxy.example.com'],
    ['https://bedrock-agentcore.eu-central-1.amazonaws.com.attacker.example', undefined],
    ['https://somebody.eu-central-1.elb.amazonaws.com', undefined],
    ['https://not-bedrock-agentcore.eu-central-1.amazonaws.com', undefined],
    ['https://attacker.example/bedrock-agentcore.eu-central-1.amazonaws.com', 'attacker.example'],
  ])('elsewhere is named with its host, since user tokens go there: %s [SB-28]', (url, host) => {
    expect(loadValid({ AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: url }).warnings).toEqual([
      `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: user tokens go to host ${host ?? new URL(url).host}, which by its name is not AgentCore's`,
    ]);
  });
});

describe('the rate limit', () => {
  const OFF =
    'RATE_LIMIT_PER_MINUTE: off, since behind the proxy that ends TLS all clients have its address; name that proxy in TRUST_PROXY';

  it.each([undefined, '20'])(
    'is off, and said to be, where all clients would have the address of one proxy: %j [SB-35]',
    (limit) => {
      const loaded = loadValid({ PUBLIC_URL: 'https://auth.example.com', RATE_LIMIT_PER_MINUTE: limit });
      expect(loaded.config.rateLimitPerMinute).toBeUndefined();
      expect(loaded.warnings).toEqual([OFF]);
      expect(loaded.settings.find(({ name }) => name === 'RATE_LIMIT_PER_MINUTE')?.values).toEqual([
        limit === undefined
          ? '100; off on https without TRUST_PROXY, and for a single user on loopback'
          : 'off',
      ]);
    },
  );

  it('is on where the proxy is named, and on http loopback, where peers are clients', () => {
    const proxied = loadValid({ PUBLIC_URL: 'https://auth.example.com', TRUST_PROXY: '10.0.0.0/16' });
    expect(proxied.config.rateLimitPerMinute).toBe(100);
    expect(proxied.warnings).toEqual([]);
    expect(loadValid({ RATE_LIMIT_PER_MINUTE: '20' }).config.rateLimitPerMinute).toBe(20);
  });
});
