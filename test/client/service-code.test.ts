import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SERVICE_CODES } from '../../src/client/service-code.ts';
import { OUTCOMES } from '../../src/pages/outcomes.ts';

it('knows every code of the contract, and every one that the service has', () => {
  const contract = readFileSync(new URL('../../docs/contract.md', import.meta.url), 'utf8');
  const section = contract.split(/^## /m).find((text) => text.startsWith('6. Outcomes')) ?? '';
  const cells = section
    .split('\n')
    .flatMap((line) => (line.startsWith('| `') ? [line.split('|')[1] ?? ''] : []));
  const codes = cells.flatMap((cell) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code));
  expect(codes.length).toBeGreaterThan(25);
  expect(new Set(SERVICE_CODES)).toEqual(new Set(codes));
  expect(codes).toHaveLength(SERVICE_CODES.length);
  expect(SERVICE_CODES).toEqual(expect.arrayContaining(Object.keys(OUTCOMES)));
});
