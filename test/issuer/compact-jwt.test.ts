import { expect, test } from 'vitest';
import { parseCompactJwt } from '../../src/issuer/compact-jwt.ts';

const part = (text: string) => Buffer.from(text).toString('base64url');
const HEADER = part('{"alg":"RS256","kid":"k"}');

const said = (text: string) => {
  const parsed = parseCompactJwt(text);
  return parsed.kind === 'refused' ? parsed.reason : parsed.kind;
};

test('64 KiB are read, and not a character more [SB-21]', () => {
  const ofLength = (length: number) => `${HEADER}.e30.`.padEnd(length, 'A');
  expect(said(ofLength(64 * 1024))).toBe('parsed');
  expect(said(ofLength(64 * 1024 + 1))).toBe('too_long');
});

test.each(['[]', 'null', '"RS256"', 'RS256', ''])(
  'a header or claims that are no object make it malformed: %j [SB-10]',
  (text) => {
    expect(said(`${part(text)}.e30.AAAA`)).toBe('malformed');
    expect(said(`${HEADER}.${part(text)}.AAAA`)).toBe('malformed');
    expect(said(`${HEADER}.e30.AAAA`)).toBe('parsed');
  },
);
