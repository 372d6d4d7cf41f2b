import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import type { Config } from '../../src/env/config.ts';
import type { OutcomeCode } from '../../src/pages/outcomes.ts';
import { expectNoCookie, expectPage, expectProblem } from '../support/answers.ts';
import { callbackOf, unknownSessionId, visitAsProgram } from '../support/consent.ts';
import { flowWithState, pinnedFlow } from '../support/flows.ts';
import { isWrite, type StoreCall, watchStore } from '../support/watched-store.ts';
import { startWorld, type World } from '../support/world.ts';

/** A browser about to open a callback that must be refused without a word to AgentCore. */
interface Refusal {
  readonly when: string;
  readonly status: number;
  readonly code: OutcomeCode;
  readonly config?: Partial<Config>;
  play(world: World): Promise<{ readonly browser: Browser; readonly url: string }>;
}

const bobsBrowser = async (world: World) => world.signedIn(await world.tokenOf('bob'));

const REFUSALS: readonly Refusal[] = [
  {
    when: 'the browser carries no cookie [SB-01] [SB-07]',
    status: 401,
    code: 'not_signed_in',
    play: async (world) => ({ ...(await pinnedFlow(world)), browser: new Browser() }),
  },
  {
    when: 'the pin names another user [SB-01]',
    status: 403,
    code: 'user_mismatch',
    play: async (world) => ({ ...(await pinnedFlow(world)), browser: await bobsBrowser(world) }),
  },
  {
    when: 'the state names another user [SB-02]',
    status: 403,
    code: 'user_mismatch',
    play: async (world) => ({ ...(await flowWithState(world)), browser: await bobsBrowser(world) }),
  },
  {
    when: 'the pin names another user, although the state names the visitor [SB-01] [SB-02]',
    status: 403,
    code: 'user_mismatch',
    async play(world) {
      const { url } = await pinnedFlow(world);
      const bob = await flowWithState(world, 'bob');
      return { browser: bob.browser, url: `${url}&state=${new URL(bob.url).searchParams.get('state')}` };
    },
  },
  {
    when: 'a state of ours is forged [SB-02]',
    status: 403,
    code: 'state_invalid',
    async play(world) {
      const { browser, url } = await flowWithState(world);
      return { browser, url: url.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) };
    },
  },
  {
    when: 'the state is our prefix and nothing else [SB-02]',
    status: 403,
    code: 'state_invalid',
    async play(world) {
      const { browser, url } = await pinnedFlow(world);
      return { browser, url: `${url}&custom_state=sb1.` };
    },
  },
  {
    when: 'the pinned token has expired',
    status: 401,
    code: 'token_expired',
    play: (world) => pinnedFlow(world, 'alice', 60).then(later(world, 90)),
  },
  {
    when: 'the token that the state names has expired',
    status: 401,
    code: 'token_expired',
    play: (world) => flowWithState(world, 'alice', 60).then(later(world, 90)),
  },
  {
    when: 'nothing is pinned and the token that signed the browser in has expired',
    status: 401,
    code: 'token_expired',
    async play(world) {
      const browser = await world.signedIn(await world.tokenOf('alice', 60));
      return later(world, 90)({ browser, url: callbackOf(world.url, unknownSessionId()) });
    },
  },
  {
    when: 'no token of the browser’s user is stored',
    status: 401,
    code: 'token_missing',
    async play(world) {
      const flow = await pinnedFlow(world);
      await world.store.userTokens.removeAll({ issuer: world.issuer.issuer, subject: 'sub-of-alice' });
      return flow;
    },
  },
  {
    when: 'pins are required and there is none',
    status: 403,
    code: 'pin_required',
    config: { requirePin: true },
    async play(world) {
      const browser = await world.signedIn(await world.tokenOf('alice'));
      return { browser, url: callbackOf(world.url, unknownSessionId()) };
    },
  },
  {
    when: 'pins are required and there is only a state',
    status: 403,
    code: 'pin_required',
    config: { requirePin: true },
    play: (world) => flowWithState(world),
  },
  {
    when: 'the pin’s ten minutes are over',
    status: 410,
    code: 'authorization_expired',
    play: (world) => pinnedFlow(world).then(later(world, 601)),
  },
  {
    when: 'consent was denied',
    status: 403,
    code: 'consent_denied',
    play: (world) => pinnedFlow(world).then(withQuery('&error=access_denied&error_description=no')),
  },
  {
    when: 'consent was denied, and AgentCore does not say for which flow',
    status: 403,
    code: 'consent_denied',
    async play(world) {
      const { browser } = await pinnedFlow(world);
      return { browser, url: `${world.url}/oauth2/callback?error=access_denied` };
    },
  },
  {
    when: 'consent failed at the provider',
    status: 502,
    code: 'consent_failed',
    play: (world) => pinnedFlow(world).then(withQuery('&error=server_error')),
  },
  {
    when: 'this user has begun 512 flows within a day, and nobody pinned this one [SB-22]',
    status: 429,
    code: 'rate_limited',
    async play(world) {
      const flow = await flowWithState(world, 'alice');
      const user = { issuer: world.issuer.issuer, subject: 'sub-of-alice' };
      for (let index = 0; index < 512; index += 1) {
        await world.store.attempts.compareAndSet(`flow-${index}`, user, undefined, { mayHaveBound: false });
      }
      return flow;
    },
  },
];

