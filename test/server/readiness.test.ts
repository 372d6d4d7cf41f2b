import { setImmediate as settled } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/binding/clock.ts';
import { Readiness, type ReadinessReport } from '../../src/readiness.ts';

/** Parts that a test breaks and mends, and a clock that it moves. */
function setUp() {
  let nowMs = 0;
  let sleepers: readonly { readonly untilMs: number; readonly wake: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms) =>
      new Promise((resolve) => {
        sleepers = [...sleepers, { untilMs: nowMs + ms, wake: resolve }];
      }),
    deadline: (ms) => ({ signal: AbortSignal.timeout(ms), end: () => undefined }),
  };
  const parts = {
    asked: 0,
    store: (): Promise<boolean> => Promise.resolve(true),
    credentials: (): Promise<boolean> => Promise.resolve(true),
    issuers: [{ reachedOnce: true, failing: false }],
    load: (): Promise<void> => Promise.resolve(),
  };
  const readiness = new Readiness({
    clock,
    storeWorks() {
      parts.asked += 1;
      return parts.store();
    },
    credentialsWork: () => parts.credentials(),
    issuers: { status: () => parts.issuers, load: () => parts.load() },
  });
  return {
    parts,
    readiness,
    advance: (ms: number) => {
      nowMs += ms;
      for (const { untilMs, wake } of sleepers) if (untilMs <= nowMs) wake();
    },
    /** The report of five seconds later: a fresh one. */
    later: (): Promise<ReadinessReport> => {
      nowMs += 5_000;
      return readiness.report();
    },
  };
}

const never = () => new Promise<boolean>(() => undefined);

describe('readiness', () => {
  it('is ready when store, keys and credentials are there', async () => {
    const { readiness } = setUp();
    expect(await readiness.report()).toEqual({
      status: 'ready',
      checks: { store: 'ok', jwks: 'ok', credentials: 'ok' },
    });
  });

  it.each(['store', 'credentials'] as const)('is degraded, not away, while %s fails', async (part) => {
    const { readiness, parts, later } = setUp();
    await readiness.report();
    for (const failure of [() => Promise.resolve(false), () => Promise.reject(new Error('down'))]) {
      parts[part] = failure;
      const report = await later();
      expect([report.status, report.checks[part]]).toEqual(['degraded', 'failing']);
    }
    parts[part] = () => Promise.resolve(true);
    expect((await later()).status).toBe('ready');
  });

  it('is degraded while an issuer whose keys are held does not answer', async () => {
    const { parts, readiness } = setUp();
    parts.issuers = [
      { reachedOnce: true, failing: false },
      { reachedOnce: true, failing: true },
    ];
    expect(await readiness.report()).toMatchObject({ status: 'degraded', checks: { jwks: 'failing' } });
  });

  it('asks an issuer again that did not answer, though no token needs its keys', async () => {
    const { parts, readiness, later } = setUp();
    parts.load = () => Promise.reject(new Error('nothing fails yet'));
    expect((await readiness.report()).status).toBe('ready');
    parts.issuers = [{ reachedOnce: true, failing: true }];
    parts.load = () => Promise.resolve(void (parts.issuers = [{ reachedOnce: true, failing: false }]));
    expect((await later()).status).toBe('degraded');
    expect((await later()).status).toBe('ready');
  });

  it('is starting until each issuer was reached once', async () => {
    const { parts, readiness } = setUp();
    const reached = { reachedOnce: true, failing: false };
    parts.issuers = [reached, { reachedOnce: false, failing: true }];
    expect((await readiness.report()).status).toBe('starting');
    parts.issuers = [reached, reached];
    expect((await readiness.report()).status).toBe('ready');
  });

  it('is starting until the store answered once, and only degraded when it fails later', async () => {
    const { parts, readiness, later } = setUp();
    parts.store = () => Promise.resolve(false);
    expect((await readiness.report()).status).toBe('starting');
    parts.store = () => Promise.resolve(true);
    expect((await readiness.report()).status).toBe('ready');
    parts.store = () => Promise.resolve(false);
    expect((await later()).status).toBe('degraded');
  });

  it('starts without AWS credentials: they may come', async () => {
    const { parts, readiness } = setUp();
    parts.credentials = () => Promise.resolve(false);
    expect((await readiness.report()).status).toBe('degraded');
  });

  it('waits for no issuer that hangs', async () => {
    const { parts, readiness } = setUp();
    parts.issuers = [{ reachedOnce: true, failing: true }];
    parts.load = () => new Promise(() => undefined);
    expect(await readiness.report()).toMatchObject({ status: 'degraded', checks: { jwks: 'failing' } });
  });

  it.each(['store', 'credentials'] as const)('answers within a second while %s hangs', async (part) => {
    const { parts, readiness, advance, later } = setUp();
    await readiness.report();
    parts[part] = never;
    let report: ReadinessReport | undefined;
    void later().then((answer) => (report = answer));
    await settled();
    expect(report).toBeUndefined();
    advance(999);
    await settled();
    expect(report).toMatchObject({ status: 'degraded', checks: { [part]: 'failing' } });
  });

  it('asks its parts once in five seconds, however often it is asked', async () => {
    const { parts, readiness, advance } = setUp();
    await Promise.all([readiness.report(), readiness.report(), readiness.report()]);
    advance(4_999);
    parts.store = () => Promise.resolve(false);
    expect((await readiness.report()).status).toBe('ready');
    expect(parts.asked).toBe(1);
    advance(1);
    expect((await readiness.report()).status).toBe('degraded');
    expect(parts.asked).toBe(2);
  });

  it('holds no traffic back for five seconds when the start is over', async () => {
    const { parts, readiness } = setUp();
    parts.issuers = [{ reachedOnce: false, failing: false }];
    await readiness.report();
    parts.issuers = [{ reachedOnce: true, failing: false }];
    expect((await readiness.report()).status).toBe('ready');
  });

  it('is draining at once and for good, even with a report in hand', async () => {
    const { readiness, later } = setUp();
    await readiness.report();
    readiness.drain();
    expect((await readiness.report()).status).toBe('draining');
    expect((await later()).status).toBe('draining');
  });

  it('says draining at once while the store hangs', async () => {
    const { parts, readiness, later } = setUp();
    await readiness.report();
    parts.store = never;
    void later();
    readiness.drain();
    let report: ReadinessReport | undefined;
    void readiness.report().then((answer) => (report = answer));
    await settled();
    expect(report?.status).toBe('draining');
  });
});
