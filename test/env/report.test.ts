import { describe, expect, it } from 'vitest';
import { renderReport } from '../../src/env/report.ts';
import { loadValid, OTHER_STRONG_SECRET, STRONG_SECRET } from './environment.ts';

describe('the report of check', () => {
  it('shows every setting, where it came from, and warnings below', () => {
    const report = renderReport(
      loadValid(
        {
          AWS_REGION: undefined,
          AWS_DEFAULT_REGION: 'us-east-1',
          JWT_ALLOWED_CLIENTS: 'one,two',
          SESSION_SECRET: undefined,
          SESSION_SECRET_FILE: '/s',
          ALLOWED_ORIGINS: 'http://localhost:9090,https://app.example.com',
        },
        { '/s': `${STRONG_SECRET},${OTHER_STRONG_SECRET}` },
      ),
    );
    expect(report).toMatchInlineSnapshot(`
      "setting                             value                                                          from
      AWS_REGION                          us-east-1                                                      AWS_DEFAULT_REGION
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE  AWS's endpoint of the region                                   default
      AUTHORIZE_HOSTS                     bedrock-agentcore.us-east-1.amazonaws.com                      default
      RUNTIME_ENVIRONMENT                 local                                                          detected
      HOST                                127.0.0.1                                                      default
                                          ::1
      PORT                                9090                                                           default
      ALLOWED_HOSTS                       none                                                           default
      PUBLIC_URL                          http://localhost:9090                                          default
      SINGLE_USER                         false                                                          SINGLE_USER
      JWT_DISCOVERY_URL                   https://idp.example.com/pool/.well-known/openid-configuration  JWT_DISCOVERY_URL
      JWT_ALLOWED_CLIENTS                 one                                                            JWT_ALLOWED_CLIENTS
                                          two
      JWT_ALLOWED_AUDIENCE                none                                                           default
      JWT_ALLOWED_SCOPES                  none                                                           default
      USER_CLAIM                          sub                                                            default
      USER_IDENTIFIER                     token                                                          default
      SESSION_SECRET                      [secret] (2 values)                                            SESSION_SECRET_FILE
      SESSION_TTL_SECONDS                 3600                                                           default
      STORE_URL                           memory:?replicas=1                                             STORE_URL
      REQUIRE_PIN                         false                                                          default
      ALLOWED_ORIGINS                     http://localhost:9090                                          ALLOWED_ORIGINS
                                          https://app.example.com
      RETURN_ORIGINS                      none                                                           default
      APP_URL                             none                                                           default
      LOGIN_CLIENT_ID                     off                                                            default
      LOGIN_CLIENT_SECRET                 none                                                           default
      LOGIN_SCOPES                        none                                                           default
      ALB_ARN                             off                                                            default
      ALB_CLIENT_ID                       off                                                            default
      ALB_PUBLIC_KEYS_URL                 the region's endpoint                                          default
      BRAND_NAME                          none                                                           default
      BRAND_LOGO                          none                                                           default
      BRAND_ACCENT                        blue                                                           default
      DRAIN_SECONDS                       0                                                              default
      TRUST_PROXY                         none                                                           default
      RATE_LIMIT_PER_MINUTE               100                                                            default
      METRICS_PORT                        off                                                            default
      LOG_LEVEL                           info                                                           default

      warnings
        ALLOWED_ORIGINS: https://app.example.com is not same-site with PUBLIC_URL by its name, so browsers will not keep the cookie of its POSTs
      "
    `);
  });

  it('says so when there are no warnings', () => {
    expect(renderReport(loadValid())).toMatch(/\n\nno warnings\n$/);
  });

  it('counts secrets instead of showing them [SB-16]', () => {
    expect(renderReport(loadValid())).toMatch(/^SESSION_SECRET +\[secret\] \(1 value\) +SESSION_SECRET$/m);
  });
});