describe('the callback refuses, and does not call AgentCore, when', () => {
  it.each(REFUSALS.map((refusal) => [refusal.when, refusal] as const))('%s', async (_when, refusal) => {
    const { status, code, config = {} } = refusal;
    const world = await startWorld({ config });
    const { browser, url } = await refusal.play(world);

    const toProgram = await visitAsProgram(browser, url);
    expectProblem(toProgram, status, code);
    const toPerson = await browser.open(url);
    expectPage(toPerson, status, code);

    for (const answer of [toProgram, toPerson]) {
      expectNoCookie(answer);
      expect(answer.headers['www-authenticate'] !== undefined).toBe(status === 401);
      expect(answer.headers['retry-after'] !== undefined).toBe(status === 429);
      expect(world.log().filter((line) => line['request_id'] === answer.headers['x-request-id'])).toEqual([
        expect.objectContaining({ event: 'callback', code, calls: [] }),
      ]);
    }
    expect(world.agentcore.completeCalls).toBe(0);
  });
});

describe('a veto', () => {
  it('leaves the rightful user’s flow as it was, whatever strangers and forged links did [SB-09]', async () => {
    const world = await startWorld();
    const { browser: alice, url } = await pinnedFlow(world);
    const bob = await bobsBrowser(world);

    expectPage(await bob.open(url), 403, 'user_mismatch');
    expectPage(await new Browser().open(url), 401, 'not_signed_in');
    expectPage(await bob.open(`${url}&error=access_denied`), 403, 'consent_denied');
    expectPage(await alice.open(`${url}&error=access_denied`), 403, 'consent_denied');
    expectPage(await alice.open(`${url}&error=server_error`), 502, 'consent_failed');
    expectPage(await alice.open(`${url}&state=sb1.forged`), 403, 'state_invalid');
    expect(world.agentcore.completeCalls).toBe(0);

    expectPage(await alice.open(url), 200, 'completed');
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('of a stranger writes nothing at all, a forged denial neither [SB-09]', async () => {
    const calls: StoreCall[] = [];
    const world = await startWorld({ store: watchStore((call) => calls.push(call)) });
    const { url } = await pinnedFlow(world);
    const bob = await bobsBrowser(world);
    calls.length = 0;

    expectPage(await bob.open(url), 403, 'user_mismatch');
    expectPage(await bob.open(`${url}&error=access_denied`), 403, 'consent_denied');
    expectPage(await bob.open(`${url}&state=sb1.forged`), 403, 'state_invalid');

    expect(calls.filter(isWrite)).toEqual([]);
    expect(world.agentcore.completeCalls).toBe(0);
  });
});

function later(world: World, seconds: number) {
  return <Flow>(flow: Flow): Flow => {
    world.advance(seconds * 1000);
    return flow;
  };
}

function withQuery(more: string) {
  return <Flow extends { readonly url: string }>(flow: Flow): Flow => ({ ...flow, url: flow.url + more });
}
