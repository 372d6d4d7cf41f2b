import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { loadConfig } from '../../src/env/config.ts';
import {
  configOf,
  loadValid,
  OTHER_STRONG_SECRET,
  PLAIN_MACHINE,
  problemsOf,
  STRONG_SECRET,
} from './environment.ts';

describe('a valid environment', () => {
  it('needs six variables for several users and gives the documented defaults', () => {
    const { sessionSecrets, ...rest } = configOf();
    expect(rest).toEqual({
      region: 'eu-central-1',
      agentcoreEndpoint: undefined,
      authorizeHosts: ['bedrock-agentcore.eu-central-1.amazonaws.com'],
      environment: 'local',
      listenAddresses: ['127.0.0.1', '::1'],
      port: 9090,
      allowedHosts: [],
      publicUrl: 'http://localhost:9090',
      publicUrlProblem: undefined,
      singleUser: false,
      discoveryUrls: ['https://idp.example.com/pool/.well-known/openid-configuration'],
      allowedClients: ['web-client'],
      allowedAudience: [],
      allowedScopes: [],
      userClaim: 'sub',
      userIdentifier: 'token',
      sessionTtlSeconds: 3600,
      storeUrl: { kind: 'memory', isAlone: true, shown: 'memory:?replicas=1' },
      requirePin: false,
      allowedOrigins: ['http://localhost:9090'],
      returnOrigins: [],
      appUrl: undefined,
      login: undefined,
      loadBalancer: undefined,
      brand: { name: undefined, logoUrl: undefined, accent: undefined },
      drainSeconds: 0,
      trustedProxies: [],
      rateLimitPerMinute: 100,
      metricsPort: undefined,
      logLevel: 'info',
    });
    expect(sessionSecrets.map((secret) => secret.reveal())).toEqual([STRONG_SECRET]);
    expect(loadValid().warnings).toEqual([]);
  });

  it('reads every variable', () => {
    const { sessionSecrets, login, ...others } = configOf({
      AWS_REGION: undefined,
      AWS_DEFAULT_REGION: 'us-gov-west-1',
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: 'http://127.0.0.1:4000/aws/',
      AUTHORIZE_HOSTS:
        'Bedrock-AgentCore-FIPS.us-gov-west-1.amazonaws.com, other.example.com:8443,one.example.com:443',
      RUNTIME_ENVIRONMENT: 'container',
      HOST: '10.1.2.3',
      PORT: '0',
      ALLOWED_HOSTS: 'Auth.Internal, 10.1.2.3, 2001:DB8::1, [2001:db8::2]',
      PUBLIC_URL: 'https://Auth.Example.com:443/binding/',
      SINGLE_USER: 'true',
      JWT_DISCOVERY_URL:
        'https://a.example.com/.well-known/openid-configuration , http://idp.localhost:4001/.well-known/openid-configuration',
      JWT_ALLOWED_CLIENTS: 'one, two',
      JWT_ALLOWED_AUDIENCE: 'api://three',
      JWT_ALLOWED_SCOPES: 'openid,https://api.example.com/read',
      USER_CLAIM: 'oid',
      SESSION_SECRET: `${STRONG_SECRET}, ${OTHER_STRONG_SECRET}`,
      SESSION_TTL_SECONDS: '600',
      STORE_URL: 'rediss://cache.example.com',
      REQUIRE_PIN: 'true',
      ALLOWED_ORIGINS: 'https://app.example.com,http://localhost:3000',
      RETURN_ORIGINS: 'https://app.example.com, http://localhost:3000',
      APP_URL: 'https://app.example.com/agents/',
      LOGIN_CLIENT_ID: 'login-client',
      LOGIN_CLIENT_SECRET: 'not for your eyes',
      LOGIN_SCOPES: 'openid  profile',
      BRAND_NAME: 'Acme Agents',
      BRAND_LOGO: '<svg/>',
      BRAND_ACCENT: '#0055cc',
      DRAIN_SECONDS: '25',
      TRUST_PROXY: '10.0.0.0/16, 192.0.2.7,2001:DB8::/32, ::1',
      RATE_LIMIT_PER_MINUTE: '20',
      LOG_LEVEL: 'silent',
    });
    const { clientSecret, ...shown } = login ?? { clientSecret: undefined };
    expect(clientSecret?.reveal()).toBe('not for your eyes');
    const rest = { ...others, login: shown };
    expect(rest).toEqual({
      region: 'us-gov-west-1',
      agentcoreEndpoint: 'http://127.0.0.1:4000/aws',
      authorizeHosts: [
        'bedrock-agentcore.us-gov-west-1.amazonaws.com',
        '127.0.0.1:4000',
        'bedrock-agentcore-fips.us-gov-west-1.amazonaws.com',
        'other.example.com:8443',
        'one.example.com',
      ],
      environment: 'container',
      listenAddresses: ['10.1.2.3'],
      port: 0,
      allowedHosts: ['auth.internal', '10.1.2.3', '[2001:db8::1]', '[2001:db8::2]'],
      publicUrl: 'https://auth.example.com/binding',
      publicUrlProblem: undefined,
      singleUser: true,
      discoveryUrls: [
        'https://a.example.com/.well-known/openid-configuration',
        'http://idp.localhost:4001/.well-known/openid-configuration',
      ],
      allowedClients: ['one', 'two'],
      allowedAudience: ['api://three'],
      allowedScopes: ['openid', 'https://api.example.com/read'],
      userClaim: 'oid',
      userIdentifier: 'token',
      sessionTtlSeconds: 600,
      storeUrl: {
        kind: 'redis',
        host: 'cache.example.com',
        port: 6379,
        tls: true,
        username: undefined,
        password: undefined,
        db: 0,
        cluster: false,
        shown: 'rediss://cache.example.com:6379/0',
      },
      requirePin: true,
      allowedOrigins: ['https://app.example.com', 'http://localhost:3000'],
      returnOrigins: ['https://app.example.com', 'http://localhost:3000'],
      appUrl: 'https://app.example.com/agents/',
      login: { clientId: 'login-client', scopes: ['openid', 'profile'] },
      loadBalancer: undefined,
      brand: {
        name: 'Acme Agents',
        logoUrl: `data:image/svg+xml;base64,${Buffer.from('<svg/>').toString('base64')}`,
        accent: '#0055cc',
      },
      drainSeconds: 25,
      trustedProxies: ['10.0.0.0/16', '192.0.2.7', '2001:db8::/32', '::1'],
      rateLimitPerMinute: 20,
      metricsPort: undefined,
      logLevel: 'silent',
    });
    expect(sessionSecrets.map((secret) => secret.reveal())).toEqual([STRONG_SECRET, OTHER_STRONG_SECRET]);
  });

  it('reads a load balancer, whose keys are where its region publishes them [SB-20]', () => {
    const arn =
      'arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/agents/50dc6c495c0c9188';
    const env = { ALB_ARN: arn, ALB_CLIENT_ID: 'alb-client', TRUST_PROXY: '10.0.0.0/16' };
    expect(configOf(env).loadBalancer).toEqual({
      arn,
      clientId: 'alb-client',
      publicKeysUrl: 'https://public-keys.auth.elb.eu-west-1.amazonaws.com',
    });
    expect(
      configOf({ ...env, ALB_PUBLIC_KEYS_URL: 'https://keys.example.com/elb/' }).loadBalancer?.publicKeysUrl,
    ).toBe('https://keys.example.com/elb');
  });

  it('asks a public client for openid alone, and completes with the user id where told so', () => {
    expect(configOf({ LOGIN_CLIENT_ID: 'login-client' }).login).toEqual({
      clientId: 'login-client',
      clientSecret: undefined,
      scopes: ['openid'],
    });
    expect(configOf({ USER_IDENTIFIER: 'id' }).userIdentifier).toBe('id');
  });

  it('limits nobody where a single user is alone on loopback with the pages he has open [SB-35]', () => {
    const alone = { SINGLE_USER: 'true' };
    expect(configOf(alone).rateLimitPerMinute).toBeUndefined();
    expect(configOf({ ...alone, RATE_LIMIT_PER_MINUTE: '20' }).rateLimitPerMinute).toBe(20);
    expect(configOf({ SINGLE_USER: 'false' }).rateLimitPerMinute).toBe(100);
    const reachable = { ...alone, PUBLIC_URL: 'https://auth.example.com', TRUST_PROXY: '10.0.0.1' };
    expect(configOf(reachable).rateLimitPerMinute).toBe(100);
  });

  it('prefers AWS_REGION to AWS_DEFAULT_REGION', () => {
    expect(configOf({ AWS_DEFAULT_REGION: 'us-east-1' }).region).toBe('eu-central-1');
  });

  it('names each authorize host once', () => {
    const endpoint = 'https://bedrock-agentcore.eu-central-1.amazonaws.com';
    const config = configOf({
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: endpoint,
      AUTHORIZE_HOSTS: 'x.example.com',
    });
    expect(config.authorizeHosts).toEqual(['bedrock-agentcore.eu-central-1.amazonaws.com', 'x.example.com']);
  });

  it('takes an empty variable for unset', () => {
    expect(configOf({ HOST: '', PORT: '', PUBLIC_URL: '', ALLOWED_ORIGINS: '', DRAIN_SECONDS: '' })).toEqual(
      configOf(),
    );
  });

  it('derives public URL and allowed origin from the port', () => {
    const config = configOf({ PORT: '8080' });
    expect(config.publicUrl).toBe('http://localhost:8080');
    expect(config.allowedOrigins).toEqual(['http://localhost:8080']);
  });

  it('takes the origin of a public URL with path prefix as the allowed origin', () => {
    expect(configOf({ PUBLIC_URL: 'https://a.example.com/x/y/' }).allowedOrigins).toEqual([
      'https://a.example.com',
    ]);
  });

  it.each(['https://auth.example.com', 'http://localhost:9090', 'http://app.localhost', 'http://[::1]:9090'])(
    'keeps the public URL %s as it is',
    (url) => {
      expect(configOf({ PUBLIC_URL: url }).publicUrl).toBe(url);
    },
  );

  it('accepts an audience instead of clients', () => {
    expect(configOf({ JWT_ALLOWED_CLIENTS: undefined, JWT_ALLOWED_AUDIENCE: 'api' }).allowedAudience).toEqual(
      ['api'],
    );
  });

  it('is frozen through and through', () => {
    const loaded = loadValid();
    const reachable: unknown[] = [loaded];
    for (const value of reachable) {
      if (typeof value !== 'object' || value === null) continue;
      expect(Object.isFrozen(value), JSON.stringify(value)).toBe(true);
      reachable.push(...Object.values(value));
    }
    expect(reachable).toContain(loaded.config.sessionSecrets);
    expect(reachable.some((value) => value instanceof Secret)).toBe(true);
  });
});

