import { SETTINGS } from './settings.ts';
import { isSet, type Surroundings } from './variables.ts';

/** Shorter names are near to many that are somebody else's. */
const SHORTEST_NAME = 8;
/** Two letters that changed places are two edits. */
const MOST_EDITS = 2;

/** Where thousands are set (Kubernetes names all Services of a namespace) looking through them would delay the start. */
const MOST_VARIABLES = 500;

const NAMES: readonly string[] = Object.values(SETTINGS)
  .flatMap(({ names }) => names)
  .flatMap((name) => [name, `${name}_FILE`]);

/** Variables that set nothing and are nearly the name of a setting: with `REQUIRE_PINS=true` no pin is required (SB-28). */
export function misspeltSettings(env: Surroundings['env']): readonly string[] {
  const names = Object.keys(env);
  if (names.length > MOST_VARIABLES) return [];
  return names.flatMap((name) => {
    if (NAMES.includes(name) || !isSet(name, env) || !/^\w+$/.test(name)) return [];
    const meant = NAMES.find((known) => isNearly(name.toUpperCase(), known));
    return meant === undefined
      ? []
      : [`${name}: sets nothing; if it is meant for this service, write ${meant}`];
  });
}

function isNearly(name: string, known: string): boolean {
  // Counting takes its time, and the first letter is seldom the wrong one.
  if (known.length < SHORTEST_NAME || name[0] !== known[0]) return false;
  return Math.abs(name.length - known.length) <= MOST_EDITS && countEdits(name, known) <= MOST_EDITS;
}

/** Letters to insert, to remove or to replace (the Levenshtein distance); Infinity where they are too many. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [rowIndex, letter] of from.split('').entries()) {
    const next = [rowIndex + 1];
    for (const [index, other] of to.split('').entries()) {
      const [removed = 0, inserted = 0, kept = 0] = [row[index + 1], next[index], row[index]];
      next.push(Math.min(removed + 1, inserted + 1, kept + (letter === other ? 0 : 1)));
    }
    // No row after it has less.
    if (Math.min(...next) > MOST_EDITS) return Infinity;
    row = next;
  }
  return row[to.length] ?? 0;
}
