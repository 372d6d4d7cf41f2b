import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { Secret } from '../../src/binding/secret.ts';
import { openCustomState, sealCustomState } from '../../src/binding/custom-state.ts';
import { userDigest } from '../../src/binding/user.ts';
import { tokenFingerprint } from '../../src/binding/user-token.ts';
import { parseCallbackQuery } from '../../src/routes/callback-query.ts';
import { loadConfig } from '../../src/env/config.ts';
import { SETTING_KEYS, SETTINGS } from '../../src/env/settings.ts';
import { createRecordSealer } from '../../src/sealing/record-sealer.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { hasContradictingCookies } from '../../src/session/cookie.ts';
import { systemRandomness } from '../../src/system.ts';
import type { Issuer } from '../../src/emulator/issuer.ts';
import { fileReader, MINIMAL_ENV, PLAIN_MACHINE } from '../env/environment.ts';
import { startVerifying } from '../issuer/verifying.ts';
import { property, type Property } from './property.ts';

const SECRET = new Secret('a-test-secret-that-is-long-enough-0123456789');
const URN = 'urn:ietf:params:oauth:request_uri:';

/** Fails with the sentence unless it is true. */
function hold(isTrue: boolean, sentence: string): void {
  if (!isTrue) throw new Error(sentence);
}

/** One way to spoil a text. */
interface Edit {
  readonly kind: 'replace' | 'insert' | 'remove' | 'swap' | 'double' | 'cut';
  readonly at: number;
  readonly text: string;
}

const edits = fc.array(
  fc.record<Edit>({
    kind: fc.constantFrom<Edit['kind']>('replace', 'insert', 'remove', 'swap', 'double', 'cut'),
    at: fc.nat(2_000),
    text: fc.oneof(
      fc.constantFrom('A', '_', '-', '.', '=', '+', '/', '%', '\0', ' ', '"', ';', ',', 'é', 'sb1.'),
      fc.string({ maxLength: 4 }),
    ),
  }),
  { minLength: 1, maxLength: 4 },
);

function spoil(text: string, by: readonly Edit[]): string {
  let spoiled = text;
  for (const { kind, at, text: piece } of by) {
    const index = spoiled.length === 0 ? 0 : at % spoiled.length;
    const [before, after] = [spoiled.slice(0, index), spoiled.slice(index)];
    if (kind === 'replace') spoiled = before + piece + after.slice(1);
    if (kind === 'insert') spoiled = before + piece + after;
    if (kind === 'remove') spoiled = before + after.slice(1);
    if (kind === 'swap') spoiled = after + before;
    if (kind === 'double') spoiled = before + after + after;
    if (kind === 'cut') spoiled = before;
  }
  return spoiled;
}

const callbackQueries = property(
  'a callback query is understood or refused, and nothing is chosen between [SB-02] [SB-17]',
  1,
  fc.array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom(
          'session_id',
          'state',
          'custom_state',
          'customState',
          'error',
          'session_id[]',
          'SESSION_ID',
        ),
        fc.string({ maxLength: 6 }),
      ),
      fc.oneof(
        fc.constantFrom(
          `${URN}a`,
          `${URN}b`,
          URN,
          `${URN}a%00`,
          'access_denied',
          '',
          'sb1.a',
          'sb1.b',
          'app',
        ),
        fc.string({ maxLength: 12 }),
        fc.nat(1_100).map((length) => URN + 'a'.repeat(length)),
      ),
      fc.constantFrom('plain', 'encoded', 'raw'),
    ),
    { maxLength: 6 },
  ),
  (parts) => {
    const encode = (text: string, how: string) =>
      how === 'encoded'
        ? [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
        : how === 'plain'
          ? encodeURIComponent(Buffer.from(text).toString())
          : text;
    const search = `?${parts.map(([name, value, how]) => `${encode(name, how)}=${encode(value, how)}`).join('&')}`;
    const parsed = parseCallbackQuery(new URLSearchParams(search));
    if (parsed.kind === 'refused') {
      hold(!parsed.detail.includes(URN), 'a refusal does not repeat the link');
      return;
    }
    const said = [...new URLSearchParams(search)];
    const of = (name: string) => said.filter(([key]) => key === name).map(([, value]) => value);
    const { authorizationSession, consentError, customState } = parsed.query;
    const ids = of('session_id');
    hold(ids.length <= 1, 'session_id came once at most');
    hold(authorizationSession?.id === ids[0], 'the flow is that of the link');
    hold(
      authorizationSession !== undefined || consentError !== undefined,
      'a link without flow has an error',
    );
    hold(
      authorizationSession === undefined ||
        (/^urn:ietf:params:oauth:request_uri:[a-zA-Z0-9\-._~]+$/.test(authorizationSession.id) &&
          authorizationSession.id.length <= 1024),
      'what goes to AWS is well-formed',
    );
    const states = ['state', 'custom_state', 'customState']
      .flatMap(of)
      .filter((value) => value.startsWith('sb1.'));
    hold(
      new Set(states).size <= 1 && customState === states[0],
      'states of ours do not contradict each other',
    );
  },
);

