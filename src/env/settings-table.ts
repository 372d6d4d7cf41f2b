import { SETTINGS } from './settings.ts';
import type { Setting } from './settings.ts';

const START = '<!-- settings:start -->';
const END = '<!-- settings:end -->';

/** The README with its block of settings generated anew. Throws where the markers are missing. */
export function replaceSettingsTable(readme: string): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start === -1 || end < start) throw new Error(`README has no block ${START} … ${END}`);
  return `${readme.slice(0, start + START.length)}\n\n${renderSettingsTable()}\n\n${readme.slice(end)}`;
}

/** The settings as a Markdown table, padded as Prettier pads it. */
export function renderSettingsTable(): string {
  const settings: readonly Setting<unknown>[] = Object.values(SETTINGS);
  const rows = [
    ['variable', 'meaning', 'default'],
    ...settings.map((setting) => [
      setting.names.map((name) => `\`${name}\``).join(' / '),
      setting.meaning,
      defaultText(setting),
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const [head, ...body] = rows.map((row) =>
    line(row.map((cell, column) => cell.padEnd(widths[column] ?? 0))),
  );
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function defaultText({ whenUnset }: Setting<unknown>): string {
  if (whenUnset.kind !== 'default') return whenUnset.text;
  const values = [whenUnset.value].flat();
  return values.length === 0 ? 'none' : values.map((value) => `\`${String(value)}\``).join(' ');
}
