import { describe, expect, it } from 'vitest';
import { load, problemsOf, STRONG_SECRET } from './environment.ts';

const BASE_URL = 'must be an absolute URL such as https://auth.example.com';
const HTTPS = 'must be https; http is accepted only for loopback hosts';
const USERINFO = 'must not carry a user name or password';
const QUERY = 'must not carry a query or fragment';
const HOST_NAME = 'must be a host name such as auth.example.com, without scheme, port, path or wildcard';
const AUTHORIZE_HOST =
  'must be a host such as auth.example.com or auth.example.com:8443, without scheme or path';
const LISTEN = 'must be a host name or IP address without brackets or port, such as localhost or 0.0.0.0';
const ORIGIN =
  'must be an origin as browsers send it, such as https://app.example.com: scheme, host in lower case, a port only where it is not the default, no trailing slash or path, neither null nor *';
const DISCOVERY =
  "must end in /.well-known/openid-configuration: write the same value as the agent's customJWTAuthorizer.discoveryUrl";
const VISIBLE = 'must be 1 to 512 visible ASCII characters; separate entries by commas';
const SHORT = 'is shorter than 32 bytes; write one made by: openssl rand -base64 48';
const COMMA = 'is empty; remove the spare comma';
const PORT = 'must be a whole number from 0 to 65535, digits only';
const TTL = 'must be a whole number from 1 to 2592000, digits only';
const DRAIN = 'must be a whole number from 0 to 600, digits only';
const RATE = 'must be a whole number from 1 to 1000000, digits only';
const PROXY = 'must be an IP address or CIDR block such as 10.0.0.0/16, IPv4 not in its IPv6 form';
const STRANGERS = 'trusts strangers; name the networks that your proxies are in, at most /8 (IPv6: /7) wide';
const STRAY = 'has bits behind its prefix; write one address without /, or the network itself';
const STORE_FORM = 'rediss://[user:password@]host[:port][/database][?cluster=true]';
const STORE = `must be memory:, memory:?replicas=1, or a server of Valkey or Redis: ${STORE_FORM}`;
const REDIS = `must be ${STORE_FORM}; percent-encode what is special in user and password`;
const STORE_CREDENTIALS = 'must carry user:password, or :password alone';

const WELL_KNOWN = '/.well-known/openid-configuration';

