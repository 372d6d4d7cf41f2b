import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startIssuer } from '../../src/emulator/issuer.ts';
import type { AccessTokenRequest, Issuer } from '../../src/emulator/issuer.ts';
import { createCognitoFetch, POOL } from '../support/cognito-fetch.ts';
import { startVerifying } from './verifying.ts';

let issuer: Issuer;
let asked: string[];

beforeAll(async () => {
  issuer = await startIssuer();
});

afterAll(() => issuer.close());

beforeEach(() => {
  issuer.faults = {};
  asked = [];
});

const recognizing = (options: Parameters<typeof startVerifying>[1] = {}) =>
  startVerifying([], {
    recognizesCognito: true,
    allowedClients: [],
    fetch: createCognitoFetch(issuer, asked),
    ...options,
  });

const tokenOf = (pool: string, request: AccessTokenRequest = {}) =>
  issuer.accessToken({ ...request, claims: { iss: pool, ...request.claims } });

describe('a Cognito user pool that nobody configured', () => {
  test('is recognised by its URL, and its tokens are verified', async () => {
    const { verdict } = recognizing();
    expect(await verdict(await tokenOf(POOL))).toBe('verified');
    expect(await verdict(await tokenOf(POOL))).toBe('verified');
    expect(asked).toEqual([`${POOL}/.well-known/openid-configuration`, `${POOL}/.well-known/jwks.json`]);
  });

  test.each(['us-gov-west-1', 'ap-southeast-2', 'eu-central-1'])('may lie in %s', async (region) => {
    const { verdict } = recognizing();
    const pool = `https://cognito-idp.${region}.amazonaws.com/${region}_AbC123xyz`;
    expect(await verdict(await tokenOf(pool))).toBe('verified');
  });

  test('may have any client, unless clients are listed', async () => {
    const token = await tokenOf(POOL, { clientId: 'whoever' });
    expect(await recognizing().verdict(token)).toBe('verified');
    expect(await recognizing({ allowedClients: ['another'] }).verdict(token)).toBe('invalid: wrong_client');
  });

  test('is verified like any other issuer [SB-10] [SB-11]', async () => {
    const { verdict } = recognizing();
    const stranger = await startIssuer();
    const kid = issuer.keySet()[0]?.kid;
    const forged = await stranger.accessToken({ claims: { iss: POOL }, header: { kid } });
    await stranger.close();
    expect(await verdict(forged)).toBe('invalid: bad_signature');
    expect(await verdict(await tokenOf(POOL, { expiresInSeconds: -1 }))).toBe('invalid: expired');
    expect(await verdict(await tokenOf(POOL, { claims: { token_use: 'id' } }))).toBe(
      'invalid: wrong_token_use',
    );
  });

  test('counts only where no discovery URL is configured and single-user mode asks for it', async () => {
    const token = await tokenOf(POOL);
    const configured = startVerifying([issuer.discoveryUrl], {
      recognizesCognito: true,
      fetch: (input, init) => fetch(input, init),
    });
    expect(await configured.verdict(token)).toBe('invalid: wrong_issuer');
    expect(await recognizing({ recognizesCognito: false }).verdict(token)).toBe('invalid: wrong_issuer');
    expect(asked).toEqual([]);
  });

  test('does not speak for another pool [SB-11]', async () => {
    issuer.faults = { issuer: `${POOL}2` };
    const { verdict } = recognizing();
    expect(await verdict(await tokenOf(POOL))).toBe('issuer_unavailable: issuer_never_reached');
    expect(await verdict(await tokenOf(`${POOL}2`))).toBe('verified');
  });

  test('is not asked about every token while it fails: the keys that are held will do [SB-12]', async () => {
    const { verdict, clock } = recognizing();
    expect(await verdict(await tokenOf(POOL))).toBe('verified');
    issuer.faults = { mode: 'status_500' };
    const unknown = await tokenOf(POOL, { header: { kid: 'unknown' } });
    clock.advanceMonotonic(5_000);
    expect(await verdict(unknown)).toMatch(/^issuer_unavailable/);
    const before = asked.length;
    clock.advanceMonotonic(5_000);
    expect(await verdict(await tokenOf(POOL))).toBe('verified');
    expect(asked).toHaveLength(before);
  });

  test.each(['down', 'hang', 'hang_in_body', 'status_500', 'html', 'redirect', 'huge'] as const)(
    'is unavailable within the budget when it answers wrongly: %s [SB-12]',
    async (mode) => {
      issuer.faults = { mode };
      const { verdict } = recognizing({ budgets: { fetchTimeoutMs: 250 } });
      expect(await verdict(await tokenOf(POOL))).toBe('issuer_unavailable: issuer_never_reached');
      expect(issuer.redirectedRequests).toBe(0);
      expect(await verdict(await tokenOf(POOL))).toBe('issuer_unavailable: issuer_never_reached');
      expect(asked).toHaveLength(1);
    },
  );
});

