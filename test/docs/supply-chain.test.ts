import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
  /** Nothing that is shipped needs it. */
  readonly dev?: boolean;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const manifest = JSON.parse(read('package.json')) as Readonly<
  Record<string, Readonly<Record<string, string>>>
>;
const lock = JSON.parse(read('package-lock.json')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');

interface Sbom {
  readonly bomFormat: string;
  readonly components: readonly { readonly name: string; readonly version: string }[];
}

describe('what is shipped', () => {
  it('is listed by the SBOM command, whole, without what only builds or tests [SB-26]', () => {
    const sbom = JSON.parse(run('sbom')) as Sbom;
    expect(sbom.bomFormat).toBe('CycloneDX');
    const listed = new Set(sbom.components.map(({ name, version }) => `${name}@${version}`));
    for (const [name, version] of Object.entries(manifest['dependencies'] ?? {})) {
      expect(listed).toContain(`${name}@${version}`);
    }
    for (const [name, version] of Object.entries(manifest['devDependencies'] ?? {})) {
      const { dev = false } = lock.packages[`node_modules/${name}`] ?? {};
      expect([name, listed.has(`${name}@${version}`)]).toEqual([name, !dev]);
    }
  });

  it('is under licences that ask for no more than their text [SB-26]', () => {
    expect(run('licences')).toMatch(/^MIT \(\d+\)$/m);
  });
});

/** What a script of the package prints; throws where it fails. */
function run(script: string): string {
  return execFileSync('npm', ['run', '--silent', script], { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
}

describe('every dependency', () => {
  it('is one exact version, from the lockfile, by its hash [SB-26]', () => {
    const named = { ...manifest['dependencies'], ...manifest['devDependencies'] };
    for (const [name, version] of Object.entries(named)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
    expect(locked.length).toBeGreaterThan(50);
    expect(locked.filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true)).toEqual([]);
  });

  it('runs no script of a package while it is installed [SB-26]', () => {
    expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
    expect(locked.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  });
});

describe('an install without what only builds or tests', () => {
  it('is whole: the code imports its dependencies and nothing else [SB-26]', () => {
    const files = readdirSync(`${ROOT}/src`, { recursive: true, encoding: 'utf8' });
    const imports = /(?:^(?:import|export) [^;]*?from |import\()'((?:@[^/']+\/)?[^./'][^/']*)/gm;
    const imported = files
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [...read(`src/${name}`).matchAll(imports)].map(([, found = '']) => found))
      .filter((name) => !name.startsWith('node:'));
    expect(new Set(imported).size).toBeGreaterThan(5);
    const shipped = manifest['dependencies'] ?? {};
    expect([...new Set(imported)].filter((name) => !Object.hasOwn(shipped, name))).toEqual([]);
  });
});

describe('the hosted workflow', () => {
  it('runs the actions of others at one commit each, and holds no permission that a job does not name [SB-26]', () => {
    const workflow = read('.github/workflows/ci.yml');
    const uses = [...workflow.matchAll(/uses: (\S+)(.*)$/gm)];
    expect(uses.length).toBeGreaterThan(5);
    for (const [, action, version] of uses) {
      expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      expect(version).toMatch(/^ # v\d+\.\d+\.\d+$/);
    }
    expect(workflow).toMatch(/^permissions: \{\}$/m);
  });
});
