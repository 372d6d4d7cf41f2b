import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './run.mjs';

/** The default of the Dockerfile's NODE_IMAGE: nothing of the product knows that this one is a stand-in. */
const NODE_IMAGE = 'docker.io/library/node:24-bookworm-slim';

/** The programs that the Dockerfile calls, and some that lend their owner's rights, as every Debian image has. */
const PACKAGES = [
  'base-files',
  'bash',
  'coreutils',
  'dash',
  'findutils',
  'libc-bin',
  'libstdc++6',
  'login',
  'mount',
  'passwd',
];

const NPM = 'usr/local/lib/node_modules/npm';
const CACHE = '/media';

/**
 * Makes an image like the official one where none can be pulled: Debian unpacked, Node 24 from npm's registry, and
 * this machine's npm. How this machine reaches the registry, with a private CA perhaps, goes into npm's own folder
 * there, which the Dockerfile removes from the product's image; no npm credentials are read.
 *
 * @returns a volume that lets the build use this machine's npm cache, and write to none of it
 */
export async function importNodeImage({ folder, command, signal }) {
  const root = join(folder, 'node-image');
  await unpackDebian(root, signal);
  for (const made of ['etc', 'usr/local/bin']) mkdirSync(join(root, made), { recursive: true });
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n',
  );
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnode:x:1000:\n');
  if (!existsSync(join(root, 'usr/bin/sh'))) symlinkSync('dash', join(root, 'usr/bin/sh'));

  const packed = ['pack', '--silent', '--pack-destination', folder, `node-linux-${process.arch}@24`];
  await run('npm', packed, { signal });
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  const unpack = ['-xzf', join(folder, tarball), '-C', join(root, 'usr/local'), '--strip-components=1'];
  await run('tar', [...unpack, 'package/bin/node'], { signal });

  const npm = join(root, NPM);
  cpSync(await npmFolder(signal), npm, { recursive: true, dereference: true });
  symlinkSync(`../lib/node_modules/npm/bin/npm-cli.js`, join(root, 'usr/local/bin/npm'));
  const lines = [`registry=${await npmSetting('registry', signal)}`, `cache=${CACHE}`, 'prefer-offline=true'];
  const authority = await npmSetting('cafile', signal);
  if (authority !== 'null') {
    cpSync(authority, join(npm, 'ca.crt'), { dereference: true });
    lines.push(`cafile=/${NPM}/ca.crt`);
  }
  writeFileSync(join(npm, 'npmrc'), lines.map((line) => `${line}\n`).join(''));

  const archive = join(folder, 'node-image.tar');
  await run('tar', ['-cf', archive, '-C', root, '.'], { signal });
  await command(['import', '--change', 'CMD ["node"]', archive, NODE_IMAGE]);
  return `${await npmSetting('cache', signal)}:${CACHE}:O`;
}

/** Unpacked only, not configured: a third of the time, and all that the build asks of it. */
async function unpackDebian(root, signal) {
  const sources = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'].find(existsSync);
  const args = [
    '--variant=extract',
    `--include=${PACKAGES.join(',')}`,
    '--mode=root',
    '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
    '--format=directory',
    'bookworm',
    root,
    ...(sources === undefined ? [] : [sources]),
  ];
  await run('mmdebstrap', args, { signal, seconds: 300 });
}

async function npmFolder(signal) {
  const { stdout } = await run('npm', ['root', '--global'], { signal });
  const folder = join(stdout.trim(), 'npm');
  return existsSync(folder) ? folder : dirname(dirname(process.env['npm_execpath'] ?? ''));
}

async function npmSetting(name, signal) {
  return (await run('npm', ['config', 'get', name], { signal })).stdout.trim();
}
