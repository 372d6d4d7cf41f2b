import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/env/config.ts';
import {
  configOf,
  loadValid,
  MINIMAL_ENV,
  OTHER_STRONG_SECRET,
  PLAIN_MACHINE,
  problemsOf,
  STRONG_SECRET,
} from './environment.ts';

const FROM_FILE = { SESSION_SECRET: undefined, SESSION_SECRET_FILE: '/run/secrets/session' } as const;

function revealed(text: string): readonly string[] {
  return configOf(FROM_FILE, { '/run/secrets/session': text }).sessionSecrets.map((secret) =>
    secret.reveal(),
  );
}

describe('NAME_FILE', () => {
  it.each(['', '\n', '\r\n'])(
    'reads a secret from a mounted file and drops one final line break: %j',
    (end) => {
      expect(revealed(`${STRONG_SECRET}${end}`)).toEqual([STRONG_SECRET]);
    },
  );

  it('drops only one line break, and only the final one', () => {
    expect(problemsOf({ LOG_LEVEL_FILE: '/l' }, { '/l': 'info\n\n' })).toHaveLength(1);
    expect(problemsOf({ LOG_LEVEL_FILE: '/l' }, { '/l': '\ninfo' })).toHaveLength(1);
    expect(problemsOf({ LOG_LEVEL_FILE: '/l' }, { '/l': 'info\n' })).toEqual([]);
  });

  it('reads a list of secrets', () => {
    expect(revealed(`${STRONG_SECRET},${OTHER_STRONG_SECRET}\n`)).toEqual([
      STRONG_SECRET,
      OTHER_STRONG_SECRET,
    ]);
  });

  it('works for every setting, the region included', () => {
    const config = configOf(
      { AWS_REGION: undefined, AWS_REGION_FILE: '/region' },
      { '/region': 'us-east-1\n' },
    );
    expect(config.region).toBe('us-east-1');
  });

  it.each(['SESSION_SECRET', 'AWS_REGION', 'JWT_DISCOVERY_URL'] as const)(
    'is a problem beside NAME, even with the same value: %s',
    (name) => {
      expect(problemsOf({ [`${name}_FILE`]: '/f' }, { '/f': MINIMAL_ENV[name] })).toEqual([
        `${name}: is set beside ${name}_FILE; keep one of them`,
      ]);
    },
  );

  it('is a problem beside NAME for the second variable of a setting too', () => {
    const problems = problemsOf(
      { AWS_DEFAULT_REGION: 'us-east-1', AWS_DEFAULT_REGION_FILE: '/f' },
      { '/f': 'us-east-1' },
    );
    expect(problems).toEqual(['AWS_DEFAULT_REGION: is set beside AWS_DEFAULT_REGION_FILE; keep one of them']);
  });

  it('counts beside an empty NAME, and is unset when empty itself', () => {
    const files = { '/run/secrets/session': STRONG_SECRET };
    expect(loadValid({ ...FROM_FILE, SESSION_SECRET: '' }, files).kind).toBe('valid');
    expect(loadValid({ SESSION_SECRET_FILE: '' }).kind).toBe('valid');
  });

  it('is a problem when the file cannot be read, without path or content [SB-16]', () => {
    expect(problemsOf(FROM_FILE)).toEqual(['SESSION_SECRET_FILE: the file cannot be read (ENOENT)']);
  });

  it.each([
    new Error(STRONG_SECRET),
    Object.assign(new Error('x'), { code: STRONG_SECRET }),
    Object.assign(new Error('x'), { code: 7 }),
    STRONG_SECRET,
    undefined,
  ])('shows nothing of an unusual reading error [SB-16]', (thrown) => {
    const failing = () => {
      throw thrown;
    };
    const loaded = loadConfig({ ...MINIMAL_ENV, ...FROM_FILE }, failing, PLAIN_MACHINE);
    expect(loaded).toEqual({ kind: 'invalid', problems: ['SESSION_SECRET_FILE: the file cannot be read'] });
  });

  it.each(['', '\n'])(
    'is a problem when the file is empty, since unset could lift a restriction: %j [SB-28]',
    (text) => {
      expect(problemsOf({ JWT_ALLOWED_SCOPES_FILE: '/f' }, { '/f': text })).toEqual([
        'JWT_ALLOWED_SCOPES_FILE: the file is empty',
      ]);
    },
  );

  it('reports a bad value in a file under the name of the file variable', () => {
    expect(problemsOf({ PORT_FILE: '/f' }, { '/f': 'x' })).toEqual([
      'PORT_FILE: must be a whole number from 0 to 65535, digits only',
    ]);
  });

  it('reads no file for variables that are not ours', () => {
    const asked: string[] = [];
    const env = {
      ...MINIMAL_ENV,
      OTHER_FILE: '/other',
      AWS_WEB_IDENTITY_TOKEN_FILE: '/token',
      SAGEMAKER_METADATA_FILE: '/metadata',
    };
    const reader = (path: string) => {
      asked.push(path);
      return 'x';
    };
    loadConfig(env, reader, PLAIN_MACHINE);
    expect(asked).toEqual([]);
  });
});
