/** A stream of numbers from 0 to 1 that one seed always gives again (mulberry32), and choices made with it. */
export function createRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    of: (list) => list[Math.floor(next() * list.length)],
    /** Another stream, for one of several that run at once. */
    fork: () => createRandom(Math.floor(next() * 2 ** 32)),
  };
}
