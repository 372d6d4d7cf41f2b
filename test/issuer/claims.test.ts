import { describe, expect, test } from 'vitest';
import { checkClaims } from '../../src/issuer/claims.ts';
import type { ClaimsPolicy } from '../../src/issuer/claims.ts';

const NOW_MS = 1_800_000_000_000;
const NOW = NOW_MS / 1000;

const OPEN: ClaimsPolicy = { allowedClients: [], allowedAudience: [], allowedScopes: [], userClaim: 'sub' };

function verdict(claims: Record<string, unknown>, policy: Partial<ClaimsPolicy> = {}): string {
  const check = checkClaims({ sub: 'user-1', exp: NOW + 60, ...claims }, { ...OPEN, ...policy }, NOW_MS);
  return check.kind === 'accepted' ? 'accepted' : check.reason;
}

describe('times', () => {
  test.each([
    ['exp', NOW + 0.001, 'accepted'],
    ['exp', NOW, 'expired'],
    ['exp', NOW - 1, 'expired'],
    ['exp', -1, 'expired'],
    ['exp', undefined, 'exp_missing'],
    ['exp', null, 'exp_not_a_time'],
    ['exp', String(NOW + 60), 'exp_not_a_time'],
    ['exp', [NOW + 60], 'exp_not_a_time'],
    // JSON.parse reads 1e999 as Infinity; 1e300 is a number that no Date can hold.
    ['exp', Number.POSITIVE_INFINITY, 'exp_not_a_time'],
    ['exp', Number.NaN, 'exp_not_a_time'],
    ['exp', 1e300, 'exp_not_a_time'],
    ['exp', 8.64e12, 'accepted'],
    ['exp', 8.64e12 + 1, 'exp_not_a_time'],
    ['nbf', undefined, 'accepted'],
    ['nbf', NOW + 30, 'accepted'],
    ['nbf', NOW + 31, 'not_yet_valid'],
    ['nbf', String(NOW), 'nbf_not_a_time'],
    ['nbf', null, 'nbf_not_a_time'],
    ['iat', undefined, 'accepted'],
    ['iat', NOW + 30, 'accepted'],
    ['iat', NOW + 31, 'issued_in_the_future'],
    ['iat', String(NOW), 'iat_not_a_time'],
    ['iat', Number.POSITIVE_INFINITY, 'iat_not_a_time'],
  ])('%s of %s is %s [SB-11] [SB-29]', (claim, value, expected) => {
    expect(verdict({ [claim]: value })).toBe(expected);
  });
});

describe('the client', () => {
  const policy = { allowedClients: ['ours', 'theirs'] };
  test.each([
    [{ client_id: 'ours' }, 'accepted'],
    [{ client_id: 'theirs' }, 'accepted'],
    [{ azp: 'ours' }, 'accepted'],
    [{ appid: 'ours' }, 'accepted'],
    [{ cid: 'ours' }, 'accepted'],
    [{}, 'wrong_client'],
    [{ client_id: 'OURS' }, 'wrong_client'],
    [{ client_id: ['ours'] }, 'wrong_client'],
    [{ client_id: 'other', azp: 'ours' }, 'wrong_client'],
    [{ client_id: 'other', appid: 'ours' }, 'wrong_client'],
    [{ client_id: 'other', cid: 'ours' }, 'wrong_client'],
    [{ client_id: null, azp: 'ours' }, 'wrong_client'],
    [{ client_id: '', azp: 'ours' }, 'wrong_client'],
    [{ client_id: 'ours', azp: 'other' }, 'accepted'],
  ])('of %j is %s [SB-11]', (claims, expected) => {
    expect(verdict(claims, policy)).toBe(expected);
  });

  test('is not looked at where no client list is set', () => {
    expect(verdict({ client_id: 'anybody' })).toBe('accepted');
  });
});

describe('the audience', () => {
  const policy = { allowedAudience: ['api'] };
  test.each([
    ['api', 'accepted'],
    [['other', 'api'], 'accepted'],
    ['other', 'wrong_audience'],
    ['api other', 'wrong_audience'],
    [['other'], 'wrong_audience'],
    [[['api']], 'wrong_audience'],
    [{ api: true }, 'wrong_audience'],
    [undefined, 'wrong_audience'],
    [[], 'wrong_audience'],
  ])('of %j is %s [SB-11]', (aud, expected) => {
    expect(verdict({ aud }, policy)).toBe(expected);
  });
});

