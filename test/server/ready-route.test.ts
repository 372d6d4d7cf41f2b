import { describe, expect, it } from 'vitest';
import { startWorld } from '../support/world.ts';

async function ready(url: string) {
  const response = await fetch(`${url}/ready`);
  return { status: response.status, body: await response.json() };
}

const OK = { store: 'ok', jwks: 'ok', credentials: 'ok' };

describe('GET /ready', () => {
  it('answers 200 when everything is there', async () => {
    const { url } = await startWorld();
    expect(await ready(url)).toEqual({ status: 200, body: { status: 'ready', checks: OK } });
  });

  it('still answers 200 while AWS credentials are missing: ejecting every replica helps nobody', async () => {
    const { url } = await startWorld({ credentials: () => Promise.reject(new Error('no credentials')) });
    expect(await ready(url)).toEqual({
      status: 200,
      body: { status: 'degraded', checks: { ...OK, credentials: 'failing' } },
    });
  });

  it('answers 503 while the store was never reached, soon, and /ping answers all the while', async () => {
    const { url } = await startWorld({
      store: (store) => ({ ...store, works: () => new Promise(() => undefined) }),
    });
    const askedMs = performance.now();
    expect(await ready(url)).toEqual({
      status: 503,
      body: { status: 'starting', checks: { ...OK, store: 'failing' } },
    });
    expect(performance.now() - askedMs).toBeLessThan(3_000);
    expect((await fetch(`${url}/ping`)).status).toBe(200);
  });

  it('answers 503 once the service is told to stop', async () => {
    const { url, readiness } = await startWorld();
    readiness.drain();
    expect(await ready(url)).toEqual({ status: 503, body: { status: 'draining', checks: OK } });
  });
});