describe('many problems', () => {
  it('are all reported at once, one line each', () => {
    const problems = problemsOf({
      AWS_REGION: undefined,
      HOST: 'http://x',
      PORT: 'abc',
      PUBLIC_URL: 'http://auth.example.com/?a=b',
      JWT_DISCOVERY_URL: 'https://idp.example.com, ftp://idp.example.com',
      JWT_ALLOWED_CLIENTS: undefined,
      SESSION_SECRET: 'short,also short',
      STORE_URL: undefined,
      RUNTIME_ENVIRONMENT: 'lambda',
      DRAIN_SECONDS: '-1',
    });
    expect(problems.map((problem) => problem.slice(0, problem.indexOf(':')))).toEqual([
      'AWS_REGION',
      'RUNTIME_ENVIRONMENT',
      'HOST',
      'PORT',
      'PUBLIC_URL',
      'PUBLIC_URL',
      'JWT_DISCOVERY_URL',
      'JWT_DISCOVERY_URL',
      'SESSION_SECRET',
      'SESSION_SECRET',
      'DRAIN_SECONDS',
      'STORE_URL',
      'JWT_ALLOWED_CLIENTS',
    ]);
    for (const problem of problems) expect(problem).toMatch(/^[A-Z_]+: [^\n]+$/);
    expect(Object.isFrozen(problems)).toBe(true);
  });

  it('names everything that an environment for several users lacks', () => {
    expect(loadConfig({ SINGLE_USER: 'false' }, () => '', PLAIN_MACHINE)).toEqual({
      kind: 'invalid',
      problems: [
        'AWS_REGION: required; write the AWS region of AgentCore Identity, such as eu-central-1',
        "JWT_DISCOVERY_URL: required; write the agent's customJWTAuthorizer.discoveryUrl",
        'SESSION_SECRET: required; write one made by: openssl rand -base64 48',
        'STORE_URL: the memory store keeps every record in one process; if this is the only replica, write STORE_URL=memory:?replicas=1, else the rediss:// URL of a server that all replicas share',
        "JWT_ALLOWED_CLIENTS: this or JWT_ALLOWED_AUDIENCE is required; write allowedClients or allowedAudience of the agent's customJWTAuthorizer",
      ],
    });
  });

  it('are none but the region for a single user', () => {
    expect(loadConfig({}, () => '', PLAIN_MACHINE)).toEqual({
      kind: 'invalid',
      problems: ['AWS_REGION: required; write the AWS region of AgentCore Identity, such as eu-central-1'],
    });
  });
});
