import type { SessionStore } from '@fastify/session';
import type { Session } from 'fastify';
import { digest } from '../binding/digest.ts';
import { type BrowserSession, type BrowserSessionStore, expiresAtMs } from './browser-session.ts';

// The library copies the record's own fields into a Session of its making.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const asSession = (browserSession: BrowserSession) => ({ browserSession }) as Session;

/** Turns our port into the callback interface of @fastify/session: hashed ids, anonymous ones never stored. */
export function createFastifySessionStore(store: BrowserSessionStore, ttlSeconds: number): SessionStore {
  return {
    get(id, callback) {
      readConfirmed(id).then(
        (browserSession) => callback(null, browserSession && asSession(browserSession)),
        (error: unknown) => callback(error),
      );
    },
    set(id, { browserSession }, callback) {
      // `regenerate` sets an empty record first; nothing is stored for nobody.
      if (browserSession === undefined) return callback();
      const endsAtMs = expiresAtMs(browserSession, ttlSeconds);
      store.write(digest(id), browserSession, endsAtMs).then(() => callback(), callback);
    },
    destroy(id, callback) {
      store.remove(digest(id)).then(() => callback(), callback);
    },
  };

  /** A provisional browser session whose cookie comes back belongs to a real browser: it gets its full life. */
  async function readConfirmed(id: string): Promise<BrowserSession | undefined> {
    const browserSession = await store.read(digest(id));
    if (browserSession === undefined || !browserSession.provisional) return browserSession;
    const confirmed = { ...browserSession, provisional: false };
    const stillThere = await store.replace(digest(id), confirmed, expiresAtMs(confirmed, ttlSeconds));
    return stillThere ? confirmed : undefined;
  }
}
