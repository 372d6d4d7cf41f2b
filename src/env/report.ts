import type { LoadedConfig } from './config.ts';

const GAP = '  ';
const HEADINGS = ['setting', 'value', 'from'] as const;

/** The effective settings in columns, a list one value per line, and the warnings below. Plain text. */
export function renderReport(loaded: Extract<LoadedConfig, { readonly kind: 'valid' }>): string {
  const rows = [
    HEADINGS,
    ...loaded.settings.flatMap(({ name, values, source }) =>
      values.map((value, index) =>
        index === 0 ? ([name, value, source] as const) : (['', value, ''] as const),
      ),
    ),
  ];
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  const valueWidth = Math.max(...rows.map(([, value]) => value.length));
  const lines = rows.map(([name, value, source]) =>
    [name.padEnd(nameWidth), value.padEnd(valueWidth), source].join(GAP).trimEnd(),
  );
  const { publicUrlProblem } = loaded.config;
  const warnings = [...(publicUrlProblem === undefined ? [] : [publicUrlProblem]), ...loaded.warnings].map(
    (warning) => `${GAP}${warning}`,
  );
  return [...lines, '', ...(warnings.length > 0 ? ['warnings', ...warnings] : ['no warnings']), ''].join(
    '\n',
  );
}