describe('the scopes', () => {
  const policy = { allowedScopes: ['read', 'write'] };
  test.each([
    [{ scope: 'openid read' }, 'accepted'],
    [{ scope: 'openid', scp: 'write' }, 'accepted'],
    [{ scp: ['openid', 'read'] }, 'accepted'],
    [{ scope: 'openid' }, 'wrong_scope'],
    [{ scope: 'reader' }, 'wrong_scope'],
    [{ scp: ['openid'] }, 'wrong_scope'],
    [{ scope: { read: true } }, 'wrong_scope'],
    [{ scope: '' }, 'wrong_scope'],
    [{}, 'wrong_scope'],
  ])('of %j are %s [SB-11]', (claims, expected) => {
    expect(verdict(claims, policy)).toBe(expected);
  });
});

describe('the use', () => {
  const audience = { allowedAudience: ['api'] };
  test.each([
    [undefined, OPEN, 'accepted'],
    ['access', OPEN, 'accepted'],
    ['id', OPEN, 'wrong_token_use'],
    ['refresh', OPEN, 'wrong_token_use'],
    [null, OPEN, 'wrong_token_use'],
    [['access'], OPEN, 'wrong_token_use'],
    ['id', audience, 'accepted'],
    ['refresh', audience, 'wrong_token_use'],
  ])('of %j is judged under %j: %s [SB-11]', (use, policy, expected) => {
    expect(verdict({ token_use: use, aud: 'api' }, policy)).toBe(expected);
  });
});

test('every list that is set must be satisfied [SB-11]', () => {
  const policy = { allowedClients: ['ours'], allowedAudience: ['api'], allowedScopes: ['read'] };
  const good = { client_id: 'ours', aud: 'api', scope: 'read' };
  expect(verdict(good, policy)).toBe('accepted');
  expect(verdict({ ...good, client_id: 'other' }, policy)).toBe('wrong_client');
  expect(verdict({ ...good, aud: 'other' }, policy)).toBe('wrong_audience');
  expect(verdict({ ...good, scope: 'other' }, policy)).toBe('wrong_scope');
});

describe('the identifying claim', () => {
  test.each([
    ['sub', { sub: 'x' }, 'accepted'],
    ['sub', { sub: 'x'.repeat(128) }, 'accepted'],
    ['sub', { sub: 'x'.repeat(129) }, 'no_user_claim'],
    ['sub', { sub: '' }, 'no_user_claim'],
    ['sub', { sub: undefined }, 'no_user_claim'],
    ['sub', { sub: 42 }, 'no_user_claim'],
    ['sub', { sub: ['user-1'] }, 'no_user_claim'],
    ['oid', {}, 'no_user_claim'],
    ['oid', { oid: 'object-1' }, 'accepted'],
    ['constructor', {}, 'no_user_claim'],
  ])('%s of %j is %s [SB-11]', (userClaim, claims, expected) => {
    expect(verdict(claims, { userClaim })).toBe(expected);
  });

  test('is the one configured, whatever the others say', () => {
    const check = checkClaims(
      { sub: 'pairwise', oid: 'object-1', exp: NOW + 60 },
      { ...OPEN, userClaim: 'oid' },
      NOW_MS,
    );
    expect(check).toMatchObject({ kind: 'accepted', subject: 'object-1' });
  });

  test("is never inherited: only the token's own claim counts [SB-11]", () => {
    const claims: Record<string, unknown> = Object.assign(Object.create({ oid: 'everybody' }), {
      exp: NOW + 60,
    });
    expect(checkClaims(claims, { ...OPEN, userClaim: 'oid' }, NOW_MS)).toEqual({
      kind: 'refused',
      reason: 'no_user_claim',
    });
  });
});

describe('the name for pages', () => {
  test.each([
    [{ preferred_username: 'a', username: 'b', email: 'c' }, 'a'],
    [{ username: 'b', 'cognito:username': 'c', email: 'd' }, 'b'],
    [{ 'cognito:username': 'c', email: 'd', name: 'e' }, 'c'],
    [{ email: 'd', name: 'e' }, 'd'],
    [{ name: 'e' }, 'e'],
    [{ preferred_username: 7, username: '', email: 'd' }, 'd'],
    [{}, undefined],
  ])('of %j is %s', (claims, username) => {
    expect(checkClaims({ sub: 'user-1', exp: NOW + 60, ...claims }, OPEN, NOW_MS)).toMatchObject({
      username,
    });
  });
});