describe('a bad value', () => {
  it.each([
    ['AWS_REGION', 'europe', 'must be an AWS region such as eu-central-1'],
    ['AWS_REGION', 'eu-central-1.attacker.example', 'must be an AWS region such as eu-central-1'],
    ['AWS_REGION', 'eu-central-1\n', 'must be an AWS region such as eu-central-1'],
    ['AWS_REGION', 'x/eu-central-1', 'must be an AWS region such as eu-central-1'],

    ['AWS_ENDPOINT_URL_BEDROCK_AGENTCORE', 'nonsense', BASE_URL],
    ['AWS_ENDPOINT_URL_BEDROCK_AGENTCORE', 'http://agentcore.example.com', HTTPS],
    ['AWS_ENDPOINT_URL_BEDROCK_AGENTCORE', 'http://127.0.0.1.attacker.example', HTTPS],
    ['AWS_ENDPOINT_URL_BEDROCK_AGENTCORE', 'https://a:b@agentcore.example.com', USERINFO],
    ['AWS_ENDPOINT_URL_BEDROCK_AGENTCORE', 'https://agentcore.example.com/?a=b', QUERY],
    ['AWS_ENDPOINT_URL_BEDROCK_AGENTCORE', 'https://agentcore.example.com/#a', QUERY],

    ['AUTHORIZE_HOSTS', 'https://a.example.com', AUTHORIZE_HOST],
    ['AUTHORIZE_HOSTS', 'a.example.com/path', AUTHORIZE_HOST],
    ['AUTHORIZE_HOSTS', 'a.example.com:0', AUTHORIZE_HOST],
    ['AUTHORIZE_HOSTS', 'a.example.com:65536', AUTHORIZE_HOST],
    ['AUTHORIZE_HOSTS', 'x@a.example.com', AUTHORIZE_HOST],
    ['AUTHORIZE_HOSTS', '*.example.com', AUTHORIZE_HOST],
    ['AUTHORIZE_HOSTS', 'a.example.com,', `entry 2 ${COMMA}`],

    ['HOST', 'http://localhost', LISTEN],
    ['HOST', 'localhost:9090', LISTEN],
    ['HOST', '[::1]', LISTEN],
    ['HOST', ' ', LISTEN],

    ['PORT', '65536', PORT],
    ['PORT', '-1', PORT],
    ['PORT', '+1', PORT],
    ['PORT', '1e3', PORT],
    ['PORT', '0x50', PORT],
    ['PORT', '080', PORT],
    ['PORT', '80.0', PORT],
    ['PORT', ' 80', PORT],
    ['PORT', '8 0', PORT],
    ['PORT', '٨٠', PORT],
    [
      'PORT',
      '0',
      '0 is accepted only beside PUBLIC_URL, since callback URLs need a port that is known; write a port',
    ],

    ['ALLOWED_HOSTS', 'a.example.com:8443', HOST_NAME],
    ['ALLOWED_HOSTS', 'https://a.example.com', HOST_NAME],
    ['ALLOWED_HOSTS', '*', HOST_NAME],
    ['ALLOWED_HOSTS', '*.example.com', HOST_NAME],
    ['ALLOWED_HOSTS', 'a..example.com', HOST_NAME],
    ['ALLOWED_HOSTS', 'fe80::1%eth0', HOST_NAME],
    ['ALLOWED_HOSTS', 'a.example.com,,b.example.com', `entry 2 ${COMMA}`],

    ['PUBLIC_URL', 'auth.example.com', BASE_URL],
    ['PUBLIC_URL', 'ftp://auth.example.com', BASE_URL],
    ['PUBLIC_URL', 'https://', BASE_URL],
    ['PUBLIC_URL', 'https://auth.example.com/a b', BASE_URL],
    ['PUBLIC_URL', ' https://auth.example.com', BASE_URL],
    ['PUBLIC_URL', 'https:\\\\auth.example.com', BASE_URL],
    ['PUBLIC_URL', 'https://auth.example.com\\@attacker.example', BASE_URL],
    ['PUBLIC_URL', 'https://auth.example.com:99999', BASE_URL],
    ['PUBLIC_URL', 'https://*.example.com', 'must name one host, without wildcard'],
    ['PUBLIC_URL', 'http://auth.example.com', HTTPS],
    ['PUBLIC_URL', 'http://0.0.0.0:9090', HTTPS],
    ['PUBLIC_URL', 'http://localhost.example.com', HTTPS],
    ['PUBLIC_URL', 'https://user@auth.example.com', USERINFO],
    ['PUBLIC_URL', 'https://user:word@auth.example.com', USERINFO],
    ['PUBLIC_URL', 'https://@auth.example.com', USERINFO],
    ['PUBLIC_URL', 'https://auth.example.com?', QUERY],
    ['PUBLIC_URL', 'https://auth.example.com?a', QUERY],
    ['PUBLIC_URL', 'https://auth.example.com#', QUERY],
    ['PUBLIC_URL', 'https://auth.example.com//attacker.example', 'must not contain empty path segments (//)'],

    ['JWT_DISCOVERY_URL', 'idp.example.com', BASE_URL],
    ['JWT_DISCOVERY_URL', 'https://idp.example.com', DISCOVERY],
    ['JWT_DISCOVERY_URL', `https://idp.example.com${WELL_KNOWN}/`, DISCOVERY],
    ['JWT_DISCOVERY_URL', `http://idp.example.com${WELL_KNOWN}`, HTTPS],
    ['JWT_DISCOVERY_URL', `https://a:b@idp.example.com${WELL_KNOWN}`, USERINFO],
    ['JWT_DISCOVERY_URL', `https://idp.example.com${WELL_KNOWN}?p=policy`, QUERY],
    ['JWT_DISCOVERY_URL', `https://idp.example.com/?${WELL_KNOWN}`, QUERY],
    [
      'JWT_DISCOVERY_URL',
      `https://idp.example.com${WELL_KNOWN},https://IDP.example.com:443${WELL_KNOWN}`,
      'names one URL twice; write each issuer once',
    ],
    ['JWT_DISCOVERY_URL', `https://a.example.com${WELL_KNOWN},https://b.example.com`, `entry 2 ${DISCOVERY}`],
    ['JWT_DISCOVERY_URL', `,https://a.example.com${WELL_KNOWN}`, `entry 1 ${COMMA}`],

    ['JWT_ALLOWED_CLIENTS', 'a b', VISIBLE],
    ['JWT_ALLOWED_CLIENTS', ' ', COMMA],
    ['JWT_ALLOWED_CLIENTS', 'a,,b', `entry 2 ${COMMA}`],
    ['JWT_ALLOWED_CLIENTS', 'x'.repeat(513), VISIBLE],
    ['JWT_ALLOWED_AUDIENCE', 'a\u0000b', VISIBLE],
    ['JWT_ALLOWED_AUDIENCE', ',', `entry 1 ${COMMA}`],
    ['JWT_ALLOWED_SCOPES', 'openid profile', VISIBLE],
    ['JWT_ALLOWED_SCOPES', 'openid,', `entry 2 ${COMMA}`],

    ['USER_CLAIM', 'user id', 'must be the name of one claim, such as sub'],
    ['USER_CLAIM', 'x'.repeat(129), 'must be the name of one claim, such as sub'],

    ['SESSION_SECRET', STRONG_SECRET.slice(1), SHORT],
    ['SESSION_SECRET', ' '.repeat(40), COMMA],
    ['SESSION_SECRET', `${STRONG_SECRET},`, `entry 2 ${COMMA}`],
    ['SESSION_SECRET', `${STRONG_SECRET},short`, `entry 2 ${SHORT}`],

    ['SESSION_TTL_SECONDS', '0', TTL],
    ['SESSION_TTL_SECONDS', '2592001', TTL],
    ['SESSION_TTL_SECONDS', '1h', TTL],
    ['SESSION_TTL_SECONDS', '99999999999999999999', TTL],

    ['STORE_URL', 'memory:?replicas=2', STORE],
    ['STORE_URL', 'memory:?replicas=1&x=y', STORE],
    ['STORE_URL', 'postgres://x', STORE],
    ['STORE_URL', 'valkey://cache.example.com', STORE],
    ['STORE_URL', 'REDIS://cache.example.com', STORE],
    ['STORE_URL', 'cache.example.com:6379', STORE],
    ['STORE_URL', ' redis://cache.example.com', STORE],
    ['STORE_URL', 'rediss:cache.example.com', REDIS],
    ['STORE_URL', 'rediss://', REDIS],
    ['STORE_URL', 'rediss://:6379', REDIS],
    ['STORE_URL', 'rediss://user:pass:word@cache.example.com', REDIS],
    ['STORE_URL', 'rediss://:pass/word@cache.example.com', REDIS],
    ['STORE_URL', 'rediss://:pass@word@cache.example.com', REDIS],
    ['STORE_URL', 'rediss://cache.example.com#fragment', REDIS],
    ['STORE_URL', 'rediss://cache.example.com/0/1', REDIS],
    ['STORE_URL', 'rediss://::1:6379', REDIS],
    ['STORE_URL', 'rediss://a.example.com,b.example.com', 'must name one host'],
    ['STORE_URL', 'rediss://cache .example.com', 'must name one host'],
    ['STORE_URL', 'rediss://[::g]', 'must name one host'],
    ['STORE_URL', 'rediss://cache.example.com\n', 'must name one host'],
    ['STORE_URL', 'rediss://cache.example.com:0', 'must have a port from 1 to 65535, or none'],
    ['STORE_URL', 'rediss://cache.example.com:65536', 'must have a port from 1 to 65535, or none'],
    ['STORE_URL', 'rediss://cache.example.com:', 'must have a port from 1 to 65535, or none'],
    ['STORE_URL', 'rediss://cache.example.com/x', 'must have a database number from 0 to 999, or none'],
    ['STORE_URL', 'rediss://cache.example.com/-1', 'must have a database number from 0 to 999, or none'],
    ['STORE_URL', 'rediss://user@cache.example.com', STORE_CREDENTIALS],
    ['STORE_URL', 'rediss://user:@cache.example.com', STORE_CREDENTIALS],
    ['STORE_URL', 'rediss://@cache.example.com', STORE_CREDENTIALS],
    ['STORE_URL', 'rediss://:@cache.example.com', STORE_CREDENTIALS],
    [
      'STORE_URL',
      'rediss://%zz:%zz@cache.example.com',
      'must percent-encode what is special in user and password',
    ],
    ['STORE_URL', 'rediss://cache.example.com?tls=true', 'must carry no query but cluster=true'],
    ['STORE_URL', 'rediss://cache.example.com?cluster=false', 'must carry no query but cluster=true'],
    ['STORE_URL', 'rediss://cache.example.com?cluster=true&a=b', 'must carry no query but cluster=true'],
    ['STORE_URL', 'rediss://cache.example.com?', 'must carry no query but cluster=true'],
    ['STORE_URL', 'rediss://cache.example.com/1?cluster=true', 'must not name a database of a cluster'],

    ['SINGLE_USER', 'yes', 'must be true or false'],
    ['SINGLE_USER', '1', 'must be true or false'],

    ['REQUIRE_PIN', 'yes', 'must be true or false'],
    ['REQUIRE_PIN', 'TRUE', 'must be true or false'],
    ['REQUIRE_PIN', '1', 'must be true or false'],

    ['ALLOWED_ORIGINS', 'null', ORIGIN],
    ['ALLOWED_ORIGINS', '*', ORIGIN],
    ['ALLOWED_ORIGINS', 'https://app.example.com/', ORIGIN],
    ['ALLOWED_ORIGINS', 'https://app.example.com/path', ORIGIN],
    ['ALLOWED_ORIGINS', 'https://App.example.com', ORIGIN],
    ['ALLOWED_ORIGINS', 'https://app.example.com:443', ORIGIN],
    ['ALLOWED_ORIGINS', 'https://*.example.com', ORIGIN],
    ['ALLOWED_ORIGINS', 'app.example.com', ORIGIN],
    ['ALLOWED_ORIGINS', 'wss://app.example.com', ORIGIN],
    ['ALLOWED_ORIGINS', 'file:///x', ORIGIN],
    ['ALLOWED_ORIGINS', 'data:text/html,x', `entry 1 ${ORIGIN}`],
    ['ALLOWED_ORIGINS', 'https://app.example.com null', ORIGIN],
    ['ALLOWED_ORIGINS', 'http://app.example.com', HTTPS],
    ['ALLOWED_ORIGINS', 'https://app.example.com,null', `entry 2 ${ORIGIN}`],

    ['RUNTIME_ENVIRONMENT', 'studio', 'must be one of local, sagemaker, container'],
    ['RUNTIME_ENVIRONMENT', 'Local', 'must be one of local, sagemaker, container'],
    ['RUNTIME_ENVIRONMENT', 'constructor', 'must be one of local, sagemaker, container'],

    ['SINGLE_USER', 'yes', 'must be true or false'],
    ['SINGLE_USER', 'True', 'must be true or false'],
    ['SINGLE_USER', '0', 'must be true or false'],

    ['DRAIN_SECONDS', '-1', DRAIN],
    ['DRAIN_SECONDS', '601', DRAIN],
    ['DRAIN_SECONDS', '10s', DRAIN],
    ['DRAIN_SECONDS', '1.5', DRAIN],
    ['TRUST_PROXY', 'true', PROXY],
    ['TRUST_PROXY', '1', PROXY],
    ['TRUST_PROXY', '*', PROXY],
    ['TRUST_PROXY', 'loopback', PROXY],
    ['TRUST_PROXY', 'proxy.internal', PROXY],
    ['TRUST_PROXY', '10.0.0', PROXY],
    ['TRUST_PROXY', '010.0.0.1', PROXY],
    ['TRUST_PROXY', '10.0.0.0/33', PROXY],
    ['TRUST_PROXY', '10.0.0.0/', PROXY],
    ['TRUST_PROXY', '10.0.0.0/08', PROXY],
    ['TRUST_PROXY', '10.0.0.0/255.0.0.0', PROXY],
    ['TRUST_PROXY', '10.0.0.0-10.0.0.9', PROXY],
    ['TRUST_PROXY', '10.0.0.1:80', PROXY],
    ['TRUST_PROXY', '[::1]', PROXY],
    ['TRUST_PROXY', '::1/129', PROXY],
    ['TRUST_PROXY', 'fe80::1%eth0', PROXY],
    ['TRUST_PROXY', '::ffff:10.0.0.1', PROXY],
    ['TRUST_PROXY', '::ffff:a00:0/104', PROXY],
    ['TRUST_PROXY', '10.0.0.1,,10.0.0.2', `entry 2 ${COMMA}`],
    ['TRUST_PROXY', '0.0.0.0/0', STRANGERS],
    ['TRUST_PROXY', '::/0', STRANGERS],
    ['TRUST_PROXY', '0.0.0.0/1,128.0.0.0/1', `entry 1 ${STRANGERS}`],
    ['TRUST_PROXY', '10.0.0.0/7', STRANGERS],
    ['TRUST_PROXY', '2000::/3', STRANGERS],
    ['TRUST_PROXY', '10.0.0.7/8', STRAY],
    ['TRUST_PROXY', '10.0.0.1, 2001:db8::7/32', `entry 2 ${STRAY}`],

    ['RATE_LIMIT_PER_MINUTE', '0', RATE],
    ['RATE_LIMIT_PER_MINUTE', '-1', RATE],
    ['RATE_LIMIT_PER_MINUTE', '1000001', RATE],
    ['RATE_LIMIT_PER_MINUTE', '100/min', RATE],
    ['RATE_LIMIT_PER_MINUTE', 'off', RATE],

    ['LOG_LEVEL', 'verbose', 'must be one of fatal, error, warn, info, debug, trace, silent'],
    ['LOG_LEVEL', 'toString', 'must be one of fatal, error, warn, info, debug, trace, silent'],
  ])('of %s is refused with its line: %j [SB-28]', (name, value, problem) => {
    expect(problemsOf({ [name]: value })).toContain(`${name}: ${problem}`);
  });

  it('of a fallback variable is reported under that variable', () => {
    expect(problemsOf({ AWS_REGION: undefined, AWS_DEFAULT_REGION: 'x' })).toEqual([
      'AWS_DEFAULT_REGION: must be an AWS region such as eu-central-1',
    ]);
  });

  it('of one audience list does not count as unset', () => {
    expect(problemsOf({ JWT_ALLOWED_CLIENTS: ',' })).not.toContainEqual(
      expect.stringContaining('JWT_ALLOWED_AUDIENCE'),
    );
  });

  it('refuses a list of secrets of which one is too short in bytes, not in characters', () => {
    expect(problemsOf({ SESSION_SECRET: 'ä1ö2ü3ß4é5à6ç7ñ8' })).toContainEqual(
      expect.stringContaining('shorter'),
    );
    expect(problemsOf({ SESSION_SECRET: 'ä1ö2ü3ß4é5à6ç7ñ8ø9å0æ1ð2' })).toEqual([]);
  });
});

