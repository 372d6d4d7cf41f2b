import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderSettingsTable, replaceSettingsTable } from '../../src/env/settings-table.ts';

describe('the table of settings in the README', () => {
  it('equals the settings that are loaded (node scripts/settings-table.mjs after a build writes it)', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(renderSettingsTable());
    expect(replaceSettingsTable(readme)).toBe(readme);
  });

  it('is written between its markers and touches nothing else', () => {
    const written = replaceSettingsTable('# T\n<!-- settings:start -->old<!-- settings:end -->\nrest');
    expect(written).toBe(
      `# T\n<!-- settings:start -->\n\n${renderSettingsTable()}\n\n<!-- settings:end -->\nrest`,
    );
  });

  it.each(['', '<!-- settings:start -->', '<!-- settings:end --> <!-- settings:start -->'])(
    'is not written where the markers are missing or turned round: %j',
    (readme) => {
      expect(() => replaceSettingsTable(readme)).toThrow('README has no block');
    },
  );
});
