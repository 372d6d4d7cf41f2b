import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accentStyle, contrast } from '../../src/pages/accent.ts';

describe("the operator's accent", () => {
  it.each([
    ['#000000', '#ffffff', 21],
    ['#777777', '#ffffff', 4.48],
    ['#767676', '#ffffff', 4.54],
  ])('contrast of %s and %s is that of WCAG: %d', (a, b, ratio) => {
    expect(contrast(a, b)).toBeCloseTo(ratio, 2);
  });

  it('is left alone where people can read it', () => {
    expect(accentStyle('#0055cc')).toContain(':root{--brand:#0055cc}');
  });

  it('is readable on light and on dark cards, whatever it is', () => {
    const colour = fc
      .tuple(fc.nat(255), fc.nat(255), fc.nat(255))
      .map((parts) => `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`);
    fc.assert(
      fc.property(colour, (accent) => {
        const [light = '', dark = ''] = [...accentStyle(accent).matchAll(/#[0-9a-f]{6}/g)].map(
          ([hex]) => hex,
        );
        expect(contrast(light, '#ffffff')).toBeGreaterThanOrEqual(4.5);
        expect(contrast(dark, '#171b21')).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });
});
