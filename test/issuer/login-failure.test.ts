import { ClientError } from 'openid-client';
import { describe, expect, it } from 'vitest';
import { explainLoginFailure } from '../../src/issuer/login-failure.ts';

/** What the library throws about a claim that is not as it must be. */
function aboutClaim(claim: string): ClientError {
  return withCode(new ClientError('wrong', { cause: new Error('wrong', { cause: { claim } }) }));
}

function withCode(error: ClientError): ClientError {
  return Object.assign(error, { code: 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' });
}

describe('what the library threw', () => {
  it.each([
    ['about the nonce', aboutClaim('nonce'), { kind: 'not_ours', reason: 'wrong_nonce' }],
    ['about another claim', aboutClaim('aud'), { kind: 'issuer_unavailable', reason: 'wrong_answer' }],
    [
      'about something else',
      withCode(new ClientError('wrong', { cause: new Error('wrong', { cause: 'a text' }) })),
      { kind: 'issuer_unavailable', reason: 'wrong_answer' },
    ],
    [
      'about nothing',
      withCode(new ClientError('wrong', { cause: new Error('wrong', { cause: null }) })),
      { kind: 'issuer_unavailable', reason: 'wrong_answer' },
    ],
    [
      'without a cause',
      withCode(new ClientError('wrong')),
      { kind: 'issuer_unavailable', reason: 'wrong_answer' },
    ],
  ])('%s is told in words of ours [SB-16, SB-31]', (_what, error, failure) => {
    expect(explainLoginFailure(error, true)).toEqual(failure);
  });

  it.each([
    ['is no refusal', new TypeError('a bug')],
    ['is no refusal, though it has a code', Object.assign(new Error('a bug'), { code: 'ERR_SOMETHING' })],
    ['has no code', new ClientError('a bug')],
  ])('and %s is a bug, and thrown on', (_what, error) => {
    expect(() => explainLoginFailure(error, true)).toThrow(error);
  });
});
