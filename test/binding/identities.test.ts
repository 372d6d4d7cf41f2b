import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { digest, shortFingerprint } from '../../src/binding/digest.ts';
import { Secret } from '../../src/binding/secret.ts';
import { isSameUser, type User, userDigest, userKey } from '../../src/binding/user.ts';
import { tokenFingerprint } from '../../src/binding/user-token.ts';

// Quotes, brackets, separators and lone surrogates: what could imitate the joint between issuer and subject.
const hostile = fc.string({
  unit: fc.constantFrom(
    '"',
    ',',
    '[',
    ']',
    '\\',
    ' ',
    '\n',
    '\0',
    'a',
    '\ud800',
    '\udc00',
    '\ufffd',
    'é',
    'e\u0301',
  ),
  maxLength: 6,
});
const user: fc.Arbitrary<User> = fc.record({ issuer: hostile, subject: hostile });

describe('a user', () => {
  it('is issuer and subject: no other pair has the same key or digest [SB-11]', () => {
    fc.assert(
      fc.property(user, user, (a, b) => {
        const isSame = a.issuer === b.issuer && a.subject === b.subject;
        expect(isSameUser(a, b)).toBe(isSame);
        expect(userKey(a) === userKey(b)).toBe(isSame);
        expect(userDigest(a) === userDigest(b)).toBe(isSame);
      }),
      { numRuns: 2_000 },
    );
  });

  it('cannot move a piece of the issuer into the subject', () => {
    const text = 'https://issuer.example/","alice';
    const users = Array.from(text, (_, cut) => ({ issuer: text.slice(0, cut), subject: text.slice(cut) }));
    expect(new Set(users.map(userKey)).size).toBe(users.length);
    expect(new Set(users.map(userDigest)).size).toBe(users.length);
  });

  test.each<[User, User]>([
    [
      { issuer: 'https://i.example', subject: 'a' },
      { issuer: 'https://i.example/', subject: 'a' },
    ],
    [
      { issuer: 'https://i.example', subject: 'a' },
      { issuer: 'https://i.example', subject: 'A' },
    ],
    [
      { issuer: 'https://i.example', subject: 'a' },
      { issuer: 'https://i.example', subject: 'a ' },
    ],
    [
      { issuer: 'https://i.example', subject: 'é' },
      { issuer: 'https://i.example', subject: 'e\u0301' },
    ],
    [
      { issuer: 'i', subject: '\ud800' },
      { issuer: 'i', subject: '\ufffd' },
    ],
    [
      { issuer: 'i', subject: '\ud800' },
      { issuer: 'i', subject: '\ud801' },
    ],
  ])('%j is not %j [SB-11]', (a, b) => {
    expect(isSameUser(a, b)).toBe(false);
    expect(userDigest(a)).not.toBe(userDigest(b));
  });
});

describe('a fingerprint', () => {
  it('names a user token without revealing it, in 43 characters [SB-16]', () => {
    const jwt = new Secret('header.payload.signature');
    expect(tokenFingerprint(jwt)).toMatch(/^[\w-]{43}$/);
    expect(tokenFingerprint(jwt)).toBe(tokenFingerprint(new Secret(jwt.reveal())));
    expect(tokenFingerprint(jwt)).not.toBe(tokenFingerprint(new Secret('header.payload.signaturE')));
  });

  it('in the log is too short to be looked up by [SB-16]', () => {
    expect(shortFingerprint(digest('text'))).toHaveLength(12);
  });
});

describe('a secret', () => {
  const secret = new Secret('canary-7f3a');
  const error = new Error('failed', { cause: secret });

  test.each<[string, () => string]>([
    ['String', () => String(secret)],
    ['joining', () => ['a', secret].join()],
    ['JSON', () => JSON.stringify({ secret, list: [secret] })],
    ['inspect', () => inspect({ secret, list: [secret] }, { depth: 9, showHidden: true })],
    ['an error’s cause', () => inspect(error, { depth: 9, showHidden: true })],
    ['its properties', () => JSON.stringify(Object.getOwnPropertyDescriptors(secret))],
    ['a copy', () => JSON.stringify(structuredClone(secret))],
  ])('is not printed by %s [SB-16]', (_name, print) => {
    expect(print()).not.toContain('canary');
  });

  it('is had by asking for it', () => {
    expect(secret.reveal()).toBe('canary-7f3a');
  });
});

describe('the id of an authorization session', () => {
  const PREFIX = 'urn:ietf:params:oauth:request_uri:';

  test.each([
    `${PREFIX}a`,
    `${PREFIX}AZaz09-._~`,
    `${PREFIX}${'a'.repeat(1024 - PREFIX.length)}`,
    `${PREFIX}..`,
  ])('is accepted and keyed by its hash: %s', (id) => {
    expect(parseAuthorizationSession(id)).toEqual({ id, key: digest(id) });
  });

  test.each([
    '',
    PREFIX,
    `${PREFIX}${'a'.repeat(1025 - PREFIX.length)}`,
    `${PREFIX}a b`,
    `${PREFIX}a\n`,
    `\n${PREFIX}a`,
    `${PREFIX}a/../b`,
    `${PREFIX}a%20`,
    `${PREFIX}a:b`,
    `${PREFIX}é`,
    `${PREFIX}a\0`,
    `${PREFIX.toUpperCase()}a`,
    ` ${PREFIX}a`,
    `x${PREFIX}a`,
    'https://bedrock-agentcore.example/identities',
    '<script>alert(1)</script>',
  ])('is refused: %j', (id) => {
    expect(parseAuthorizationSession(id)).toBeUndefined();
  });
});
