import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import type { CompletionFault } from '../../src/emulator/agentcore-faults.ts';
import type { OutcomeCode } from '../../src/pages/outcomes.ts';
import { expectNoCookie, expectPage, expectProblem, textOf } from '../support/answers.ts';
import { callbackOf, unknownSessionId, visitAsProgram } from '../support/consent.ts';
import { callsFor, pinnedFlow } from '../support/flows.ts';
import { shareWorld } from '../support/shared-world.ts';
import { startWorld } from '../support/world.ts';

type Answer = readonly [
  fault: CompletionFault,
  status: number,
  code: OutcomeCode,
  calls: number,
  retryAfter: string | undefined,
];

/** What AgentCore does to every call, and what one visit makes of it. */
const ANSWERS: readonly Answer[] = [
  ['unauthorized', 401, 'token_refused', 1, undefined],
  ['validation', 410, 'authorization_expired', 1, undefined],
  ['resource_not_found', 410, 'authorization_expired', 1, undefined],
  [accessDenied('Invalid or expired session'), 410, 'authorization_expired', 1, undefined],
  ['access_denied_iam', 500, 'agentcore_forbidden', 1, undefined],
  ['access_denied_secret', 500, 'agentcore_forbidden', 1, undefined],
  ['throttled', 503, 'agentcore_unavailable', 3, '5'],
  ['internal_error', 503, 'agentcore_unavailable', 3, '5'],
  ['expired_credentials', 503, 'agentcore_unavailable', 3, '5'],
  ['reset', 503, 'agentcore_unavailable', 3, '5'],
  ['html_503', 503, 'agentcore_unavailable', 3, '5'],
  ['html_200', 503, 'agentcore_unavailable', 3, '5'],
];

const shared = shareWorld();

describe('when AgentCore answers with', () => {
  it.each(ANSWERS)('%j, the visitor learns it: %i %s [SB-23] [SB-24]', async (...row) => {
    const [fault, status, code, calls, retryAfter] = row;
    const world = shared();
    world.agentcore.faults.inject(fault);
    const [alice, bob] = [await pinnedFlow(world, 'alice'), await pinnedFlow(world, 'bob')];

    const toPerson = await alice.browser.open(alice.url);
    expectPage(toPerson, status, code);
    const toProgram = await visitAsProgram(bob.browser, bob.url);
    expectProblem(toProgram, status, code);

    for (const answer of [toPerson, toProgram]) {
      expectNoCookie(answer);
      expect(answer.headers['retry-after']).toBe(retryAfter);
      expect(answer.headers['www-authenticate'] !== undefined).toBe(status === 401);
      // Neither AWS's words nor the permission that is missing: those are the operator's, in the log.
      expect(textOf(answer)).not.toMatch(/not authorized|arn:|Exception|Rate exceeded|Secret/);
    }
    expect([alice, bob].map(({ sessionUri }) => callsFor(world, sessionUri))).toEqual([calls, calls]);
    expect(world.agentcore.bindings).toEqual([]);
  });

  it('a lost answer after binding, the page says that it may have worked [SB-23]', async () => {
    const world = await startWorld();
    const { browser, url, sessionUri } = await pinnedFlow(world);
    world.agentcore.faults.inject('reset_after_binding', 1);

    const page = await browser.open(url);
    expectPage(page, 503, 'outcome_unknown');
    expect(page.headers['retry-after']).toBeUndefined();
    expect(page.body).not.toContain('Try again');
    expectProblem(await visitAsProgram(browser, url), 503, 'outcome_unknown');
    expect(world.agentcore.vaultOwnerOf(sessionUri)).toMatchObject({ subject: 'sub-of-alice' });
  });

  it('nothing at all, it is asked three times and given up [SB-23]', async () => {
    const world = await startWorld({ attemptTimeoutMs: 200 });
    const { browser, url } = await pinnedFlow(world);
    world.agentcore.faults.inject('hang');
    expectPage(await browser.open(url), 503, 'agentcore_unavailable');
    expect(world.agentcore.completeCalls).toBe(3);
  });

  it('nothing at all, other users are served meanwhile and /ping lives [SB-21] [SB-23]', async () => {
    const world = await startWorld();
    const [alice, bob] = [await pinnedFlow(world, 'alice'), await pinnedFlow(world, 'bob')];
    world.agentcore.faults.inject('hang', 1);

    const hanging = alice.browser.open(alice.url);
    await expect.poll(() => world.agentcore.completeCalls).toBe(1);
    expectPage(await bob.browser.open(bob.url), 200, 'completed');
    const ping = await new Browser().send(`${world.url}/ping`);
    expect([ping.status, ping.body]).toEqual([200, '{"status":"success"}']);
    expect(world.agentcore.calls.map(({ answer }) => answer)).toEqual(['hang', 'bound']);

    expectPage(await hanging, 200, 'completed');
  });

  it('an outage, the same link works once it is over [SB-23]', async () => {
    const world = await startWorld();
    const { browser, url } = await pinnedFlow(world);
    world.agentcore.faults.inject('throttled', 3);
    const page = await browser.open(url);
    expectPage(page, 503, 'agentcore_unavailable');
    expect(page.body).toContain('<a class="button" href="">Try again</a>');

    expectPage(await browser.open(url), 200, 'completed');
    expect(world.agentcore.completeCalls).toBe(4);
  });

  it('"not authorized", the operator’s log names the permission and the answer does not', async () => {
    const world = await startWorld();
    const { browser, url } = await pinnedFlow(world);
    world.agentcore.faults.inject('access_denied_secret');
    expectPage(await browser.open(url), 500, 'agentcore_forbidden');

    expect(world.log()).toContainEqual(
      expect.objectContaining({
        level: 'error',
        code: 'agentcore_forbidden',
        calls: [
          {
            answer: 'forbidden',
            durationMs: expect.any(Number),
            permission: 'secretsmanager:GetSecretValue',
          },
        ],
      }),
    );
  });

  it('a flow that nobody opened is asked about with the visitor’s own token only [SB-01]', async () => {
    const world = await startWorld();
    const [alice, bob] = [await world.tokenOf('alice'), await world.tokenOf('bob')];
    await world.signedIn(alice);
    const bobs = await world.signedIn(bob);

    expectPage(await bobs.open(callbackOf(world.url, unknownSessionId())), 410, 'authorization_expired');
    expect(world.agentcore.calls.map(({ userToken }) => userToken)).toEqual([bob]);
  });
});

function accessDenied(message: string): CompletionFault {
  return { exception: 'AccessDeniedException', status: 403, message };
}
