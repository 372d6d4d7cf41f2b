import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { userDigest } from '../../src/binding/user.ts';
import type { RecordKind } from '../../src/store/sealed-records.ts';
import type { Store } from '../../src/store/store.ts';
import { aHash, aUser, aUserToken, HOUR } from '../contract/harness.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { openRedisStore, SESSION_SECRET } from './open-redis-store.ts';

const OTHER_SECRET = new Secret('another-session-secret-of-the-test-0123456789');

/** One record of each kind: written, then asked for as its owner does. */
interface Sample {
  readonly kind: RecordKind;
  readonly key: string;
  /** Of a hash. */
  readonly field?: string;
  readonly write: (store: Store) => Promise<unknown>;
  /** True where it is there. */
  readonly isThere: (store: Store) => Promise<boolean>;
}

function samples(): readonly Sample[] {
  const [user, hash, untilMs] = [aUser(), aHash(), Date.now() + HOUR];
  const ofUser = userDigest(user);
  const userToken = aUserToken(user, untilMs);
  const { fingerprint } = userToken;
  const browserSession = {
    user,
    createdAtMs: Date.now(),
    lineage: aHash(),
    tokenExpiresAtMs: untilMs,
    provisional: false,
  };
  const candidate = { user, username: 'A Name', tokenExpiresAtMs: untilMs };
  const pin = {
    authorizationSessionKey: hash,
    user,
    tokenFingerprint: fingerprint,
    tokenExpiresAtMs: untilMs,
    liveUntilMs: untilMs,
  };
  return [
    {
      kind: 'user-token',
      key: `sb:1:user-tokens:${ofUser}`,
      field: fingerprint,
      write: (store) => store.userTokens.write(userToken),
      isThere: async (store) =>
        (await store.userTokens.read(user, fingerprint)) !== undefined ||
        (await store.userTokens.list(user)).length > 0,
    },
    {
      kind: 'pin',
      key: `sb:1:pin:${hash}`,
      write: (store) => store.pins.create(pin),
      isThere: async (store) => (await store.pins.read(hash)) !== undefined,
    },
    {
      kind: 'attempt',
      key: `sb:1:attempt:${hash}:${ofUser}`,
      write: (store) => store.attempts.compareAndSet(hash, user, undefined, { mayHaveBound: true }),
      isThere: async (store) => (await store.attempts.read(hash, user)) !== undefined,
    },
    {
      kind: 'completion',
      key: `sb:1:completion:${hash}`,
      write: (store) => store.completions.record(hash, user),
      isThere: async (store) => (await store.completions.read(hash)) !== undefined,
    },
    {
      kind: 'browser-session',
      key: `sb:1:browser-session:${hash}`,
      write: (store) => store.browserSessions.write(hash, browserSession, untilMs),
      isThere: async (store) => (await store.browserSessions.read(hash)) !== undefined,
    },
    {
      kind: 'browser-session',
      key: `sb:1:browser-sessions:${ofUser}`,
      field: hash,
      write: (store) => store.browserSessions.write(hash, browserSession, untilMs),
      isThere: async (store) => (await store.browserSessions.read(hash)) !== undefined,
    },
    {
      kind: 'sign-in-code',
      key: `sb:1:sign-in-code:${hash}`,
      write: (store) => store.signInCodes.writeCode(hash, candidate, untilMs),
      isThere: async (store) => (await store.signInCodes.readCode(hash)) !== undefined,
    },
    {
      kind: 'sign-in-candidate',
      key: 'sb:1:sign-in-candidates',
      field: ofUser,
      write: (store) => store.signInCodes.writeCandidate(candidate),
      isThere: async (store) => (await store.signInCodes.listCandidates()).length > 0,
    },
  ];
}

const NAMES = samples().map(({ kind, field }) => (field === undefined ? kind : `${kind} in its hash`));

function sampleOf(name: string): Sample {
  const sample = samples()[NAMES.indexOf(name)];
  if (sample === undefined) throw new Error(`no sample of ${name}`);
  return sample;
}

