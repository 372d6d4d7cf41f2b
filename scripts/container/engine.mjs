import { openOwnPodman, PODMAN_BUILD_FLAGS, PODMAN_RUN_FLAGS } from './own-podman.mjs';
import { run } from './run.mjs';

/**
 * What builds and runs containers.
 *
 * @typedef {object} Engine
 * @property {string} name
 * @property {readonly string[]} buildFlags
 * @property {readonly string[]} runFlags
 * @property {(args: readonly string[], options?: import('./run.mjs').RunOptions) =>
 *   Promise<import('./run.mjs').Ended>} command
 * @property {() => Promise<void>} close Removes what the engine itself needed.
 */

/**
 * The engine that `CONTAINER_ENGINE` names, else Docker where it answers, else a Podman of our own. Whatever it
 * makes beside images lies in `folder`: Podman's monitor leaves a file where it stood when memory ran out.
 *
 * @param {{ folder: string, signal: AbortSignal, print: (text: string) => void }} options
 * @returns {Promise<Engine>}
 */
export async function openEngine({ folder, signal, print }) {
  const wanted = process.env['CONTAINER_ENGINE'] ?? '';
  if (wanted !== '') return installedEngine(wanted, { folder, signal });
  const docker = await run('docker', ['info'], { mayFail: true, signal }).catch(() => undefined);
  return docker?.code === 0
    ? installedEngine('docker', { folder, signal })
    : openOwnPodman({ folder, signal, print });
}

/** It pulls the Node image by itself, and is left as it was found but for that. */
function installedEngine(name, { folder, signal }) {
  return {
    name,
    buildFlags: name === 'podman' ? PODMAN_BUILD_FLAGS : [],
    runFlags: name === 'podman' ? PODMAN_RUN_FLAGS : [],
    command: (args, options) => run(name, args, { cwd: folder, signal, ...options }),
    close: async () => {},
  };
}
