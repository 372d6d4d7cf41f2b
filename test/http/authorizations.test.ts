import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { expectProblem } from '../support/answers.ts';
import { consent, unknownSessionId } from '../support/consent.ts';
import { pinnedFlow, postToken } from '../support/flows.ts';
import { shareWorld } from '../support/shared-world.ts';
import { until } from '../support/until.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';
import { startWorld, type World } from '../support/world.ts';

const calls: StoreCall[] = [];
const world = shareWorld({ store: watchStore((call) => calls.push(call)) });

/** An app's back end asks. */
function ask(at: World, sessionUri: string, token: string | undefined, query = ''): Promise<Page> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Browser().send(`${at.url}/authorizations/${sessionUri}${query}`, { headers });
}

async function statusIn(answer: Promise<Page>): Promise<string> {
  const { status, body } = await answer;
  expect(status, body).toBe(200);
  return (JSON.parse(body) as { status: string }).status;
}

/** Begins to wait until it has the only place: a question that comes in between may hold that for a moment. */
async function takePlace(
  begin: () => Promise<number>,
  probe: () => Promise<{ readonly status: number }>,
): Promise<{ readonly waiting: Promise<number> }> {
  let isOver = true;
  let waiting = Promise.resolve(0);
  await until('a full house', async () => {
    if (isOver) {
      isOver = false;
      waiting = begin().finally(() => (isOver = true));
    }
    return (await probe()).status === 503 && !isOver ? true : undefined;
  });
  return { waiting };
}

describe('the status of a pinned flow', () => {
  it('is pending, then completed, for whichever token of its user asks', async () => {
    const { browser, url, sessionUri, token } = await pinnedFlow(world());
    expect(await statusIn(ask(world(), sessionUri, token))).toBe('pending');
    await browser.open(url);
    expect(await statusIn(ask(world(), sessionUri, token))).toBe('completed');
    expect(await statusIn(ask(world(), sessionUri, await world().tokenOf('alice'), '?wait=25'))).toBe(
      'completed',
    );
  });

  it('is found in whatever spelling its id is sent', async () => {
    const { sessionUri, token } = await pinnedFlow(world());
    const spelled = Buffer.from(sessionUri).toString('hex').replaceAll(/../g, '%$&');
    expect(await statusIn(ask(world(), spelled, token))).toBe('pending');
    expect(await statusIn(ask(world(), encodeURIComponent(sessionUri), token))).toBe('pending');
    const longest = sessionUri.padEnd(1024, 'a');
    await postToken(world(), new Browser(), { user_token: token, session_uri: longest });
    expect(await statusIn(ask(world(), encodeURIComponent(longest), token))).toBe('pending');
  });

  it('is denied after a denial, and completed after a later success', async () => {
    const token = await world().tokenOf('alice');
    const flow = await world().agent.open(token);
    const browser = await world().signedIn(token, { session_uri: flow.sessionUri });
    const url = await consent(flow);
    await browser.open(`${url}&error=access_denied`);
    expect(await statusIn(ask(world(), flow.sessionUri, token))).toBe('denied');
    await browser.open(url);
    expect(await statusIn(ask(world(), flow.sessionUri, token))).toBe('completed');
  });

  it('is refused where AgentCore refused', async () => {
    const token = await world().tokenOf('alice');
    const sessionUri = unknownSessionId();
    const browser = await world().signedIn(token, { session_uri: sessionUri });
    await browser.open(`${world().url}/oauth2/callback?session_id=${sessionUri}`);
    expect(await statusIn(ask(world(), sessionUri, token))).toBe('refused');
  });

  it('is expired when its ten minutes are over', async () => {
    const own = await startWorld();
    const { sessionUri, token } = await pinnedFlow(own);
    own.advance(10 * 60_000);
    expect(await statusIn(ask(own, sessionUri, token, '?wait=25'))).toBe('expired');
  });
});