describe('required settings', () => {
  it.each(['AWS_REGION', 'JWT_DISCOVERY_URL', 'SESSION_SECRET', 'STORE_URL'])(
    'an environment without %s does not start [SB-28]',
    (name) => {
      const problems = problemsOf({ [name]: undefined });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(new RegExp(`^${name}: .*write`));
    },
  );

  it('an environment without clients and audience does not start [SB-11]', () => {
    expect(problemsOf({ JWT_ALLOWED_CLIENTS: undefined })).toEqual([
      "JWT_ALLOWED_CLIENTS: this or JWT_ALLOWED_AUDIENCE is required; write allowedClients or allowedAudience of the agent's customJWTAuthorizer",
    ]);
  });

  it.each([undefined, '', 'memory:'])(
    'the memory store does not start unless told it is alone: %j [SB-09]',
    (url) => {
      expect(problemsOf({ STORE_URL: url })).toEqual([
        'STORE_URL: the memory store keeps every record in one process; if this is the only replica, write STORE_URL=memory:?replicas=1, else the rediss:// URL of a server that all replicas share',
      ]);
    },
  );

  it('PORT=0 starts beside PUBLIC_URL', () => {
    expect(load({ PORT: '0', PUBLIC_URL: 'http://localhost:1234' }).kind).toBe('valid');
  });
});

