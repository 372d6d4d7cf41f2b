import { describe, expect, it } from 'vitest';
import { exploreAll } from './explore.ts';
import { type Ending, type Scenario } from './interleavings.ts';

/** Codes that tell a person "nothing was connected": never to be said to somebody who is. */
const SAYS_NOT_CONNECTED = new Set([
  'authorization_expired',
  'consent_denied',
  'token_refused',
  'agentcore_forbidden',
  'token_missing',
  'token_expired',
]);

const SCENARIOS: readonly (readonly [string, Scenario])[] = [
  [
    'two tabs, a killed replica and two bad answers',
    { visits: [{ user: 'alice' }, { user: 'alice' }], pinned: true, crashes: 1, awsFaults: 2 },
  ],
  [
    'two tabs, two killed replicas, a stall',
    { visits: [{ user: 'alice' }, { user: 'alice' }], pinned: true, crashes: 2, stalls: 1 },
  ],
  [
    'two tabs, a stall and two bad answers',
    { visits: [{ user: 'alice' }, { user: 'alice' }], pinned: true, stalls: 1, awsFaults: 2 },
  ],
  [
    'a stranger beside the user, nothing pinned, a killed replica and a bad answer',
    { visits: [{ user: 'alice' }, { user: 'bob' }], pinned: false, crashes: 1, awsFaults: 1 },
  ],
  [
    'a stranger beside the user, pinned, a killed replica and a stall',
    { visits: [{ user: 'alice' }, { user: 'bob' }], pinned: true, crashes: 1, stalls: 1 },
  ],
  [
    'a forged denial beside the visit, a killed replica and a bad answer',
    { visits: [{ user: 'alice' }, { user: 'alice', denial: true }], pinned: true, crashes: 1, awsFaults: 2 },
  ],
  [
    'two tabs and a store that forgets, with a killed replica',
    { visits: [{ user: 'alice' }, { user: 'alice' }], pinned: true, crashes: 1, forgets: 1 },
  ],
  [
    'two tabs and a forged denial between them',
    { visits: [{ user: 'alice' }, { user: 'alice' }, { user: 'alice', denial: true }], pinned: true },
  ],
  [
    'two tabs and a stranger, nothing pinned',
    { visits: [{ user: 'alice' }, { user: 'alice' }, { user: 'bob' }], pinned: false },
  ],
];

describe('over every interleaving, the claim protocol', () => {
  it.each(SCENARIOS)('keeps its promises: %s [SB-08] [SB-09] [SB-24]', async (_title, scenario) => {
    const { endings, states } = await exploreAll(scenario, (ending) => check(scenario, ending));
    // The walk is no walk if it hardly went anywhere.
    expect(endings).toBeGreaterThan(20);
    expect(states).toBeGreaterThan(50);
  });
});

function check(scenario: Scenario, ending: Ending): void {
  const { outcomes, wasBound, boundTo, accepted, later, forgot, overlapped, stalled, trace } = ending;
  const story = trace.join('\n');
  const isBound = boundTo !== undefined;

  expect(accepted, story).toBeLessThanOrEqual(1);
  // A lease that lapsed under a living holder, or a store that forgot it, is the only way to two calls at once.
  if (!stalled && !forgot) expect(overlapped, story).toBe(false);
  for (const [index, code] of outcomes.entries()) {
    const visit = scenario.visits[index];
    if (visit?.user === 'bob') {
      // Whatever a stranger's visit meets, it never says that he is connected (SB-01).
      expect(code, story).not.toBe('completed');
    } else if (code === 'completed') {
      expect(isBound, story).toBe(true);
    } else if (wasBound[index] && !forgot && visit?.denial !== true) {
      expect(SAYS_NOT_CONNECTED.has(code), story).toBe(false);
    }
  }
  if (later === 'completed') expect(isBound, story).toBe(true);
  if (scenario.visits[0]?.user === 'alice' && isBound && !forgot) {
    expect(SAYS_NOT_CONNECTED.has(later), story).toBe(false);
  }
  // Nobody is locked out: thirty seconds later a visit alone has an ending.
  expect(later, story).not.toBe('in_progress');
}
