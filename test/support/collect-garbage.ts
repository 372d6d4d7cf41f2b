import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects everything that nothing refers to, at once: for tests of what is held on to. */
export const collectGarbage = runInNewContext('gc') as () => void;
