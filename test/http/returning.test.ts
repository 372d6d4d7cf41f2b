import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { expectNoCookie, expectPage, expectProblem } from '../support/answers.ts';
import { consent, unknownSessionId } from '../support/consent.ts';
import { postToken } from '../support/flows.ts';
import { shareWorld } from '../support/shared-world.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';
import { HOSTILE_RETURN_TO, hostileAuthorizationUrls } from './hostile-urls.ts';

const APP = 'https://app.example.com';
const calls: StoreCall[] = [];
const world = shareWorld({
  config: { returnOrigins: [APP], appUrl: 'https://portal.example.com/' },
  store: watchStore((call) => calls.push(call)),
});

const NAVIGATION = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

async function flowTo(returnTo: string | undefined, username = 'alice', more: object = {}) {
  const token = await world().tokenOf(username);
  const flow = await world().agent.open(token);
  const browser = await world().signedIn(token, {
    session_uri: flow.sessionUri,
    ...(returnTo === undefined ? {} : { return_to: returnTo }),
    ...more,
  });
  return { browser, url: await consent(flow) };
}

describe('a POST keeps nothing', () => {
  it('whose return_to is not exactly at an allowed origin, in some eighty shapes [SB-18]', async () => {
    expect(new Set(HOSTILE_RETURN_TO).size).toBeGreaterThanOrEqual(50);
    const token = await world().tokenOf('alice');
    for (const returnTo of HOSTILE_RETURN_TO) {
      calls.length = 0;
      const answer = await postToken(world(), new Browser(), {
        user_token: token,
        session_uri: unknownSessionId(),
        return_to: returnTo,
      });
      expect({ returnTo, status: answer.status, calls }).toEqual({ returnTo, status: 400, calls: [] });
      expectProblem(answer, 400, 'invalid_request');
      expectNoCookie(answer);
      expect(answer.body).not.toMatch(/evil|script|example/);
    }
  });

  it('whose authorization_url is not AgentCore’s authorize endpoint, in some eighty shapes [SB-18]', async () => {
    const token = await world().tokenOf('alice');
    const { authorizationUrl } = await world().agent.open(token);
    const hostile = hostileAuthorizationUrls(authorizationUrl);
    expect(new Set(hostile).size).toBeGreaterThanOrEqual(50);
    for (const url of hostile) {
      calls.length = 0;
      const answer = await postToken(world(), new Browser(), { user_token: token, authorization_url: url });
      expect({ url, status: answer.status, calls }).toEqual({ url, status: 400, calls: [] });
      expectProblem(answer, 400, 'invalid_request');
      expectNoCookie(answer);
    }
  });

  it.each([{ return_to: `${APP}/` }, { label: 'GitHub' }])(
    'that names no flow to announce it of: %j is lost on nobody',
    async (announced) => {
      calls.length = 0;
      const body = { user_token: await world().tokenOf('alice'), ...announced };
      expectProblem(await postToken(world(), new Browser(), body), 400, 'invalid_request');
      expect(calls).toEqual([]);
    },
  );

  it('whose label is too long or no text', async () => {
    for (const label of ['x'.repeat(65), '😀'.repeat(65), 7, null, ['x'], {}]) {
      calls.length = 0;
      const body = { user_token: await world().tokenOf('alice'), session_uri: unknownSessionId(), label };
      expectProblem(await postToken(world(), new Browser(), body), 400, 'invalid_request');
      expect(calls).toEqual([]);
    }
  });
});

describe('a finished flow', () => {
  it.each([
    [APP, `${APP}/?binding=completed`],
    [`${APP}/chat/7`, `${APP}/chat/7?binding=completed`],
    [`${APP}/?a=b&c=%20d+e`, `${APP}/?a=b&c=%20d+e&binding=completed`],
    [`${APP}/x?a=b#part-2`, `${APP}/x?a=b&binding=completed#part-2`],
    [`${APP}/x?binding=user_mismatch&a=b&bindin%67=x`, `${APP}/x?a=b&binding=completed`],
  ])('returns to %s with its end, all else as it was', async (returnTo, location) => {
    const { browser, url } = await flowTo(returnTo);
    const answer = await browser.send(url, { headers: NAVIGATION });
    expect([answer.status, answer.headers.location]).toEqual([303, location]);
  });

  it('tells programs, and shows a page where there is nowhere to return or a second time', async () => {
    const program = await flowTo(`${APP}/x`);
    const answer = await program.browser.send(program.url, { headers: { accept: 'application/json' } });
    expect([answer.status, answer.body]).toEqual([200, '{"status":"completed"}']);
    const again = await program.browser.send(program.url, { headers: NAVIGATION });
    expect(again.body).toContain('You are already connected');
    expect(again.body).toContain(`href="${APP}/x?binding=completed"`);

    const page = await (await flowTo(undefined)).browser.open((await flowTo(undefined)).url);
    expect(page.status).toBe(200);
    expect(page.body).toContain('href="https://portal.example.com/?binding=completed"');
  });

  it('shows its label cleaned and isolated, and as text [SB-17] [SB-32]', async () => {
    const label = '\u202e<b>GitHub</b> for\u0007 the sales agent\n';
    const { browser, url } = await flowTo(undefined, 'alice', { label });
    const page = await browser.open(url);
    expect(page.body).toContain(
      '<p class="who">Connection: <bdi>&lt;b&gt;GitHub&lt;/b&gt; for the sales agent</bdi></p>',
    );
  });
});

describe('a refusal', () => {
  it('leads its own user back to the flow’s app, and others to the operator’s [SB-18]', async () => {
    const { browser, url } = await flowTo(`${APP}/mine`, 'alice', { label: 'Label of alice' });
    const denied = await browser.send(`${url}&error=access_denied`, { headers: NAVIGATION });
    expectPage(denied, 403, 'consent_denied');
    expect(denied.headers.location).toBeUndefined();
    expect(denied.body).toContain(`href="${APP}/mine?binding=consent_denied"`);

    const bob = await world().signedIn(await world().tokenOf('bob'));
    const refused = await bob.open(url);
    expectPage(refused, 403, 'user_mismatch');
    expect(refused.body).toContain('href="https://portal.example.com/?binding=user_mismatch"');
    expect(refused.body).not.toMatch(/mine|Label of alice/);
  });
});
