import { expect, it, vi } from 'vitest';
import { Agent } from '../../src/demo/agent.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { CLIENT_ID } from '../support/built-service.ts';
import { describeWithRedis } from '../support/redis.ts';
import { type Fleet, type Replica, startFleet } from './fleet.ts';

// Processes are killed, rolled and started anew throughout.
vi.setConfig({ testTimeout: 170_000 });

/** How a flow ended, as its person sees it. */
type Ending = 'bound' | 'refused' | 'retryable' | 'unknown';

interface EndedFlow {
  readonly sessionUri: string;
  readonly user: string;
  readonly ending: Ending;
  readonly code: string;
}

const USERS = 12;
const FLOWS_AT_LEAST = 3;
const UNREST = ['crash', 'roll', 'crash', 'roll'] as const;
/** Between two flows of a person, so that a slow start of a process does not mean thousands of them. */
const PAUSE_MS = 1_500;
/** Below the 32 live pins that a user may have. */
const FLOWS_AT_MOST = 28;
/** Contract §10: who lost a replica in the middle of a callback can finish within thirty seconds. */
const PATIENCE_MS = 30_000;
const AGENTCORE_TAKES_MS = 120;

describeWithRedis('three replicas on one store', () => {
  it('lose no flow and bind none twice while replicas are killed and rolled [SB-08] [SB-09]', async () => {
    const fleet = await startFleet();
    const { agentcore, replicas } = fleet;
    agentcore.faults.inject({ slowMs: AGENTCORE_TAKES_MS });
    const agent = new Agent({ endpoint: agentcore.endpoint, returnUrl: `${fleet.url}/oauth2/callback` });

    const calm = new AbortController();
    const people = Array.from({ length: USERS }, (_, index) =>
      livePerson(fleet, agent, `user-${index + 1}`, calm.signal),
    );
    const exitCodes: (number | null)[] = [];
    for (const [round, unrest] of UNREST.entries()) {
      const replica = replicas[round % replicas.length];
      if (replica === undefined) throw new Error('three replicas were started');
      await inTheMiddleOfACallback(agentcore);
      if (unrest === 'crash') await fleet.crash(replica);
      else exitCodes.push(await fleet.roll(replica));
    }
    calm.abort();
    const lives = await Promise.all(people);
    const flows = lives.flatMap(({ ended }) => ended);
    const started = lives.reduce((sum, life) => sum + life.started, 0);
    agent.close();

    const count = (ending: Ending) => flows.filter((flow) => flow.ending === ending).length;
    const counts = {
      started,
      bound: count('bound'),
      refused: count('refused'),
      retryable: count('retryable'),
      unknown: count('unknown'),
    };
    const story = JSON.stringify({ counts, endings: flows.map(({ code }) => code) });
    expect(counts.started, story).toBeGreaterThanOrEqual(USERS * FLOWS_AT_LEAST);
    // Lost: none.
    expect(counts.bound + counts.refused + counts.retryable + counts.unknown, story).toBe(counts.started);
    // Nobody did anything that could be refused, and thirty seconds are enough for everybody.
    expect([counts.refused, counts.retryable], story).toEqual([0, 0]);
    // A lost process may leave a doubt, but most flows were not under way in it.
    expect(counts.bound, story).toBeGreaterThan(counts.started / 2);

    const accepted = agentcore.bindings.map(({ sessionUri }) => sessionUri);
    expect(new Set(accepted).size, 'accepted twice').toBe(accepted.length);
    for (const { sessionUri, user, ending } of flows) {
      const owner = agentcore.vaultOwnerOf(sessionUri);
      if (owner !== undefined) expect(owner).toMatchObject({ kind: 'jwt', subject: `sub-of-${user}` });
      if (ending === 'bound') expect(owner, story).toBeDefined();
    }
    // A roll lets what is in flight finish: nobody is cut off by a deploy.
    expect(exitCodes).toEqual([0, 0]);
  });
});

/** One user, one flow after the other until the unrest is over, each step at another replica. */
async function livePerson(fleet: Fleet, agent: Agent, user: string, calm: AbortSignal) {
  const browser = new Browser();
  const ended: EndedFlow[] = [];
  let started = 0;
  while (started < FLOWS_AT_LEAST || (!calm.aborted && started < FLOWS_AT_MOST)) {
    started += 1;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const userToken = await fleet.issuer.accessToken({
      subject: `sub-of-${user}`,
      username: user,
      clientId: CLIENT_ID,
    });
    const flow = await agent.open(userToken);
    const body = { user_token: userToken, session_uri: flow.sessionUri };
    await insist(fleet, ({ url }) => browser.postJson(`${url}/userIdentifier/token`, fleet.url, body), {
      until: ({ status }) => status === 200,
    });
    const consent = await fetch(flow.authorizationUrl, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ decision: 'allow' }),
    });
    const { search } = new URL(consent.headers.get('location') ?? '');
    // An impatient person: the same link in two tabs, which two replicas get.
    const [page] = await Promise.all([
      visit(fleet, browser, search),
      started % 2 === 0 ? undefined : visit(fleet, browser, search),
    ]);
    ended.push({ sessionUri: flow.sessionUri, user, ...read(page) });
  }
  return { started, ended };
}

/** Opens the callback, and again as its page says, for as long as that can help. */
function visit(fleet: Fleet, browser: Browser, search: string): Promise<Page | undefined> {
  const headers = { accept: 'application/json', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  return insist(fleet, ({ url }) => browser.send(`${url}/oauth2/callback${search}`, { headers }), {
    until: (page) => read(page).ending !== 'retryable',
  });
}

async function insist(
  fleet: Fleet,
  ask: (replica: Replica) => Promise<Page>,
  { until: isDone }: { readonly until: (page: Page) => boolean },
): Promise<Page | undefined> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  let last: Page | undefined;
  while (performance.now() < deadlineMs) {
    // A replica that dies while it answers is a broken connection: the browser shows an error, people reload.
    last = await ask(fleet.choose()).catch(() => undefined);
    if (last !== undefined && isDone(last)) return last;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return last;
}

function read(page: Page | undefined): { readonly ending: Ending; readonly code: string } {
  if (page === undefined) return { ending: 'retryable', code: 'no answer' };
  const answer = JSON.parse(page.body) as { readonly status?: unknown; readonly code?: string };
  const code = answer.code ?? String(answer.status);
  if (code === 'completed') return { ending: 'bound', code };
  if (code === 'outcome_unknown') return { ending: 'unknown', code };
  return { ending: page.status >= 500 || page.status === 202 ? 'retryable' : 'refused', code };
}

/** A call has reached AgentCore and its answer is not out yet. */
async function inTheMiddleOfACallback(agentcore: Fleet['agentcore']): Promise<void> {
  const before = agentcore.completeCalls;
  const deadlineMs = performance.now() + 5_000;
  while (agentcore.completeCalls === before && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