describe('a flow that is not the asking user’s', () => {
  it('is not found, as one that nobody knows: same answer, same look-ups [SB-30]', async () => {
    const { browser, url, sessionUri } = await pinnedFlow(world());
    const completed = await pinnedFlow(world());
    await completed.browser.open(completed.url);
    const unpinned = await world().agent.open(await world().tokenOf('alice'));
    const mallory = await world().tokenOf('mallory');
    // Visits of the callback make records of his own, which must not become an answer.
    const hisBrowser = await world().signedIn(mallory);
    await hisBrowser.open(url);
    await hisBrowser.open(`${url}&error=access_denied`);

    const seen = [];
    for (const query of ['', '?wait=25']) {
      for (const uri of [
        unknownSessionId(),
        sessionUri,
        completed.sessionUri,
        unpinned.sessionUri,
        unknownSessionId(),
      ]) {
        calls.length = 0;
        const answer = await ask(world(), uri, mallory, query);
        expectProblem(answer, 404, 'not_found');
        const { request_id: _id, ...body } = JSON.parse(answer.body) as Record<string, unknown>;
        const { date: _date, 'x-request-id': _requestId, ...headers } = answer.headers;
        seen.push({ body, headers, calls: calls.map(({ table, method }) => `${table}.${method}`) });
      }
    }
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(seen[0]?.calls).toEqual(['pins.readLiveUntil']);
    expect((await browser.open(url)).status).toBe(200);
  });

  it.each([
    '',
    'x',
    'urn:ietf:params:oauth:request_uri:',
    'urn:ietf:params:oauth:request_uri:a/b',
    '..%2f..%2fping',
    `urn:ietf:params:oauth:request_uri:${'a'.repeat(1000)}`,
    `urn:ietf:params:oauth:request_uri:${'a'.repeat(9000)}`,
    '%00',
    '%F0%9F%92%A9',
  ])('is not found when it cannot be one at all: %.60j [SB-30]', async (id) => {
    calls.length = 0;
    expectProblem(await ask(world(), id, await world().tokenOf('mallory')), 404, 'not_found');
    expect(calls.filter(({ table }) => table !== 'pins')).toEqual([]);
  });
});

describe('without a verifying user token', () => {
  it('nothing is looked up, and the answer says how to ask [SB-10] [SB-30]', async () => {
    const { sessionUri, token } = await pinnedFlow(world());
    const expired = await world().tokenOf('alice', -10);
    const [head = '', payload = ''] = token.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    const send = (authorization: string) =>
      new Browser().send(`${world().url}/authorizations/${sessionUri}`, { headers: { authorization } });
    calls.length = 0;
    for (const answer of [
      await ask(world(), sessionUri, undefined),
      await send(''),
      await send(`Basic ${token}`),
      await send(token),
      await send(`Bearer ${token}, Bearer ${token}`),
      await send(`Bearer ${expired}`),
      await send(`Bearer ${none}`),
      await send(`Bearer ${head}.${payload}.AAAA`),
      await ask(world(), sessionUri, undefined, `?access_token=${token}`),
      await ask(world(), unknownSessionId(), undefined),
    ]) {
      expectProblem(answer, 401, 'invalid_token');
      expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    }
    expect(calls).toEqual([]);
  });

  it('a browser session proves nothing here [SB-30]', async () => {
    const { browser, sessionUri } = await pinnedFlow(world());
    expectProblem(await browser.send(`${world().url}/authorizations/${sessionUri}`), 401, 'invalid_token');
  });

  it.each(['-1', '26', '1.5', '1e1', '', 'x', ' 1', '999', '1&wait=2'])(
    'nor is wait=%s a time',
    async (wait) => {
      const { sessionUri, token } = await pinnedFlow(world());
      const answer = await ask(world(), sessionUri, token, `?wait=${wait.replace(' ', '%20')}`);
      expectProblem(answer, 400, 'invalid_request');
    },
  );
});

