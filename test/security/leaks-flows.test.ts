import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import type { Config } from '../../src/env/config.ts';
import { systemClock } from '../../src/system.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { Canaries, expectNoneIn, expectSilentLog } from '../support/canaries.ts';
import { consent, visitAsProgram } from '../support/consent.ts';
import { postToken } from '../support/flows.ts';
import { watchStore } from '../support/watched-store.ts';
import { startWorld, type World } from '../support/world.ts';

const APP = 'https://app.example.com';
const PERSON = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
const SESSION_SECRET = 'canary-session-secret-of-the-flows-0123456789';

/** The user's app announces a flow, with everything that it may say of it. */
async function announced(world: World, name: string, userIdentifier: Config['userIdentifier']) {
  const token = await world.tokenOf(name);
  const flow = await (userIdentifier === 'id'
    ? world.agent.openForUserId(`sub-of-${name}`)
    : world.agent.open(token));
  const browser = new Browser();
  const returnTo = `${APP}/back?app_state=canary-return-of-${name}`;
  const posted = await postToken(world, browser, {
    user_token: token,
    authorization_url: flow.authorizationUrl,
    return_to: returnTo,
    label: `canary-label-of-${name}`,
  });
  const { start_url: startUrl, custom_state: state } = JSON.parse(posted.body) as Record<string, string>;
  if (startUrl === undefined) throw new Error(`no start link: ${posted.body}`);
  return { token, flow, browser, returnTo, startUrl, state };
}

describe.each(['token', 'id'] as const)('where AgentCore is given the %s of a user', (userIdentifier) => {
  it('start links, lineages, labels, ways back and questions for a status leave nothing in log, metrics or answers [SB-16] [SB-25] [SB-30] [SB-32]', async () => {
    let failing: string | undefined;
    const metrics = createMetrics(systemClock);
    const world = await startWorld({
      config: {
        userIdentifier,
        returnOrigins: [APP],
        appUrl: `${APP}/home?x=canary-of-the-app`,
        sessionSecrets: [new Secret(SESSION_SECRET)],
      },
      metrics,
      store: watchStore(({ table, method }) => {
        if (`${table}.${method}` === failing) throw new TypeError('a bug');
      }),
    });
    const canaries = new Canaries();
    // What its own user may see again: where he goes on, and the words of his own app.
    const own = new Canaries();
    const strangers: Page[] = [];
    const users: Page[] = [];
    canaries.add('SESSION_SECRET', SESSION_SECRET);

    for (const ending of ['allow', 'deny', 'fault', 'bug'] as const) {
      const name = `canary-${ending}-of-${userIdentifier}`;
      const { token, flow, browser, returnTo, startUrl, state } = await announced(
        world,
        name,
        userIdentifier,
      );
      const handle = new URL(startUrl).searchParams.get('flow') ?? '';
      const strange = await world.signedIn(await world.tokenOf(`${name}-strange`));

      strangers.push(
        await new Browser().open(startUrl),
        await visitAsProgram(new Browser(), startUrl),
        await strange.open(startUrl),
        await strange.open(`${startUrl}~`),
        await strange.send(startUrl, { method: 'POST', body: handle }),
        await strange.send(startUrl, { headers: { 'sec-fetch-dest': 'iframe' } }),
      );
      const going = await browser.send(startUrl, { headers: PERSON });
      expect([going.status, going.headers.location]).toEqual([303, flow.authorizationUrl]);
      const status = `${world.url}/authorizations/${encodeURIComponent(flow.sessionUri)}`;
      const ask = (query: string, authorization: string) =>
        new Browser().send(`${status}${query}`, { headers: { authorization } });
      const waiting = ask('?wait=25', `Bearer ${token}`);
      const strangeToken = await world.tokenOf(`${name}-strange`);
      for (const authorization of [
        `Bearer ${strangeToken}`,
        `Bearer ${token.slice(0, -3)}xyz`,
        `Bearer ${token} ${handle}`,
        `Basic ${token}`,
        token,
        `Bearer ${flow.sessionUri}`,
      ])
        strangers.push(await ask('?wait=25', authorization));
      strangers.push(await ask(`?wait=${token}`, `Bearer ${token}`), await ask(`?wait=1&token=${token}`, ''));

      const callback = await consent(flow, ending === 'deny' ? 'deny' : 'allow');
      if (ending === 'fault') world.agentcore.faults.inject('access_denied_iam', 3);
      if (ending === 'bug') failing = 'attempts.read';
      users.push(await browser.send(callback, { headers: PERSON }), await visitAsProgram(browser, callback));
      failing = undefined;
      world.agentcore.faults.clear();
      // Another browser of this user, and the link once more.
      const second = await world.signedIn(await world.tokenOf(name));
      users.push(await second.open(callback), await browser.send(callback, { headers: PERSON }));
      if (ending === 'fault' || ending === 'bug') await postToken(world, browser, { user_token: token });
      users.push(await ask('', `Bearer ${token}`));
      if (ending === 'allow' || ending === 'deny') users.push(await waiting);

      canaries.addAll({
        [`token, ${ending}`]: token,
        [`strange token, ${ending}`]: strangeToken,
        [`flow, ${ending}`]: flow.sessionUri,
        [`start link, ${ending}`]: handle,
        [`state, ${ending}`]: state,
        ...Object.fromEntries(
          [...browser.cookies(world.url)].map(([key, value]) => [`${key}, ${ending}`, value]),
        ),
        ...Object.fromEntries(
          [...strange.cookies(world.url)].map(([key, value]) => [`${key}, ${ending}`, value]),
        ),
      });
      own.addAll({
        [`name, ${ending}`]: name,
        [`label, ${ending}`]: `canary-label-of-${name}`,
        [`way back, ${ending}`]: returnTo,
      });
    }

    const log = world.rawLog();
    for (const event of ['callback', 'start', 'user_token', 'refused', 'error'])
      expect(log).toContain(`"event":"${event}"`);
    const told = await metrics.render();
    expect(told).toContain('session_binding_outcomes_total{event="start"');
    for (const text of [log, told]) {
      expectSilentLog(text, canaries);
      expectSilentLog(text, own);
    }
    expectNoneIn([...strangers, ...users], canaries);
    expectNoneIn(
      strangers.filter(({ body }) => !body.includes('-strange')),
      own,
    );
    // A finished flow leads back to its own app.
    expect(users.map(({ headers }) => String(headers.location)).join()).toContain('canary-return-of-');
  });
});
