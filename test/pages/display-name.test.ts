import { assert, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayName } from '../../src/pages/display-name.ts';
import { anyText } from '../support/any-text.ts';

describe('a name from a token is shown', () => {
  it.each([
    ['Ada Lovelace', 'Ada Lovelace'],
    ['José Ñandú', 'José Ñandú'],
    ['מיכל', 'מיכל'],
    ['王小明', '王小明'],
    ['👩🏽 Ada', '👩🏽 Ada'],
    ['ada@example.com', 'ada@example.com'],
  ])('as it is: %s', (name, shown) => {
    expect(displayName(name)).toBe(shown);
  });

  it.each([
    ['a right-to-left override', 'admin\u202egpj.exe', 'admingpj.exe'],
    ['bidirectional isolates and marks', '\u2066\u2067\u2068\u2069\u200e\u200f\u061ca', 'a'],
    ['bidirectional embeddings', '\u202aa\u202bb\u202cc\u202dd', 'abcd'],
    ['zero-width characters', 'a\u200bd\u200cm\u200di\ufeffn\u2060', 'admin'],
    ['line breaks', 'Ada\r\nSigned in as root', 'AdaSigned in as root'],
    ['line and paragraph separators', 'a\u2028b\u2029c', 'abc'],
    ['control characters', '\0a\u0007b\u001b[31mc\u007f\u0085', 'ab[31mc'],
    ['soft hyphens and tags', 'a\u00ad\u{e0041}b', 'ab'],
    ['half of a character', 'a\ud800b\udfff', 'ab'],
    ['private characters', 'a\ue000\u{f0000}b', 'ab'],
    ['white space of every kind', ' \u00a0a\u3000\u2003  b\u00a0', 'a b'],
  ])('without %s [SB-17]', (_name, name, shown) => {
    expect(displayName(name)).toBe(shown);
  });

  it('cut to 64 characters, never through one [SB-17]', () => {
    expect(displayName('x'.repeat(64))).toBe('x'.repeat(64));
    expect(displayName('x'.repeat(65))).toBe(`${'x'.repeat(63)}…`);
    expect(displayName('😀'.repeat(65))).toBe(`${'😀'.repeat(63)}…`);
  });

  it('as nothing where nothing of it can be seen', () => {
    expect(displayName(' \u200b\u202e\n ')).toBe('');
  });

  it('on one line of at most 64 characters, whatever it is, and the same if shown again [SB-17]', () => {
    assert(
      property(anyText(100), (name) => {
        const shown = displayName(name);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u);
        expect(Array.from(shown).length).toBeLessThanOrEqual(64);
        expect(displayName(shown)).toBe(shown);
      }),
      { numRuns: 50 },
    );
  });

  it('at once, however long it is [SB-21]', () => {
    const startedMs = performance.now();
    for (const piece of [' ', '\u200b', ' x', '\u00a0\u200b']) displayName(piece.repeat(20_000));
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});
