import { readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importNodeImage } from './node-image.mjs';
import { isInstalled, run } from './run.mjs';

/** Podman's own format has no health check; its layers would stay behind as images without a name. */
export const PODMAN_BUILD_FLAGS = ['--format=docker', '--layers=false'];
/** Docker's `--read-only` leaves no place to write to, but Podman's would. */
export const PODMAN_RUN_FLAGS = ['--read-only-tmpfs=false'];

/** Debian packages by the command that each brings. */
const NEEDED = { podman: 'podman', runc: 'runc', mmdebstrap: 'mmdebstrap' };

/**
 * For a machine without engine, image registry and systemd: Podman with runc, everything of it in `folder`, and a stand-in for the Node image.
 *
 * @returns {Promise<import('./engine.mjs').Engine>}
 */
export async function openOwnPodman({ folder, signal, print }) {
  if (process.getuid?.() !== 0) {
    throw new Error(
      'Docker does not answer: start it, name an engine in CONTAINER_ENGINE, or run this as root',
    );
  }
  await installMissing({ signal, print });
  const env = writeSettings(folder);
  const command = (args, options) => run('podman', args, { env, cwd: folder, signal, ...options });
  const close = async () => {
    for (const point of mountPointsBelow(folder)) await run('umount', [point]);
    removeEmptyCgroups();
  };
  try {
    print('making a stand-in for the Node image of Debian’s and npm’s packages');
    const cache = await importNodeImage({ folder, command, signal });
    return {
      name: 'podman in a temporary folder',
      buildFlags: [...PODMAN_BUILD_FLAGS, '--pull=never', '--network=host', `--volume=${cache}`],
      runFlags: PODMAN_RUN_FLAGS,
      command,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function installMissing({ signal, print }) {
  const missing = [];
  for (const [command, name] of Object.entries(NEEDED)) {
    if (!(await isInstalled(command))) missing.push(name);
  }
  if (missing.length === 0) return;
  print(`installing ${missing.join(', ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env, signal });
  const install = ['install', '-qq', '-y', '--no-install-recommends', ...missing];
  await run('apt-get', install, { env, signal, seconds: 300 });
}

/** @returns the environment that makes Podman read them, and only them */
function writeSettings(folder) {
  const storage = join(folder, 'storage.conf');
  writeFileSync(
    storage,
    `[storage]\ndriver = "overlay"\nrunroot = "${folder}/run"\ngraphroot = "${folder}/storage"\n`,
  );
  const containers = join(folder, 'containers.conf');
  // crun and systemd's cgroups need a systemd that runs. A container cannot be given more than the machine's own
  // limits, which may be lower than Podman's defaults.
  writeFileSync(
    containers,
    `[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
tmp_dir = "${folder}/tmp"
`,
  );
  return {
    CONTAINERS_STORAGE_CONF: storage,
    CONTAINERS_CONF: containers,
    BUILDAH_ISOLATION: 'chroot',
    TMPDIR: folder,
  };
}

/** Deepest first. */
function mountPointsBelow(folder) {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${folder}/`))
    .toReversed();
}

/** Podman leaves two folders in each hierarchy. One that is still in use cannot be removed, and stays. */
function removeEmptyCgroups() {
  const root = '/sys/fs/cgroup';
  for (const hierarchy of ['.', ...readdirSync(root)]) {
    for (const group of ['libpod_parent/conmon', 'libpod_parent']) {
      try {
        rmdirSync(join(root, hierarchy, group));
      } catch {
        // Not there, or not ours alone.
      }
    }
  }
}
