import { readFileSync } from 'node:fs';

/** A production container as the docs tell to run it, with nothing to write to. */
export const LOCKED = ['--network=host', '--read-only', '--cap-drop=all', '--security-opt=no-new-privileges'];

/**
 * @typedef {object} Check
 * @property {string} title
 * @property {() => Promise<string | void>} run Throws what is wrong; may give a figure to show.
 */

/**
 * What the image is and holds.
 *
 * @returns {readonly Check[]}
 */
export function imageChecks({ engine, image, version }) {
  const inside = (...args) => engine.command(['run', '--rm', ...LOCKED, ...engine.runFlags, ...args]);
  let listed;
  const files = () => (listed ??= listFiles(inside, image));

  return [
    {
      title: 'names its version and a numeric user that is not root',
      async run() {
        const { Config: config } = await inspectImage(engine, image);
        expect(/^[1-9][0-9]*:[1-9][0-9]*$/.test(config.User), `the user is ${JSON.stringify(config.User)}`);
        const label = config.Labels?.['org.opencontainers.image.version'];
        expect(label === version, `the version label is ${JSON.stringify(label)}`);
        const said = (await inside(image, '--version')).stdout.trim();
        expect(said === version, `--version says ${JSON.stringify(said)}`);
      },
    },
    {
      title: 'holds no stand-in, no demo, no tests, no sources, no source maps',
      async run() {
        const unwanted =
          /^\/app\/(?:dist\/(?:emulator|demo)|src|scripts|test|Dockerfile)(?:\/|$)|^\/app\/.*(?:\/(?:tests?|__tests__)(?:\/|$)|\.map$|\.ts$)/;
        expectNone((await files()).filter(({ path }) => unwanted.test(path)));
        expect(
          (await files()).some(({ path }) => path === '/app/dist/cli.js'),
          'there is no /app/dist/cli.js',
        );
      },
    },
    {
      title: 'holds the production packages of the lockfile, and no other',
      async run() {
        const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
        const allowed = Object.keys(packages).filter((name) => packages[name].dev !== true);
        const packageFolder = /^\/app\/((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/@.][^/]*)$/;
        const found = (await files()).flatMap(({ path }) => packageFolder.exec(path)?.[1] ?? []);
        expectNone(found.filter((name) => !allowed.includes(name)).map((path) => ({ path })));
        return `${found.length} packages`;
      },
    },
    {
      title: 'holds no package manager, and nothing of the machine that built it',
      async run() {
        const unwanted =
          /\/(?:npm|npx|yarn|yarnpkg|pnpm|corepack)$|\/\.?npmrc$|\/\.npm$|^\/(?:build|media\/.+)$/;
        expectNone((await files()).filter(({ path }) => unwanted.test(path)));
      },
    },
    {
      title:
        'holds no program that lends its owner’s rights, and nothing of the app that its user may change',
      async run() {
        const isRisky = ({ path, mode, uid, isFile }) =>
          (isFile && (mode & 0o6000) !== 0) ||
          (/^\/app(?:\/|$)/.test(path) && (uid !== 0 || (mode & 0o022) !== 0));
        expectNone((await files()).filter(isRisky));
      },
    },
    {
      title: 'reads what V8 made of its code, and writes nothing of it',
      async run() {
        const flags = [
          'run',
          '--rm',
          '--read-only',
          '--env=NODE_DEBUG_NATIVE=COMPILE_CACHE',
          '--entrypoint=node',
        ];
        const { stdout, stderr } = await engine.command([...flags, image, '/app/dist/cli.js', '--version']);
        const said = `${stdout}\n${stderr}`;
        expect(/cli\.js.*was accepted/.test(said), `the cache was not read: ${said.slice(0, 300)}`);
      },
    },
    {
      title: 'is a few hundred megabytes at most',
      async run() {
        const { Size: bytes } = await inspectImage(engine, image);
        const app = (await files()).filter(({ path }) => path.startsWith('/app/'));
        const appBytes = app.reduce((sum, { size }) => sum + size, 0);
        expect(bytes < 400e6, `the image has ${megabytes(bytes)}`);
        return `${megabytes(bytes)}, of which the app ${megabytes(appBytes)}`;
      },
    },
  ];
}

export function expect(holds, complaint) {
  if (!holds) throw new Error(complaint);
}

function expectNone(files) {
  const some = files.slice(0, 5).map(({ path }) => path);
  expect(files.length === 0, `${files.length} of them: ${some.join(', ')}`);
}

async function inspectImage(engine, image) {
  const [inspected] = JSON.parse((await engine.command(['image', 'inspect', image])).stdout);
  return inspected;
}

/** Everything in the image but what the kernel shows there, read by its root. */
async function listFiles(inside, image) {
  const walk = `
    const { lstatSync, readdirSync } = require('node:fs');
    const found = [];
    const walk = (folder) => {
      for (const name of readdirSync(folder || '/')) {
        const path = folder + '/' + name;
        if (['/proc', '/sys', '/dev'].includes(path)) continue;
        const stat = lstatSync(path);
        const isFolder = stat.isDirectory();
        found.push({ path, mode: stat.mode, uid: stat.uid, size: isFolder ? 0 : stat.size, isFile: stat.isFile() });
        // Without capabilities even root cannot read another's folder.
        try { if (isFolder) walk(path); } catch (error) { if (error.code !== 'EACCES') throw error; }
      }
    };
    walk('');
    process.stdout.write(JSON.stringify(found));`;
  return JSON.parse((await inside('--user=0:0', '--entrypoint=node', image, '-e', walk)).stdout);
}

function megabytes(bytes) {
  return `${Math.round(bytes / 1e6)} MB`;
}