describe("the operator's brand", () => {
  it.each([
    ['BRAND_NAME', 'two\nlines', 'must be 1 to 64 characters on one line'],
    ['BRAND_NAME', 'x'.repeat(65), 'must be 1 to 64 characters on one line'],
    ['BRAND_LOGO', 'iVBORw0KGgo', 'must be an SVG'],
    ['BRAND_LOGO', `<svg>${'x'.repeat(32 * 1024)}`, 'must be 32 KiB at most'],
    ['BRAND_ACCENT', 'red', 'must be a colour such as #0055cc'],
    ['BRAND_ACCENT', '#fff}body{background:url(//evil.example)', 'must be a colour such as #0055cc'],
  ])('%s is refused where it is not one [SB-17]', (name, value, problem) => {
    expect(problemsOf({ [name]: value })).toEqual([`${name}: ${problem}`]);
  });
});

describe('the port of the metrics', () => {
  it.each([
    ['9090', undefined],
    ['8080', '8080'],
  ])('is never the public one [SB-28]: %s', (metricsPort, port) => {
    expect(problemsOf({ METRICS_PORT: metricsPort, PORT: port })).toEqual([
      'METRICS_PORT: must not be PORT, which the public reaches; write another one, such as 9464',
    ]);
    expect(problemsOf({ METRICS_PORT: '9464', PORT: port })).toEqual([]);
  });
});

