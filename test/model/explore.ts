import { type Ending, play, type Scenario } from './interleavings.ts';

/** Walks every choice of a scenario, depth first, and hands each ending to `check`. A state is gone into once. */
export async function exploreAll(
  scenario: Scenario,
  check: (ending: Ending) => void,
): Promise<{ readonly endings: number; readonly states: number }> {
  const seen = new Set<string>();
  let path: number[] = [];
  let endings = 0;
  for (;;) {
    const widths: number[] = [];
    let depth = 0;
    const ending = await play(scenario, (options, state) => {
      if (depth >= path.length) {
        const key = state();
        // Everything behind a state that was gone into is behind it again.
        if (seen.has(key)) return undefined;
        seen.add(key);
        path.push(0);
      }
      widths[depth] = options.length;
      return path[depth++];
    });
    if (ending !== undefined) {
      endings += 1;
      check(ending);
    }
    path = path.slice(0, depth);
    while (path.length > 0 && (path.at(-1) ?? 0) + 1 >= (widths[path.length - 1] ?? 0)) path.pop();
    const last = path.pop();
    if (last === undefined) return { endings, states: seen.size };
    path.push(last + 1);
  }
}