const cookies = property(
  'a Cookie header that carries our name with two values is seen, however it is written [SB-33]',
  1,
  fc.record({
    values: fc.array(fc.stringMatching(/^[A-Za-z0-9._%-]{0,12}$/), { maxLength: 3 }),
    others: fc.array(fc.string({ maxLength: 12 }), { maxLength: 3 }),
    blank: fc.constantFrom('', ' ', '\t', '  '),
  }),
  ({ values, others, blank }) => {
    const name = '__Host-session-binding';
    const ours = values.map((value) => `${blank}${name}${blank}=${blank}${value}${blank}`);
    const foreign = others.map((text) => text.replaceAll(/[;=\0]/g, '')).map((text) => `${text}x=1`);
    const header = [...foreign.slice(0, 1), ...ours, ...foreign.slice(1)].join(';');
    hold(
      hasContradictingCookies(header, name) === new Set(values).size > 1,
      'two values of ours contradict, one or none does not',
    );
  },
);

const sealer = createSealer([SECRET], 'custom-state', systemRandomness);
const user = { issuer: 'https://issuer.example', subject: 'alice' };
const jwt = new Secret('a.b.c');
const userToken = { user, jwt, fingerprint: tokenFingerprint(jwt), expiresAtMs: 1_900_000_000_000 };

const customStates = property(
  'a custom state that somebody had a hand in does not open, or is as it was [SB-02]',
  1,
  edits,
  (by) => {
    const state = sealCustomState(userToken, sealer);
    const spoiled = spoil(state, by);
    const opened = openCustomState(spoiled, sealer);
    // The prefix is looked at before this function, and no part of the seal.
    const isWhole = spoiled.slice('sb1.'.length) === state.slice('sb1.'.length);
    hold((opened !== undefined) === isWhole, 'only an unchanged state opens');
    hold(opened === undefined || opened.userDigest === userDigest(user), 'it names its user');
  },
);

const recordSealer = createRecordSealer([SECRET], systemRandomness);

const sealedRecords = property(
  'a sealed record opens under its own key as it was written, and nowhere else [SB-14] [SB-15]',
  1,
  fc.record({
    key: fc.string({ maxLength: 20 }),
    otherKey: fc.string({ maxLength: 20 }),
    text: fc.string({ maxLength: 200, unit: 'grapheme' }),
    by: edits,
  }),
  ({ key, otherKey, text, by }) => {
    const sealed = recordSealer.seal(key, text);
    const plain = Buffer.from(text).toString();
    hold(recordSealer.open(key, sealed) === plain, 'it opens');
    hold(
      Buffer.from(key).equals(Buffer.from(otherKey)) || recordSealer.open(otherKey, sealed) === undefined,
      'it was not moved',
    );
    const spoiled = spoil(sealed, by);
    hold(spoiled === sealed || recordSealer.open(key, spoiled) === undefined, 'it was not changed');
    hold(recordSealer.open(key, text) === undefined, 'it was sealed here');
  },
);

