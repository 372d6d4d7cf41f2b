import { array, constantFrom, integer, oneof } from 'fast-check';
import type { Arbitrary } from 'fast-check';

/** Text of any code points, halves of surrogate pairs and controls too, with markup more often than by chance. */
export function anyText(maxLength: number): Arbitrary<string> {
  // fast-check's own `unit: 'binary'` takes seconds to set up.
  const codePoint = integer({ min: 0, max: 0x10_ff_ff }).map((code) => String.fromCodePoint(code));
  const latin = integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code));
  const markup = constantFrom('<', '>', '&', '"', "'", '`', '\ud800', '\udfff', '\u202e', '\0', '\r', '\n');
  return array(oneof(codePoint, latin, markup), { maxLength }).map((pieces) => pieces.join(''));
}

/** Text as it may stand in a header or a request target: no control characters, no space. */
export function anyVisibleText(maxLength: number): Arbitrary<string> {
  const visible = oneof(integer({ min: 0x21, max: 0x7e }), integer({ min: 0x80, max: 0xff }));
  return array(visible, { maxLength }).map((codes) => String.fromCharCode(...codes));
}
