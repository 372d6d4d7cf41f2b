import { readFileSync } from 'node:fs';
import { parse, type ScalarTag, type CollectionTag } from 'yaml';

/** A resource of a template, with its properties as {@link readTemplate} leaves them. */
export interface Resource {
  readonly Type: string;
  readonly DependsOn?: string | readonly string[];
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

/** The short forms of CloudFormation's functions that our templates use; any other is an error of parsing. */
const FUNCTIONS: readonly (ScalarTag | CollectionTag)[] = [
  { tag: '!Ref', resolve: (text: string) => ({ Ref: text }) },
  { tag: '!GetAtt', resolve: (text: string) => ({ 'Fn::GetAtt': text.split('.') }) },
  { tag: '!Sub', resolve: (text: string) => ({ 'Fn::Sub': text }) },
];

export function readDeployFile(name: string): string {
  return readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');
}

export function readTemplate(name: string): Template {
  return parse(readDeployFile(name), {
    customTags: [...FUNCTIONS],
    logLevel: 'error',
    strict: true,
  }) as Template;
}

/** Names that a value of a template refers to: of parameters, resources and CloudFormation's own. */
export function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'Ref') return [String(inner)];
    if (key === 'Fn::GetAtt') return [String((inner as readonly string[])[0])];
    if (key === 'Fn::Sub')
      return [...String(inner).matchAll(/\$\{([^}]+)\}/g)].map(([, name = '']) => nameOf(name));
    return referencesIn(inner);
  });
}

/** A part of a template as CloudFormation would fill it in, with these values for names and attributes. */
export function fillIn(value: unknown, values: Readonly<Record<string, string>>): unknown {
  const valueOf = (name: string) => {
    const found = values[name];
    if (found === undefined) throw new Error(`no value for ${name}`);
    return found;
  };
  const fill = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return part.map(fill);
    const entries = Object.entries(part);
    const [key = '', inner] = entries[0] ?? [];
    if (key === 'Ref') return valueOf(String(inner));
    if (key === 'Fn::GetAtt') return valueOf((inner as readonly string[]).join('.'));
    if (key === 'Fn::Sub') {
      return String(inner).replaceAll(/\$\{([^}]+)\}/g, (_whole, name: string) => valueOf(name));
    }
    return Object.fromEntries(entries.map(([name, child]) => [name, fill(child)]));
  };
  return fill(value);
}

function nameOf(reference: string): string {
  return reference.split('.')[0] ?? '';
}
