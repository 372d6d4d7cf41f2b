// npm run --silent sbom: what is shipped, as CycloneDX. npm's own `--omit dev` leaves out what is shipped and also needed by
// a tool, so the whole list is asked for, and the lockfile says what is shipped.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { packages } = JSON.parse(readFileSync(`${root}/package-lock.json`, 'utf8'));
const shipped = new Set(
  Object.entries(packages)
    .filter(([path, { dev, version }]) => path !== '' && !dev && version !== undefined)
    .map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`),
);

const whole = JSON.parse(
  execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  }),
);
const itself = whole.metadata.component['bom-ref'];
const components = whole.components
  .filter(({ name, version }) => shipped.has(`${name}@${version}`))
  .map(({ properties, ...component }) => ({
    ...component,
    properties: properties?.filter(({ name }) => name !== 'cdx:npm:package:development'),
  }));
const refs = new Set(components.map((component) => component['bom-ref']));
const dependencies = whole.dependencies
  .filter(({ ref }) => ref === itself || refs.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }));
const missing = shipped.size - new Set(components.map(({ name, version }) => `${name}@${version}`)).size;
if (missing !== 0) throw new Error(`${missing} packages that are shipped are not in the list`);
process.stdout.write(`${JSON.stringify({ ...whole, components, dependencies }, undefined, 2)}\n`);
