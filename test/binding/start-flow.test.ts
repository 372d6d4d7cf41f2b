import { describe, expect, it } from 'vitest';
import type { BindingAudit } from '../../src/binding/ports.ts';
import { startFlow } from '../../src/binding/start-flow.ts';
import { sealStartHandle } from '../../src/binding/start-link.ts';
import { Secret } from '../../src/binding/secret.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { systemRandomness } from '../../src/system.ts';
import { ALICE, MALLORY } from './trial.ts';
import { createVirtualClock } from './virtual-clock.ts';

const LIVE_MS = 600_000;
const URL = new Secret('https://authorize.example/?request_uri=x');
const sealer = createSealer(
  [new Secret('a-secret-of-this-test-0123456789abcdef')],
  'start-handle',
  systemRandomness,
);

/** A pin of alice's, and who opens its link. */
async function startLink(authorizationUrl: Secret | undefined) {
  const clock = createVirtualClock();
  const { pins, completions } = createMemoryStore(clock);
  const told: Parameters<BindingAudit['started']>[0][] = [];
  const starts: string[] = [];
  const audit: BindingAudit = {
    decided: () => undefined,
    recordLost: () => undefined,
    started: (event) => void told.push(event),
  };
  await pins.create({
    authorizationSessionKey: 'key',
    user: ALICE,
    tokenFingerprint: 'fingerprint',
    tokenExpiresAtMs: clock.nowMs() + 6 * LIVE_MS,
    liveUntilMs: clock.nowMs() + LIVE_MS,
    ...(authorizationUrl && { authorizationUrl }),
  });
  const watched = {
    ...pins,
    start(...args: Parameters<typeof pins.start>) {
      starts.push(args[1]);
      return pins.start(...args);
    },
  };
  const deps = { pins: watched, completions, startHandleSealer: sealer, audit, clock };
  const handle = sealStartHandle('key', sealer);
  const open = async (user: typeof ALICE) => {
    const start = await startFlow({ requestId: 'r', handle, browserSession: { user, lineage: 'l' } }, deps);
    return start.kind === 'started' ? start.kind : start.code;
  };
  return { clock, open, told, starts };
}

describe('a start link', () => {
  it('opens until its pin ends, to the millisecond [SB-32]', async () => {
    const { clock, open } = await startLink(URL);
    await clock.advance(LIVE_MS - 1);
    expect(await open(ALICE)).toBe('started');
    await clock.advance(1);
    expect(await open(ALICE)).toBe('authorization_expired');
  });

  it('leaves an event that says how it ended [SB-16]', async () => {
    const { open, told } = await startLink(URL);
    expect([await open(MALLORY), await open(ALICE)]).toEqual(['user_mismatch', 'started']);
    expect(told).toMatchObject([
      { code: 'user_mismatch', user: MALLORY, authorizationSessionKey: 'key' },
      { code: 'started', user: ALICE, authorizationSessionKey: 'key' },
    ]);
  });

  it('of a pin that has lost its URL is none, and starts nothing', async () => {
    const { open, starts } = await startLink(undefined);
    expect(await open(ALICE)).toBe('not_found');
    expect(starts).toEqual([]);
  });
});
