import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A fenced block of the documentation. */
export interface Block {
  readonly file: string;
  readonly language: string;
  readonly text: string;
  /** Where it is, for people and for lists: the file and its first line. */
  readonly place: string;
}

/** Everything that people read to use the service, by path. */
export const PAGES: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'examples/README.md',
  ...readdirSync(`${ROOT}/docs`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path}`)
    .toSorted((one, other) => one.localeCompare(other)),
];

export function readPage(path: string): string {
  return readFileSync(`${ROOT}/${path}`, 'utf8');
}

export const BLOCKS: readonly Block[] = PAGES.flatMap((file) =>
  [...readPage(file).matchAll(/^(?<indent> *)```(?<language>\w*)\n(?<text>.*?)^\k<indent>```$/gms)].map(
    ({ groups }) => {
      const { indent = '', language = '', text = '' } = groups ?? {};
      const lines = text.split('\n').map((line) => line.slice(indent.length));
      return { file, language, text: lines.join('\n'), place: `${file}: ${lines[0]?.trim() ?? ''}` };
    },
  ),
);

export function blocksIn(...languages: readonly string[]): readonly Block[] {
  return BLOCKS.filter(({ language }) => languages.includes(language));
}
