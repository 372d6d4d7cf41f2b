import { array, assert, asyncProperty, boolean, nat } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { expectNoCookie, expectPage, expectProblem } from '../support/answers.ts';
import { visitAsProgram } from '../support/consent.ts';
import { flowWithState, pinnedFlow } from '../support/flows.ts';
import { writesIn, type StoreCall, watchStore } from '../support/watched-store.ts';
import { startWorld, type World } from '../support/world.ts';

const URN = 'urn:ietf:params:oauth:request_uri:';

/** Raw text behind `session_id=`. None of it may reach AgentCore, a log line or an answer. */
const HOSTILE_IDS: readonly string[] = [
  '',
  '%20',
  'canary',
  'undefined',
  'null',
  '[object%20Object]',
  URN,
  `${URN}%20`,
  `${URN}canary%20`,
  `%20${URN}canary`,
  `${URN}canary%0A`,
  `${URN}canary%0D%0ASet-Cookie:%20a=b`,
  `${URN}canary%00`,
  `${URN}canary%09`,
  `${URN}canary/../../x`,
  `${URN}canary%2F..%2Fx`,
  `${URN}canary?x=y`,
  `${URN}canary%26session_id=x`,
  `${URN}canary%23x`,
  `${URN}canary:x`,
  `${URN}can+ary`,
  `${URN}can%2Bary`,
  `${URN}canary%25`,
  `${URN}canary%`,
  `${URN}canary%ZZ`,
  `${URN}canary%C0%AF`,
  `${URN}canary%ED%A0%80`,
  `${URN}c%C3%A4nary`,
  `${URN}%D1%81anary`,
  `${URN}canary%E2%80%AE`,
  `${URN}canary%EF%BC%8E`,
  `${URN}<script>alert(1)</script>`,
  `${URN}%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E`,
  `${URN}'%20OR%20'1'='1`,
  `${URN}{"$ne":null}`,
  `${URN}canary,${URN}canary`,
  `URN:ietf:params:oauth:request_uri:canary`,
  `urn:ietf:params:oauth:request_uri`,
  `urn:ietf:params:oauth:request-uri:canary`,
  `xurn:ietf:params:oauth:request_uri:canary`,
  `urn%3Aietf:params:oauth:token:canary`,
  `https://evil.example/?${URN}canary`,
  `javascript:alert(1)//${URN}canary`,
  `data:text/html,${URN}canary`,
  `${URN}${'a'.repeat(1024 - URN.length + 1)}`,
  `${URN}${'a'.repeat(9000)}`,
];

/** Queries in which parameters are missing, repeated or at odds. */
const BAD_QUERIES: readonly string[] = [
  '',
  '?',
  '?session_id',
  '?SESSION_ID=GOOD',
  '?session_id[]=GOOD',
  '?session_id%20=GOOD',
  '?state=x',
  '?session_id=GOOD&session_id=GOOD',
  '?session_id=GOOD&session_id=',
  '?session_id=GOOD&session%5Fid=OTHER',
  '?session_id=OTHER&error=access_denied&session_id=GOOD',
  '?session_id=&error=access_denied',
  '?session_id=bad&error=access_denied',
  '?session_id=GOOD&error=',
  '?session_id=GOOD&error',
  '?session_id=GOOD&error=access_denied&error=access_denied',
  '?error=access_denied&error=server_error',
  '?session_id=GOOD&state=sb1.A&state=sb1.B',
  '?session_id=GOOD&state=sb1.A&custom_state=sb1.B',
  '?session_id=GOOD&custom_state=sb1.A&customState=sb1.B',
  '?session_id=GOOD&state=app&state=sb1.A&customState=sb1.A&custom_state=sb1.AA',
];