describe('a variable that is no setting', () => {
  it('is left alone', () => {
    expect(load({ PATH: '/bin', HOME: '/root', AWS_PROFILE: 'x', NODE_ENV: 'production' }).kind).toBe(
      'valid',
    );
  });
});

describe('the endpoint of all AWS services', () => {
  it('is refused, since the SDK would send user tokens there unchecked [SB-28]', () => {
    expect(problemsOf({ AWS_ENDPOINT_URL: 'http://anywhere.example' })).toEqual([
      'AWS_ENDPOINT_URL: would send user tokens wherever the other AWS calls go; name the host in AWS_ENDPOINT_URL_BEDROCK_AGENTCORE, or unset it',
    ]);
  });

  it('does not matter beside an endpoint of AgentCore', () => {
    const loaded = load({
      AWS_ENDPOINT_URL: 'http://anywhere.example',
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: 'http://localhost:4566',
    });
    expect(loaded.kind).toBe('valid');
  });
});

describe('a session secret that anybody would guess', () => {
  const guessable = [
    'a'.repeat(32),
    'ab'.repeat(20),
    '0123456789abcdef'.repeat(2),
    'aabbabaabbbaabbabababbbaabaabbbab',
    'kT4xWq9ZbM2'.repeat(4).slice(0, 40),
    'changeme-changeme-changeme-changeme',
    'Please-Change-Me-8f3k2l9d0s7g6h5j4',
    'change_this_to_something_long_9f8e7d',
    'this-is-a-very-secret-value-for-dev',
    'passw0rd-and-more-9f8e7d6c5b4a3210',
    'an-example-value-9f8e7d6c5b4a32109',
    'keyboard cat keyboard dog and a bird',
  ];

  it.each(guessable)('%s is refused where PUBLIC_URL is not loopback [SB-28]', (secret) => {
    const problems = problemsOf({ SESSION_SECRET: secret, PUBLIC_URL: 'https://auth.example.com' });
    expect(problems).toEqual([
      'SESSION_SECRET: looks like a placeholder or a repeated pattern; write one made by: openssl rand -base64 48',
    ]);
  });

  it.each(guessable)('%s is accepted on loopback, with a warning [SB-28]', (secret) => {
    const loaded = load({ SESSION_SECRET: secret, HOST: '127.0.0.1', PUBLIC_URL: 'http://localhost:9090' });
    expect(loaded).toMatchObject({
      kind: 'valid',
      warnings: [expect.stringMatching(/^SESSION_SECRET: looks like a placeholder/)],
    });
  });

  it('is refused where others reach the listener, whatever PUBLIC_URL says [SB-28]', () => {
    expect(problemsOf({ SESSION_SECRET: 'a'.repeat(32), HOST: '0.0.0.0' })).toHaveLength(1);
  });

  it('is found behind a good one, since it still verifies [SB-28]', () => {
    const SESSION_SECRET = `${STRONG_SECRET},${'a'.repeat(32)}`;
    expect(problemsOf({ SESSION_SECRET, PUBLIC_URL: 'https://auth.example.com' })).toHaveLength(1);
  });

  it.each([STRONG_SECRET, '9f86d081884c7d659a2feaa0c55ad015', 'x8Yk/2+Qw==rT5uIoP0aSdFgHjKlZxCvBnM1'])(
    'is not %s',
    (secret) => {
      const TRUST_PROXY = '10.0.0.1';
      const loaded = load({ SESSION_SECRET: secret, PUBLIC_URL: 'https://auth.example.com', TRUST_PROXY });
      expect(loaded).toMatchObject({ kind: 'valid', warnings: [] });
    },
  );
});