const NAMES = SETTING_KEYS.flatMap((key) => SETTINGS[key].names);
const CANARY = 'kZ7wQ2vX9rTf4LbN8mYc3HsD6gJpUe1A';

const configuration = property(
  'a configuration is valid and frozen, or every problem is a line without the value [SB-16] [SB-28]',
  4,
  fc.dictionary(
    fc.constantFrom(...NAMES),
    fc.oneof(
      fc.constantFrom(
        '',
        'true',
        'false',
        '0',
        '9090',
        '-1',
        '65536',
        '1e3',
        ' 80 ',
        'https://a.example',
        'http://a.example',
        'http://localhost:1',
        'https://a.example/x/',
        'https://u:p@a.example',
        'redis://a',
        'rediss://a:1/x',
        'memory:',
        'memory:?replicas=1',
        '10.0.0.0/8',
        '::/0',
        '*',
        'a,b',
        ',',
        'null',
        'token',
        'id',
        'local',
        'container',
      ),
      fc.string({ maxLength: 20, unit: 'binary' }),
      fc.string({ maxLength: 6 }).map((text) => `${text}${CANARY}${text}`),
    ),
    { maxKeys: 6 },
  ),
  (changes) => {
    const env = { ...MINIMAL_ENV, ...changes };
    const loaded = loadConfig(env, fileReader({}), PLAIN_MACHINE);
    if (loaded.kind === 'valid') {
      hold(Object.isFrozen(loaded.config), 'it is frozen');
      hold(
        loaded.config.sessionSecrets.every((secret) => Buffer.byteLength(secret.reveal()) >= 32),
        'secrets are long',
      );
      return;
    }
    hold(loaded.problems.length > 0, 'it says why');
    hold(
      loaded.problems.every((line) => !/[\r\n]/.test(line)),
      'a problem is one line',
    );
    hold(!loaded.problems.join(' ').includes(CANARY), 'no value is printed');
  },
);

/** User tokens that somebody had a hand in, before a real verifier and its issuer's real keys. */
export function userTokens(issuer: Issuer): Property {
  const verifying = startVerifying([issuer.discoveryUrl]);
  let genuine: Promise<string> | undefined;
  return property(
    'a user token that somebody had a hand in is refused, unless it says and is signed the very same [SB-10]',
    4,
    fc.record({
      by: fc.array(edits, { maxLength: 1 }),
      header: fc.option(fc.json({ maxDepth: 1 }), { nil: undefined }),
      claims: fc.option(fc.json({ maxDepth: 1 }), { nil: undefined }),
    }),
    async ({ by, header, claims }) => {
      genuine ??= issuer.accessToken();
      const parts = (await genuine).split('.');
      const encode = (text: string) => Buffer.from(text).toString('base64url');
      const made = [
        header === undefined ? parts[0] : encode(header),
        claims === undefined ? parts[1] : encode(claims),
        parts[2],
      ].join('.');
      const spoiled = by.reduce((text, one) => spoil(text, one), made);
      const verdict = await verifying.verdict(spoiled);
      const bytes = (text: string | undefined) => Buffer.from(text ?? '', 'base64url').toString('hex');
      const now = spoiled.split('.');
      const isTheSame =
        now.length === 3 && now[0] === parts[0] && now[1] === parts[1] && bytes(now[2]) === bytes(parts[2]);
      hold(verdict === 'verified' ? isTheSame : true, `nobody else's text is verified: ${verdict}`);
      hold(!verdict.startsWith('issuer_unavailable'), 'a caller cannot make the issuer look ill');
    },
  );
}

export const INPUTS: readonly Property[] = [
  callbackQueries,
  cookies,
  customStates,
  sealedRecords,
  configuration,
];

/** For a seed that nobody has chosen. */
export function anySeed(): number {
  return randomBytes(4).readInt32LE();
}