/** Asks, and gives back once the question has reached the store. */
async function beginWaiting(at: World, seen: readonly StoreCall[], sessionUri: string, token: string) {
  const { key = '' } = parseAuthorizationSession(sessionUri) ?? {};
  const asked = () => seen.filter(({ method, args }) => method === 'readLiveUntil' && args[0] === key).length;
  const before = asked();
  const answer = ask(at, sessionUri, token, '?wait=25');
  await until('the question', () => (asked() > before ? true : undefined));
  return answer;
}

describe('a long poll', () => {
  it('is answered by the outcome: completed, or denied', async () => {
    const [done, denied] = [await pinnedFlow(world()), await pinnedFlow(world())];
    const answers = [done, denied].map(({ sessionUri, token }) =>
      ask(world(), sessionUri, token, '?wait=25'),
    );
    await done.browser.open(done.url);
    await denied.browser.open(`${denied.url}&error=access_denied`);
    expect(await Promise.all(answers.map(statusIn))).toEqual(['completed', 'denied']);
  });

  it('is answered on whichever replica it hangs', async () => {
    const { sessionUri, token, browser, url } = await pinnedFlow(world());
    const other = await startWorld({
      store: () => world().store,
      config: { discoveryUrls: [world().issuer.discoveryUrl] },
    });
    const answer = ask(other, sessionUri, token, '?wait=25');
    await browser.open(url);
    expect(await statusIn(answer)).toBe('completed');
  });

  it('says pending when its time is up', async () => {
    const { sessionUri, token } = await pinnedFlow(world());
    expect(await statusIn(ask(world(), sessionUri, token, '?wait=1'))).toBe('pending');
  });

  it('ends at once when the process drains, and none begins after that', async () => {
    const seen: StoreCall[] = [];
    const own = await startWorld({ store: watchStore((call) => seen.push(call)) });
    const { sessionUri, token } = await pinnedFlow(own);
    const answers = [];
    for (let count = 0; count < 3; count += 1) answers.push(beginWaiting(own, seen, sessionUri, token));
    await until('three questions', () =>
      seen.filter(({ method }) => method === 'readLiveUntil').length >= 3 ? true : undefined,
    );
    own.readiness.drain();
    for (const answer of answers) expect(await statusIn(answer)).toBe('pending');
    expect(await statusIn(ask(own, sessionUri, token, '?wait=25'))).toBe('pending');
  });

  it('gives its place back when its client hangs up [SB-21]', async () => {
    const own = await startWorld({ limits: { waiters: 1 } });
    const { sessionUri, token } = await pinnedFlow(own);
    const hoarder = new AbortController();
    const url = `${own.url}/authorizations/${sessionUri}?wait=25`;
    const headers = { authorization: `Bearer ${token}` };
    const { waiting: hoarding } = await takePlace(
      () =>
        fetch(url, { headers, signal: hoarder.signal }).then(
          ({ status }) => status,
          () => 0,
        ),
      () => ask(own, sessionUri, token),
    );
    const refused = await ask(own, sessionUri, token);
    expectProblem(refused, 503, 'overloaded');
    expect(refused.headers['retry-after']).toBe('5');
    hoarder.abort();
    await hoarding;
    await until('a free place', async () =>
      (await ask(own, sessionUri, token)).status === 200 ? true : undefined,
    );
  });

  it('is not held for a client who hung up before it began [SB-21] [SB-22]', async () => {
    let hangUp: (() => Promise<unknown>) | undefined;
    const own = await startWorld({
      limits: { waitersPerUser: 1 },
      store: (store) => ({
        ...store,
        pins: {
          ...store.pins,
          async readLiveUntil(key, user) {
            await hangUp?.();
            hangUp = undefined;
            return store.pins.readLiveUntil(key, user);
          },
        },
      }),
    });
    const { sessionUri, token } = await pinnedFlow(own);
    const { host, port } = new URL(own.url);
    const accepted = new Promise<Socket>((resolve) => own.app.server.once('connection', resolve));
    const socket = connect({ host: '127.0.0.1', port: Number(port) });
    const theirs = await accepted;
    const hasLeft = new Promise((resolve) => theirs.once('close', resolve));
    hangUp = () => {
      socket.resetAndDestroy();
      return hasLeft;
    };
    const path = `/authorizations/${sessionUri}?wait=25`;
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`);
    await until('the end of that client', () => (hangUp === undefined ? true : undefined));
    // Long before the 25 seconds are over.
    const isFree = async () => (await ask(own, sessionUri, token)).status;
    await expect.poll(isFree, { timeout: 10_000 }).toBe(200);
  });

  it('of one user takes no place from the others [SB-22]', async () => {
    const own = await startWorld({ limits: { waitersPerUser: 1 } });
    const [alice, bob] = [await pinnedFlow(own), await pinnedFlow(own, 'bob')];
    let waiting: ReturnType<typeof ask> | undefined;
    await takePlace(
      () => {
        waiting = ask(own, alice.sessionUri, alice.token, '?wait=25');
        return waiting.then(({ status }) => status);
      },
      () => ask(own, alice.sessionUri, alice.token),
    );
    expect(await statusIn(ask(own, bob.sessionUri, bob.token))).toBe('pending');
    await alice.browser.open(alice.url);
    if (waiting === undefined) throw new Error('nobody waits');
    expect(await statusIn(waiting)).toBe('completed');
  });

  it('of a thousand is one question to the store each half second, and all are told [SB-21] [SB-22]', async () => {
    const seen: StoreCall[] = [];
    const own = await startWorld({
      limits: { waitersPerUser: 1000, perTurn: 1000 },
      store: watchStore((call) => seen.push(call)),
    });
    const { browser, url, sessionUri, token } = await pinnedFlow(own);
    const waiting = Array.from({ length: 1000 }, () => ask(own, sessionUri, token, '?wait=25'));
    const questions = () => seen.filter(({ method }) => method === 'readLiveUntil').length;
    await until('a thousand questions', () => (questions() >= 1000 ? true : undefined));
    await browser.open(url);
    const answers = await Promise.all(waiting.map(statusIn));
    expect(answers.filter((status) => status === 'completed')).toHaveLength(1000);
    expect(questions()).toBeLessThan(1100);
  });
});

describe('a page of another origin', () => {
  it('may ask where the operator allows it, and may not elsewhere [SB-03]', async () => {
    const { sessionUri, token } = await pinnedFlow(world());
    const url = `${world().url}/authorizations/${sessionUri}`;
    for (const [origin, allowed] of [
      [world().url, true],
      ['https://attacker.example', false],
      ['null', false],
    ] as const) {
      const preflight = await new Browser().send(url, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'GET',
          'access-control-request-headers': 'authorization',
        },
      });
      const answer = await new Browser().send(url, { headers: { origin, authorization: `Bearer ${token}` } });
      expect([preflight.status, answer.status]).toEqual(allowed ? [204, 200] : [403, 403]);
      const expected = allowed ? origin : undefined;
      expect(preflight.headers['access-control-allow-origin']).toBe(expected);
      expect(answer.headers['access-control-allow-origin']).toBe(expected);
      if (!allowed) continue;
      expect(preflight.headers['access-control-allow-methods']).toBe('GET');
      expect(preflight.headers['access-control-allow-headers']).toBe('authorization');
    }
  });
});

describe('every other method', () => {
  it.each(['POST', 'PUT', 'DELETE', 'HEAD', 'PATCH'])('%s is told so', async (method) => {
    const answer = await new Browser().send(`${world().url}/authorizations/${unknownSessionId()}`, {
      method,
    });
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('OPTIONS, GET');
  });
});
