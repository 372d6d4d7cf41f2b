const MAX_CHARACTERS = 64;

/**
 * A name from a token as pages may show it: without control, format (bidirectional overrides) and unpaired
 * surrogate characters, on one line, cut to a sane length. Show it inside `<bdi>` (SB-17).
 */
export function displayName(name: string): string {
  const plain = name
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, '')
    .replace(/\s+/gu, ' ')
    .trim();
  const characters = Array.from(plain);
  return characters.length <= MAX_CHARACTERS ? plain : `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…`;
}
