import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/env/config.ts';
import type { LoadedConfig } from '../../src/env/config.ts';
import { renderReport } from '../../src/env/report.ts';
import { SETTING_KEYS, SETTINGS } from '../../src/env/settings.ts';
import { fileReader, loadValid, MINIMAL_ENV, PLAIN_MACHINE } from './environment.ts';

// No word, host or number that a message contains by itself.
const CANARY = 'kZ7wQ2vX9rTf4LbN8mYc3HsD6gJpUe1A';

const NAMES = [...SETTING_KEYS.flatMap((key) => SETTINGS[key].names), 'AWS_ENDPOINT_URL'];

/** Everything that a careless line of code could print of a loaded configuration. */
function everythingPrintable(loaded: LoadedConfig): string {
  const values: readonly unknown[] =
    loaded.kind === 'valid' ? [loaded, loaded.config, loaded.config.sessionSecrets] : [loaded];
  return [
    loaded.kind === 'valid' ? renderReport(loaded) : loaded.problems.join('\n'),
    ...values.flatMap((value) => [
      String(value),
      JSON.stringify(value),
      inspect(value, { depth: null, showHidden: true }),
      inspect(value, { depth: null, showHidden: true, customInspect: false }),
    ]),
  ].join('\n');
}

describe('a secret', () => {
  it('is in nothing that can be printed of a valid configuration [SB-16]', () => {
    const loaded = loadValid({ SESSION_SECRET: `${CANARY},second-${CANARY}` });
    expect(loaded.config.sessionSecrets[0].reveal()).toBe(CANARY);
    expect(everythingPrintable(loaded)).not.toContain(CANARY);
  });

  it('is in nothing that can be printed of a valid store URL [SB-16]', () => {
    const loaded = loadValid({ STORE_URL: `rediss://user-${CANARY}:${CANARY}@cache.example.com:6380/1` });
    expect(loaded.config.storeUrl.kind === 'redis' && loaded.config.storeUrl.password?.reveal()).toBe(CANARY);
    expect(everythingPrintable(loaded)).not.toContain(CANARY);
  });

  it.each(NAMES.flatMap((name) => [name, `${name}_FILE`]))(
    'is in no problem line when it stands in %s by mistake [SB-16]',
    (name) => {
      // Every value here is wrong for every variable, so each refusal is seen.
      for (const text of [
        `${CANARY} !,${CANARY}`,
        `https://user:${CANARY}@x.example.com/?${CANARY}#${CANARY}`,
        `redis://:${CANARY}@x`,
        `${CANARY}\n${CANARY}`,
        `\u0000${CANARY}`,
      ]) {
        const loaded = loadConfig({ AWS_REGION: '-', [name]: text }, fileReader({}), PLAIN_MACHINE);
        expect(loaded.kind).toBe('invalid');
        expect(everythingPrintable(loaded)).not.toContain(CANARY);
      }
    },
  );
});

describe('any environment', () => {
  const part = fc.oneof(
    fc.constantFrom(
      CANARY,
      ',',
      ' ',
      'https://',
      'http://',
      '@',
      ':',
      '/',
      '?',
      '#',
      '[',
      ']',
      '%',
      '\n',
      '\u0000',
      '0',
      'x',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom(
      ...Object.values(MINIMAL_ENV),
      'localhost',
      '/.well-known/openid-configuration',
      'true',
      'null',
    ),
  );
  const text = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
  const name = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...NAMES.flatMap((one) => [one, `${one}_FILE`])) },
    { weight: 1, arbitrary: fc.string() },
  );

  it('gives a configuration or one-line problems, never an exception', () => {
    fc.assert(
      fc.property(fc.dictionary(name, text), fc.boolean(), text, (changes, minimal, fileText) => {
        const env = minimal ? { ...MINIMAL_ENV, ...changes } : changes;
        const loaded = loadConfig(env, () => fileText, PLAIN_MACHINE);
        if (loaded.kind === 'valid') {
          expect(renderReport(loaded)).toContain('SESSION_SECRET');
          return;
        }
        expect(loaded.problems.length).toBeGreaterThan(0);
        for (const problem of loaded.problems) expect(problem).toMatch(/^[A-Z_]+: [\x20-\x7e]+$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('never leaks what stands in a secret variable or its file [SB-16]', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          name,
          text.map((value) => value.replaceAll(CANARY, '')),
        ),
        text.map((value) => `${value}${CANARY}`),
        fc.constantFrom('SESSION_SECRET', 'SESSION_SECRET_FILE', 'LOGIN_CLIENT_SECRET'),
        fc.boolean(),
        (changes, secret, variable, minimal) => {
          const env = {
            ...(minimal ? MINIMAL_ENV : {}),
            ...changes,
            [variable]: variable.endsWith('_FILE') ? '/secret' : secret,
            ...(variable === 'SESSION_SECRET_FILE' ? { SESSION_SECRET: '' } : {}),
          };
          const loaded = loadConfig(env, (path) => (path === '/secret' ? secret : ''), PLAIN_MACHINE);
          expect(everythingPrintable(loaded)).not.toContain(CANARY);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
