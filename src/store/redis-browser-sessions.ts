import { userDigest } from '../binding/user.ts';
import {
  type BrowserSession,
  type BrowserSessionStore,
  keepingRank,
  MAX_BROWSER_SESSIONS_PER_USER,
} from '../session/browser-session.ts';
import { type Place, type RedisDeps, RedisFew } from './redis-few.ts';
import { redisKeys } from './redis-keys.ts';
import { RedisSingle } from './redis-single.ts';

/**
 * A cookie leads to its user, and the user's hash says whether that browser session lives: so the quota and
 * "everywhere out" are single commands. A way that leads to nothing is harmless and lapses.
 */
export function createRedisBrowserSessions(deps: RedisDeps): BrowserSessionStore {
  const ways = new RedisSingle<string>(deps, 'browser-session');
  const few = new RedisFew<BrowserSession>(deps, {
    kind: 'browser-session',
    most: MAX_BROWSER_SESSIONS_PER_USER,
  });

  return {
    async read(idHash) {
      const ofUser = (await ways.read(redisKeys.browserSession(idHash))).value;
      return ofUser === undefined ? undefined : few.read(redisKeys.browserSessions(ofUser), idHash);
    },
    async write(idHash, browserSession, expiresAtMs) {
      const { key, place } = await prepare(idHash, browserSession, expiresAtMs);
      const gone = await few.write(key, idHash, browserSession, place);
      await forget(gone);
    },
    async replace(idHash, browserSession, expiresAtMs) {
      const { key, place } = await prepare(idHash, browserSession, expiresAtMs);
      return few.replace(key, idHash, browserSession, place);
    },
    async remove(idHash) {
      const ofUser = (await ways.read(redisKeys.browserSession(idHash))).value;
      if (ofUser !== undefined) await few.remove(redisKeys.browserSessions(ofUser), idHash);
      await forget([idHash]);
    },
    async removeAll(user) {
      const key = redisKeys.browserSessions(userDigest(user));
      const idHashes = await few.fields(key);
      await few.removeAll(key);
      await forget(idHashes);
    },
  };

  /** The way comes first and lasts as long: a record without it would count and could not be found. */
  async function prepare(idHash: string, browserSession: BrowserSession, expiresAtMs: number) {
    const ofUser = userDigest(browserSession.user);
    await ways.write(redisKeys.browserSession(idHash), ofUser, expiresAtMs);
    const place: Place = { expiresAtMs, rank: keepingRank(browserSession) };
    return { key: redisKeys.browserSessions(ofUser), place };
  }

  /** One by one, since they lie on different nodes of a cluster. The browser sessions have ended already. */
  async function forget(idHashes: readonly string[]): Promise<void> {
    await Promise.allSettled(idHashes.map((idHash) => ways.remove(redisKeys.browserSession(idHash))));
  }
}
