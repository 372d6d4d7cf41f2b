import request from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Issuer, startIssuer } from '../../src/emulator/issuer.ts';
import { OUTCOMES } from '../../src/pages/outcomes.ts';
import { FORGERIES } from '../issuer/forgeries.ts';
import { expectNoCookie, expectPage, expectProblem } from '../support/answers.ts';
import { pinnedFlow, postToken } from '../support/flows.ts';
import { shareWorld } from '../support/shared-world.ts';
import { isWrite, type StoreCall, watchStore } from '../support/watched-store.ts';

let foreign: Issuer;
const calls: StoreCall[] = [];
const world = shareWorld({
  config: { allowedClients: ['emulated-client', 'demo-client'] },
  store: watchStore((call) => calls.push(call)),
});

beforeAll(async () => {
  foreign = await startIssuer();
  return () => foreign.close();
});

/** Those that the shape of the body does not stop before: the others are in user-token-body.test.ts. */
const POSTED = FORGERIES.filter(([name]) => name !== 'nothing' && name !== 'more than 64 KiB');

describe('a posted user token', () => {
  it('is attacked in more than forty ways', () => {
    expect(POSTED.length).toBeGreaterThan(40);
  });

  it.each(POSTED)('is refused and nothing of it kept: %s [SB-10] [SB-11]', async (_name, verdict, make) => {
    const userToken = await make({ ours: world().issuer, foreign });
    calls.length = 0;

    const answer = await request(world().url).post('/userIdentifier/token').send({ user_token: userToken });

    expectProblem(answer, 401, 'invalid_token');
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer realm="agentcore-session-binding", error="invalid_token"',
    );
    expectNoCookie(answer);
    // Which check refused is the operator's to know: every answer says the same.
    expect(answer.text).toContain(OUTCOMES.invalid_token.text);
    const reason = verdict.replace('invalid: ', '');
    expect(world().log()).toContainEqual(
      expect.objectContaining({
        event: 'user_token',
        code: 'invalid_token',
        reason,
        request_id: answer.headers['x-request-id'],
      }),
    );
    expect(calls).toEqual([]);
  });

  it('that is forged leaves the browser signed in as it was, and pins nothing [SB-05] [SB-10]', async () => {
    const { browser, url, sessionUri } = await pinnedFlow(world());
    const cookies = new Map(browser.cookies(url));
    calls.length = 0;
    const answer = await postToken(world(), browser, {
      user_token: await foreign.accessToken({ claims: { iss: world().issuer.issuer } }),
      session_uri: sessionUri,
    });
    expectProblem(answer, 401, 'invalid_token');
    expectNoCookie(answer);
    expect(browser.cookies(url)).toEqual(cookies);
    expect(calls.filter(isWrite)).toEqual([]);
    expectPage(await browser.open(url), 200, 'completed');
  });

  it('that is forged is told to a person as a page', async () => {
    const answer = await request(world().url)
      .post('/userIdentifier/token')
      .set('accept', 'text/html')
      .send({ user_token: 'forged' });
    expectPage(answer, 401, 'invalid_token');
  });

  it('made no server but the configured issuer be asked [SB-10] [SB-12]', () => {
    expect([foreign.discoveryRequests, foreign.jwksRequests]).toEqual([0, 0]);
  });
});