describe('a container that nobody has set up', () => {
  const HINT =
    'RUNTIME_ENVIRONMENT: detected as container; in a dev container, for yourself alone, write RUNTIME_ENVIRONMENT=local';
  const BARE = {
    SINGLE_USER: undefined,
    JWT_DISCOVERY_URL: undefined,
    DOCKER_CONTAINER: '1',
    RUNTIME_ENVIRONMENT: undefined,
    PUBLIC_URL: undefined,
  };

  it('may be a dev container, which is told what to write', () => {
    expect(problemsOf(BARE)).toContain(HINT);
  });

  it.each([
    { PUBLIC_URL: 'https://binding.example.com' },
    { KUBERNETES_SERVICE_HOST: '10.0.0.1' },
    { ECS_CONTAINER_METADATA_URI_V4: 'http://169.254.170.2/v4/x' },
    { SINGLE_USER: 'false' },
  ])('is none with %j', (more) => {
    const problems = problemsOf({ ...BARE, ...more });
    expect(problems.length).toBeGreaterThan(0);
    expect(problems).not.toContain(HINT);
  });
});

describe('an environment that is none', () => {
  const nothingElse = {
    RUNTIME_ENVIRONMENT: 'locl',
    JWT_DISCOVERY_URL: undefined,
    SESSION_SECRET: undefined,
    STORE_URL: undefined,
  };
  const none = 'RUNTIME_ENVIRONMENT: must be one of local, sagemaker, container';

  it('is the only problem: what else is missing depends on it', () => {
    expect(problemsOf({ ...nothingElse, SINGLE_USER: undefined })).toEqual([none]);
  });

  it('hides nothing of what is missing where several users are said', () => {
    expect(problemsOf(nothingElse)).toEqual([
      none,
      expect.stringMatching(/^JWT_DISCOVERY_URL: /),
      expect.stringMatching(/^SESSION_SECRET: /),
      expect.stringMatching(/^STORE_URL: /),
    ]);
  });
});