describeWithRedis('a sealed record', () => {
  let server: RedisServer;
  const unreadable: RecordKind[] = [];
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    unreadable.length = 0;
    await server.raw.flushall();
  });

  async function open(...sessionSecrets: readonly [Secret, ...Secret[]]): Promise<Store> {
    const onUnreadable = (kind: RecordKind) => void unreadable.push(kind);
    const store = await openRedisStore({ port: server.port, sessionSecrets, onUnreadable });
    onTestFinished(() => store.close());
    return store;
  }

  async function readRaw({ key, field }: Sample): Promise<string> {
    return (field === undefined ? await server.raw.get(key) : await server.raw.hget(key, field)) ?? '';
  }

  async function writeRaw({ key, field }: Sample, text: string): Promise<void> {
    if (field === undefined) await server.raw.set(key, text, 'PX', HOUR);
    else await server.raw.hset(key, field, text);
  }

  /** A text at the end of which the envelope stands, with something done to the envelope. */
  function inEnvelope(text: string, change: (envelope: string) => string): string {
    const start = text.lastIndexOf(' ') + 1;
    return text.slice(0, start) + change(text.slice(start));
  }

  const CHANGES: readonly (readonly [string, (text: string) => string])[] = [
    ['changed in its key id', (text) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)],
    ['changed in its nonce', (text) => text.slice(0, 10) + (text[10] === 'A' ? 'B' : 'A') + text.slice(11)],
    ['changed in its text', (text) => text.slice(0, 30) + (text[30] === 'A' ? 'B' : 'A') + text.slice(31)],
    ['changed in its tag', (text) => text.slice(0, -8) + (text.at(-8) === 'A' ? 'B' : 'A') + text.slice(-7)],
    ['cut off', (text) => text.slice(0, -4)],
    ['cut down to nothing', () => ''],
    ['cut down to a key id', (text) => text.slice(0, 6)],
    ['followed by more', (text) => `${text}AAAA`],
    ['replaced by a record in clear', () => JSON.stringify([Date.now() + HOUR, { mayHaveBound: false }])],
    ['replaced by bytes', () => '\u0000\u0001\uffff'],
  ];

  it.each(NAMES.flatMap((name) => CHANGES.map(([change]) => [name, change] as const)))(
    'is absent and reported when it was tampered with: a %s, %s [SB-15]',
    async (name, changeName) => {
      const sample = sampleOf(name);
      const store = await open(SESSION_SECRET);
      await sample.write(store);
      expect(await sample.isThere(store)).toBe(true);
      expect(unreadable).toEqual([]);
      const change = CHANGES.find(([one]) => one === changeName)?.[1] ?? String;
      await writeRaw(sample, inEnvelope(await readRaw(sample), change));

      expect(await sample.isThere(store)).toBe(false);
      expect(unreadable.length).toBeGreaterThan(0);
      expect(new Set(unreadable)).toEqual(new Set([sample.kind]));
      await sample.write(store);
      expect(await sample.isThere(store)).toBe(true);
    },
  );

  it.each(NAMES)('is absent and reported under the key of another one: a %s [SB-15]', async (name) => {
    const store = await open(SESSION_SECRET);
    const [one, other] = [sampleOf(name), sampleOf(name)];
    await one.write(store);
    const text = await readRaw(one);
    await other.write(store);
    await writeRaw(other, text);
    if (other.key === one.key) await server.raw.hdel(one.key, one.field ?? '');
    expect(await other.isThere(store)).toBe(false);
    expect(new Set(unreadable)).toEqual(new Set([one.kind]));
  });

  it('does not open as a record of another kind [SB-15]', async () => {
    const store = await open(SESSION_SECRET);
    const texts: string[] = [];
    for (const sample of samples()) {
      await sample.write(store);
      texts.push(inEnvelope(await readRaw(sample), String));
    }
    for (const [index, sample] of samples().entries()) {
      for (const text of texts.filter((_, other) => other !== index)) {
        await server.raw.flushall();
        await sample.write(store);
        const envelope = text.slice(text.lastIndexOf(' ') + 1);
        await writeRaw(
          sample,
          inEnvelope(await readRaw(sample), () => envelope),
        );
        expect(await sample.isThere(store)).toBe(false);
      }
    }
  });

  it.each(NAMES)(
    'stays readable when a secret is put in front, until that one goes: a %s [SB-14]',
    async (name) => {
      const sample = sampleOf(name);
      await sample.write(await open(SESSION_SECRET));
      expect(await sample.isThere(await open(OTHER_SECRET, SESSION_SECRET))).toBe(true);
      expect(unreadable).toEqual([]);

      const without = await open(OTHER_SECRET);
      expect(await sample.isThere(without)).toBe(false);
      expect(unreadable.length).toBeGreaterThan(0);
      // Written anew with the new secret, and read by whoever already knows both.
      await sample.write(without);
      expect(await sample.isThere(await open(SESSION_SECRET, OTHER_SECRET))).toBe(true);
    },
  );

  it.each(NAMES)(
    'shows nothing of what it holds, and never looks the same twice: a %s [SB-14]',
    async (name) => {
      const sample = sampleOf(name);
      const store = await open(SESSION_SECRET);
      const texts = new Set<string>();
      for (let count = 0; count < 3; count += 1) {
        await server.raw.flushall();
        await sample.write(store);
        const text = await readRaw(sample);
        texts.add(text);
        expect(text).toMatch(/^(?:\d+ \d+ \d+ )?[\w-]{60,}$/);
        expect(
          Buffer.from(text.slice(text.lastIndexOf(' ') + 1), 'base64url').toString('latin1'),
        ).not.toMatch(/idp\.example|user-|A Name|jwt/);
      }
      expect(texts.size).toBe(3);
    },
  );
});