describe('an issuer that only looks like one', () => {
  test.each([
    'http://cognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator/',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator/../x',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator?x',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator#x',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Emul%61tor',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator\n',
    'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_',
    'https://cognito-idp.us-east-1.amazonaws.com/eu-west-1_Emulator',
    'https://cognito-idp.us-east-1.amazonaws.com/',
    'https://cognito-idp.us-east-1.amazonaws.com',
    'https://cognito-idp.us-east-1.amazonaws.com:443/us-east-1_Emulator',
    'https://cognito-idp.us-east-1.amazonaws.com:8443/us-east-1_Emulator',
    'https://user@cognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator',
    'https://cognito-idp.us-east-1.amazonaws.com.attacker.example/us-east-1_Emulator',
    'https://attacker.example/cognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator',
    'https://attacker.example/?https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator',
    'https://xcognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator',
    'https://x.cognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator',
    'https://cognito-idpxus-east-1.amazonaws.com/us-east-1_Emulator',
    'https://cognito-idp.us-east-1.amazonaws.co/us-east-1_Emulator',
    'https://cognito-idp.us-east-1-amazonaws.com/us-east-1_Emulator',
    'https://cognito-idp.s3.amazonaws.com/s3_Emulator',
    'https://cognito-idp.s3-us-west-2.amazonaws.com/s3-us-west-2_Emulator',
    'https://cognito-idp.s3.us-west-2.amazonaws.com/us-west-2_Emulator',
    'https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Emulator',
    'HTTPS://COGNITO-IDP.US-EAST-1.AMAZONAWS.COM/us-east-1_Emulator',
    'https://idp.example.com/pool',
  ])('is refused unasked: %j [SB-11] [SB-12]', async (lookalike) => {
    const { verdict } = recognizing();
    expect(await verdict(await tokenOf(lookalike))).toBe('invalid: issuer_not_configured');
    expect(asked).toEqual([]);
  });
});

test.each([[[POOL]], [5], [{ pool: POOL }], [null]])(
  'an issuer that is no text is refused unasked: %j [SB-11]',
  async (iss) => {
    const { verdict } = recognizing();
    expect(await verdict(await issuer.accessToken({ claims: { iss } }))).toBe('invalid: wrong_issuer');
    expect(asked).toEqual([]);
  },
);

describe('many pools', () => {
  const poolOf = (index: number) => `${POOL}${index}`;

  test('named in forged tokens cost a bounded number of requests [SB-12]', async () => {
    issuer.faults = { mode: 'status_500' };
    const { verdict, clock } = recognizing();
    const verdicts = async (from: number) =>
      Promise.all(
        Array.from({ length: 50 }, async (_, index) => verdict(await tokenOf(poolOf(from + index)))),
      );
    const first = await verdicts(0);
    expect(asked).toHaveLength(8);
    expect(first.filter((one) => one === 'issuer_unavailable: too_many_pools')).toHaveLength(42);
    clock.advanceMonotonic(5_000);
    await verdicts(100);
    expect(asked).toHaveLength(8);
    clock.advanceMonotonic(5_000);
    await verdicts(200);
    expect(asked).toHaveLength(16);
  });

  test('never push out the one that is in use [SB-12] [SB-22]', async () => {
    const { verdict, clock } = recognizing();
    for (let index = 0; index < 20; index += 1) {
      expect(await verdict(await tokenOf(POOL))).toBe('verified');
      expect(await verdict(await tokenOf(poolOf(index)))).toBe('verified');
    }
    expect(asked.filter((url) => url.startsWith(`${POOL}/`))).toHaveLength(2);
    issuer.faults = { mode: 'status_500' };
    for (let index = 100; index < 120; index += 1) await verdict(await tokenOf(poolOf(index)));
    expect(await verdict(await tokenOf(POOL))).toBe('verified');
    clock.advanceMonotonic(60_000);
    await verdict(await tokenOf(poolOf(200)));
    expect(await verdict(await tokenOf(POOL))).toBe('verified');
  });

  test('are forgotten when they are not used any more [SB-22]', async () => {
    const { verdict } = recognizing();
    for (let index = 0; index < 10; index += 1) await verdict(await tokenOf(poolOf(index)));
    const before = asked.length;
    expect(await verdict(await tokenOf(poolOf(9)))).toBe('verified');
    expect(asked).toHaveLength(before);
    expect(await verdict(await tokenOf(poolOf(0)))).toBe('verified');
    expect(asked).toHaveLength(before + 2);
  });
});
