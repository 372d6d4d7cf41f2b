import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';

// Holds deploy/ to AWS's own specification of CloudFormation's resources, and to Kubernetes' own schemas. Both are too
// large to be dependencies for this alone: they come into a temporary folder, by npm.
const PACKAGES = ['@aws-cdk/aws-service-spec@0.1.216', 'kubernetes-models@4.5.1'];

const folder = mkdtempSync(join(tmpdir(), 'deploy-check-'));
const problems = [];
try {
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--silent', '--prefix', folder];
  execFileSync('npm', ['install', ...flags, ...PACKAGES], { stdio: 'inherit' });
  const { resolve } = createRequire(join(folder, 'package.json'));
  const load = (name) => import(pathToFileURL(resolve(name)).href);

  const { loadAwsServiceSpec } = await load('@aws-cdk/aws-service-spec');
  const specification = await loadAwsServiceSpec();
  for (const name of namesIn('deploy', /^ecs-.*\.yaml$/)) checkTemplate(name, specification);
  for (const name of namesIn('deploy/kubernetes', /\.yaml$/)) await checkManifests(name, load);
} finally {
  rmSync(folder, { recursive: true });
}
for (const problem of problems) process.stdout.write(`  ✗ ${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

function namesIn(path, pattern) {
  return readdirSync(path)
    .filter((name) => pattern.test(name))
    .map((name) => `${path}/${name}`);
}

/** Every resource's type, its properties, theirs, and the attributes that are asked for. */
function checkTemplate(name, specification) {
  // What a function gives is known to CloudFormation alone.
  const later = (kind) => ({ tag: `!${kind}`, resolve: (text) => ({ later: kind, text }) });
  const customTags = ['Ref', 'GetAtt', 'Sub'].map(later);
  const { Resources, Outputs } = parse(readFileSync(name, 'utf8'), { customTags });
  const types = new Map();
  for (const [id, { Type, Properties = {} }] of Object.entries(Resources)) {
    const [type] = specification.lookup('resource', 'cloudFormationType', 'equals', Type);
    if (type === undefined) problems.push(`${name}: ${id}: no such type: ${Type}`);
    else checkProperties(`${name}: ${id}`, Properties, type.properties, specification);
    types.set(id, type);
  }
  const text = JSON.stringify([Resources, Outputs]);
  for (const [, id, attribute] of text.matchAll(/"later":"GetAtt","text":"(\w+)\.([^"]+)"/g)) {
    checkAttribute(name, types, id, attribute);
  }
  for (const [, id, attribute] of text.matchAll(/\$\{(\w+)\.([^}]+)\}/g)) {
    checkAttribute(name, types, id, attribute);
  }
  process.stdout.write(`  ${name}: ${types.size} resources\n`);
}

function checkAttribute(name, types, id, attribute) {
  if (!Object.hasOwn(types.get(id)?.attributes ?? {}, attribute)) {
    problems.push(`${name}: ${id} has no attribute ${attribute}`);
  }
}

function checkProperties(where, value, properties, specification) {
  for (const [key, inner] of Object.entries(value)) {
    const property = properties[key];
    if (property === undefined) problems.push(`${where}: no property ${key}`);
    else
      checkValue(`${where}.${key}`, inner, [property.type, ...(property.previousTypes ?? [])], specification);
  }
  for (const [key, { required }] of Object.entries(properties)) {
    if (required && !Object.hasOwn(value, key)) problems.push(`${where}: ${key} is required`);
  }
}

function checkValue(where, value, types, specification) {
  if (typeof value === 'object' && 'later' in value) return;
  const [type] = types;
  switch (type.type) {
    case 'ref': {
      const definition = specification.get('typeDefinition', type.reference.$ref);
      if (typeof value === 'object') checkProperties(where, value, definition.properties, specification);
      else problems.push(`${where}: is a ${definition.name}`);
      return;
    }
    case 'array':
      if (!Array.isArray(value)) problems.push(`${where}: is a list`);
      else
        for (const [index, inner] of value.entries())
          checkValue(`${where}[${index}]`, inner, [type.element], specification);
      return;
    case 'map':
      for (const [key, inner] of Object.entries(value))
        checkValue(`${where}.${key}`, inner, [type.element], specification);
      return;
    case 'string':
    case 'boolean':
      if (typeof value !== type.type) problems.push(`${where}: is a ${type.type}`);
      return;
    case 'integer':
    case 'number':
      if (typeof value !== 'number') problems.push(`${where}: is a number`);
      return;
    default:
    // json, union, tag: anything may stand there.
  }
}

async function checkManifests(name, load) {
  for (const document of parseAllDocuments(readFileSync(name, 'utf8'))) {
    const manifest = document.toJS();
    // Kustomize is a program of its own.
    if (manifest.kind === 'Kustomization') continue;
    const { default: models } = await load(`kubernetes-models/${manifest.apiVersion}/${manifest.kind}`);
    try {
      new models[manifest.kind](manifest).validate();
    } catch (error) {
      problems.push(`${name}: ${error.message}`);
    }
    process.stdout.write(`  ${name}: ${manifest.apiVersion} ${manifest.kind}\n`);
  }
}
