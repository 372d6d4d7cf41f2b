import { describe, expect, it } from 'vitest';
import { problemsOf } from './environment.ts';

describe('sign-in at the callback', () => {
  it.each(['LOGIN_CLIENT_SECRET', 'LOGIN_SCOPES'])('%s alone turns nothing on', (name) => {
    expect(problemsOf({ [name]: 'openid' })).toEqual([`${name}: needs LOGIN_CLIENT_ID`]);
  });

  it('needs an issuer, also where a single user may do without', () => {
    expect(
      problemsOf({ SINGLE_USER: 'true', JWT_DISCOVERY_URL: undefined, LOGIN_CLIENT_ID: 'a-client' }),
    ).toEqual(['LOGIN_CLIENT_ID: needs JWT_DISCOVERY_URL, whose first issuer signs users in']);
  });

  it.each([
    ['LOGIN_SCOPES', 'profile email', 'must contain openid'],
    ['LOGIN_SCOPES', ' ', 'must contain openid'],
    ['LOGIN_SCOPES', 'openid "x"', 'must be scopes separated by spaces, such as openid profile'],
    ['LOGIN_CLIENT_ID', 'a client', 'must be 1 to 512 visible ASCII characters'],
    ['LOGIN_CLIENT_SECRET', 'line\nbreak', 'must be 1 to 1024 printable ASCII characters'],
    ['APP_URL', 'http://app.example.com', 'must be https; http is accepted only for loopback hosts'],
    ['APP_URL', 'javascript:alert(1)', 'must be an absolute URL such as https://auth.example.com'],
  ])('%s=%j is refused', (name, value, problem) => {
    expect(problemsOf({ LOGIN_CLIENT_ID: 'a-client', [name]: value })).toEqual([`${name}: ${problem}`]);
  });

  it.each(['null', '*', 'https://app.example.com/', 'http://app.example.com'])(
    'RETURN_ORIGINS=%s is no origin to return to [SB-18]',
    (origin) => {
      expect(problemsOf({ RETURN_ORIGINS: origin })[0]).toMatch(/^RETURN_ORIGINS: must be/);
    },
  );
});

describe('a load balancer that says who the user is', () => {
  const ALB = {
    ALB_ARN: 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/agents/50dc6c495c0c9188',
    ALB_CLIENT_ID: 'alb-client',
    TRUST_PROXY: '10.0.0.0/16',
  };

  it.each([
    [{ ALB_ARN: undefined }, ['ALB_CLIENT_ID: needs ALB_ARN']],
    [
      { ALB_CLIENT_ID: undefined },
      ['ALB_CLIENT_ID: required beside ALB_ARN; write the client that the load balancer signs users in with'],
    ],
    [
      { TRUST_PROXY: undefined },
      ['TRUST_PROXY: required beside ALB_ARN; write the addresses or subnets of that load balancer'],
    ],
    [
      { ALB_ARN: ALB.ALB_ARN.replace('arn:aws:', 'arn:aws-us-gov:') },
      ['ALB_PUBLIC_KEYS_URL: required for a load balancer of this partition'],
    ],
    [
      { LOGIN_CLIENT_ID: 'login-client' },
      ['LOGIN_CLIENT_ID: unset it; behind ALB_ARN the load balancer signs users in'],
    ],
    [{ SINGLE_USER: 'true' }, ['SINGLE_USER: unset it; behind ALB_ARN nobody signs in by a click']],
  ])('is all or nothing: %j [SB-20]', (changes, problems) => {
    expect(problemsOf({ ...ALB, ...changes })).toEqual(problems);
  });

  it('ends single-user mode, with everything that several users need [SB-28]', () => {
    const problems = problemsOf({ ...ALB, SINGLE_USER: undefined, SESSION_SECRET: undefined });
    expect(problems).toContain(
      'SINGLE_USER: is off since ALB_ARN names a load balancer, which says who each user is; write true only if nobody but its one user can get there',
    );
  });

  it.each([
    'agents',
    'arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/agents/50dc6c495c0c9188',
    `${ALB.ALB_ARN}/`,
    `${ALB.ALB_ARN}\n`,
  ])('%j is no ARN of one [SB-20]', (arn) => {
    expect(problemsOf({ ...ALB, ALB_ARN: arn })[0]).toMatch(
      /^ALB_ARN: must be the ARN of an Application Load Balancer/,
    );
  });
});

describe('USER_IDENTIFIER=id', () => {
  it.each([
    [
      'https://a.example.com/.well-known/openid-configuration,https://b.example.com/.well-known/openid-configuration',
    ],
    [undefined],
  ])('is refused unless there is one issuer: %s [SB-11]', (discoveryUrls) => {
    expect(
      problemsOf({ SINGLE_USER: 'true', USER_IDENTIFIER: 'id', JWT_DISCOVERY_URL: discoveryUrls }),
    ).toEqual(['USER_IDENTIFIER: id needs exactly one issuer in JWT_DISCOVERY_URL']);
  });
});
