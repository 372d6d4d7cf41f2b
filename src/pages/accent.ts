/** What the accent is read on, and what is read on it: the cards of the light and of the dark pages. */
const LIGHT_CARD = '#ffffff';
const DARK_CARD = '#171b21';
/** WCAG 2.2 success criterion 1.4.3. */
const MIN_CONTRAST = 4.5;

/** The operator's accent as a style sheet, darkened and lightened as far as people need to read it. */
export function accentStyle(accent: string): string {
  const light = readableOn(LIGHT_CARD, accent, '#000000');
  const dark = readableOn(DARK_CARD, accent, '#ffffff');
  return `:root{--brand:${light}}@media (prefers-color-scheme:dark){:root{--brand:${dark}}}\n`;
}

/** The colour itself, or the nearest one on the way to `towards` that has enough contrast with `card`. */
function readableOn(card: string, colour: string, towards: string): string {
  for (let share = 0; share < 1; share += 0.02) {
    const mixed = mix(colour, towards, share);
    if (contrast(mixed, card) >= MIN_CONTRAST) return mixed;
  }
  return towards;
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((value) => {
    const part = value / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function mix(from: string, to: string, share: number): string {
  const ends = channels(to);
  const mixed = channels(from).map((value, index) =>
    Math.round(value + ((ends[index] ?? 0) - value) * share),
  );
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

function channels(colour: string): readonly number[] {
  return [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
}
