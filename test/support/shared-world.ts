import { beforeAll } from 'vitest';
import { startWorld, type World, type WorldOptions } from './world.ts';

/** One world for every test of a file whose tests move no clock and each bring users of their own. */
export function shareWorld(options: WorldOptions = {}): () => World {
  let shared: World | undefined;
  beforeAll(async () => {
    let end = async () => {};
    shared = await startWorld(options, (close) => (end = close));
    return () => end();
  });
  return () => {
    if (shared === undefined) throw new Error('the world is there while tests run');
    return shared;
  };
}
