import { describe, expect, it } from 'vitest';
import { parseUserTokenBody } from '../../src/routes/user-token-body.ts';

const fields = { user_token: 'a.b.c', session_uri: 'urn:x', label: 'GitHub' };

describe('the body of a POST', () => {
  it('is its five fields, of which one must be there', () => {
    expect(parseUserTokenBody(fields)).toEqual({ kind: 'parsed', fields });
    expect(parseUserTokenBody({ user_token: 'a.b.c' })).toEqual({
      kind: 'parsed',
      fields: { user_token: 'a.b.c' },
    });
    const longest = { ...fields, label: '🐇'.repeat(64) };
    expect(parseUserTokenBody(longest)).toEqual({ kind: 'parsed', fields: longest });
  });

  it.each([
    ['null', null, 'it must be an object'],
    ['nothing', undefined, 'it must be an object'],
    ['a list', [fields], 'it must be an object'],
    ['a text', 'a.b.c', 'it must be an object'],
    ['no token', {}, 'user_token must be there'],
    ['an empty token', { user_token: '' }, 'user_token must be there'],
    ['a token that is a number', { user_token: 1 }, 'user_token must be a string'],
    ['a pin that is null', { ...fields, session_uri: null }, 'session_uri must be a string'],
    ['a misspelt pin', { ...fields, sessionUri: 'urn:x' }, 'fields other than user_token, authorization_url'],
    ['a name of every object', { ...fields, toString: 'x' }, 'fields other than user_token'],
    ['a label that is too long', { ...fields, label: '🐇'.repeat(65) }, 'label must not have more than 64'],
  ])('is refused with %s, and nothing of it is said again', (_, body, problem) => {
    const parsed = parseUserTokenBody(body);
    expect(parsed).toMatchObject({ kind: 'refused', detail: expect.stringContaining(problem) });
    expect(JSON.stringify(parsed)).not.toMatch(/a\.b\.c|sessionUri|toString|🐇/u);
  });
});
