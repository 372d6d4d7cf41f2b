import type { Redis } from 'ioredis';

/** One key of a server, with everything a client can learn of it. */
export interface StoredKey {
  readonly key: string;
  readonly type: string;
  readonly ttlMs: number;
  /** Key, members, fields and values, and the server's own serialisation of them. */
  readonly everything: string;
}

/** Reads a whole server as somebody does who was let in. */
export async function readWholeServer(raw: Redis): Promise<readonly StoredKey[]> {
  const keys = await raw.keys('*');
  return Promise.all(
    keys.map(async (key) => {
      const [type, ttlMs, dump] = await Promise.all([raw.type(key), raw.pttl(key), raw.dumpBuffer(key)]);
      const content =
        type === 'hash'
          ? await raw.hgetall(key)
          : type === 'zset'
            ? await raw.zrange(key, '0', '-1', 'WITHSCORES')
            : await raw.get(key);
      const everything = [key, JSON.stringify(content), dump?.toString('latin1') ?? ''].join('\n');
      return { key, type, ttlMs, everything };
    }),
  );
}

/** A secret as it may stand in a text: as it is, and in the usual encodings at every alignment. */
export function spellingsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const aligned = [0, 1, 2].flatMap((shift) => {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    // The first and last digits depend on the neighbours.
    return (['base64', 'base64url'] as const).map((encoding) => shifted.toString(encoding).slice(4, -4));
  });
  return [secret, encodeURIComponent(secret), bytes.toString('hex'), ...aligned].filter(
    (spelling) => spelling.length >= 8,
  );
}
