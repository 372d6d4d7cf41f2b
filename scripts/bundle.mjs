// Puts the modules of the command into a few files, in place: dist/cli.js and dist/command/. Finding, reading and linking
// some 150 files is a third of a start (docs/performance.md). Packages stay outside, so that whoever installs this one can
// update them; so does the demo, which the image leaves out. The libraries (client, emulator) stay as they are.
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const isOwn = (id) => id.startsWith('.') || id.startsWith(dist);

const bundle = await rolldown({
  input: `${dist}cli.js`,
  platform: 'node',
  external: (id) => !isOwn(id) || /(?:^|\/)demo\/(?:interactive|scripted)\.js$/.test(id),
});
await bundle.write({ dir: dist, entryFileNames: '[name].js', chunkFileNames: 'command/[name].js' });
await bundle.close();