describe('the callback answers 400, touches no record and does not call AgentCore, for', () => {
  it(`each of ${HOSTILE_IDS.length} hostile session ids, and echoes none [SB-02] [SB-17]`, async () => {
    const { world, calls, alice } = await startWatched();
    for (const id of HOSTILE_IDS) {
      const url = `${world.url}/oauth2/callback?session_id=${id}`;
      const toProgram = await visitAsProgram(alice, url);
      expectProblem(toProgram, 400, 'invalid_request');
      const toPerson = await alice.open(url);
      expectPage(toPerson, 400, 'invalid_request');
      for (const answer of [toProgram, toPerson]) {
        expectNoCookie(answer);
        expect(answer.body).not.toMatch(/canary|alert|evil|urn:/i);
      }
    }
    expect(world.rawLog()).not.toMatch(/canary|alert|evil|urn:/i);
    expect(calls).toEqual([]);
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it('queries whose parameters are missing, repeated or contradict each other', async () => {
    const { world, calls, alice } = await startWatched();
    for (const query of BAD_QUERIES) {
      const filled = query.replaceAll('GOOD', `${URN}good`).replaceAll('OTHER', `${URN}other`);
      const page = await alice.open(`${world.url}/oauth2/callback${filled}`);
      expect({ query, status: page.status }).toEqual({ query, status: 400 });
      expectPage(page, 400, 'invalid_request');
    }
    expect(calls).toEqual([]);
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it('anything that is no session id, whatever it is', async () => {
    const { world, calls, alice } = await startWatched();
    const bytes = array(nat(255), { maxLength: 60 }).map((codes) => Buffer.from(codes));
    const escaped = bytes.map((buffer) => buffer.toString('hex').replace(/../g, '%$&'));
    await assert(
      asyncProperty(escaped, boolean(), async (text, hasPrefix) => {
        const id = hasPrefix ? `${URN}${text}%20` : text;
        const page = await visitAsProgram(alice, `${world.url}/oauth2/callback?session_id=${id}`);
        expectProblem(page, 400, 'invalid_request');
      }),
      { numRuns: 60 },
    );
    expect(calls).toEqual([]);
    expect(world.agentcore.completeCalls).toBe(0);
  });
});

describe('the callback takes', () => {
  it('an id of 1024 characters of every allowed kind to AgentCore as it came', async () => {
    const { world, alice } = await startWatched();
    const id = `${URN}aZ09-._~${'a'.repeat(1024 - URN.length - 8)}`;
    expectPage(
      await alice.open(`${world.url}/oauth2/callback?session_id=${id}`),
      410,
      'authorization_expired',
    );
    expect(world.agentcore.calls.map(({ sessionUri }) => sessionUri)).toEqual([id]);
  });

  it('states without our prefix for the app’s own, however many, and the same one of ours twice', async () => {
    const world = await startWorld();
    const { browser, url } = await flowWithState(world);
    const ours = new URL(url).searchParams.get('state');
    const apps = ['state=app', 'state=', 'state=%3Cscript%3E', 'custom_state=sb2.x', 'customState=SB1.x'];
    expectPage(await browser.open(`${url}&customState=${ours}&${apps.join('&')}`), 200, 'completed');
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('no user from a header or parameter [SB-02]', async () => {
    const world = await startWorld();
    const { url } = await pinnedFlow(world);
    const { body, status } = await new Browser().send(
      `${url}&user=sub-of-alice&user_token=x&userId=sub-of-alice&sub=sub-of-alice`,
      {
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${await world.tokenOf('alice')}`,
          'x-user-id': 'sub-of-alice',
          'x-forwarded-user': 'sub-of-alice',
          'x-amzn-oidc-identity': 'sub-of-alice',
          'x-amzn-oidc-data': await world.tokenOf('alice'),
        },
      },
    );
    expect([status, JSON.parse(body)]).toEqual([401, expect.objectContaining({ code: 'not_signed_in' })]);
    expect(world.agentcore.completeCalls).toBe(0);
  });
});

/** Alice is signed in, and every call of the store from now on is seen. */
async function startWatched(): Promise<{ world: World; calls: StoreCall[]; alice: Browser }> {
  const calls: StoreCall[] = [];
  const world = await startWorld({ store: watchStore((call) => calls.push(call)) });
  const alice = await world.signedIn(await world.tokenOf('alice'));
  expect(writesIn(calls)).toEqual(['userTokens.write', 'browserSessions.remove', 'browserSessions.write']);
  calls.length = 0;
  return { world, calls, alice };
}
