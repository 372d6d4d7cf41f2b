import { describe, expect, it } from 'vitest';
import { digest } from '../../src/binding/digest.ts';
import type { BrowserSession } from '../../src/session/browser-session.ts';
import { createFastifySessionStore } from '../../src/session/fastify-session-store.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { systemClock } from '../../src/system.ts';

const user = { issuer: 'https://idp.example', subject: 'anna' };
const TTL_SECONDS = 3600;

function createStores() {
  const { browserSessions } = createMemoryStore(systemClock);
  const sessionStore = createFastifySessionStore(browserSessions, TTL_SECONDS);
  const get = (id: string) =>
    new Promise<unknown>((resolve, reject) => {
      sessionStore.get(id, (error, session) => (error ? reject(error as Error) : resolve(session)));
    });
  const provisional: BrowserSession = {
    user,
    createdAtMs: Date.now(),
    lineage: 'a-lineage',
    tokenExpiresAtMs: Date.now() + 60_000,
    provisional: true,
  };
  return { browserSessions, get, provisional };
}

describe('a provisional browser session', () => {
  it('gets its full life when its cookie comes back', async () => {
    const { browserSessions, get, provisional } = createStores();
    await browserSessions.write(digest('id'), provisional, Date.now() + 600_000);
    const confirmed = { ...provisional, provisional: false };
    expect(await get('id')).toEqual({ browserSession: confirmed });
    expect(await browserSessions.read(digest('id'))).toEqual(confirmed);
  });

  it('is not brought back to life by a request that was reading it when its user signed out [SB-05]', async () => {
    const { browserSessions, get, provisional } = createStores();
    await browserSessions.write(digest('id'), provisional, Date.now() + 600_000);
    const reading = get('id');
    await browserSessions.removeAll(user);

    expect(await reading).toBeUndefined();
    expect(await browserSessions.read(digest('id'))).toBeUndefined();
  });
});
