import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAuthorizationSession } from '../../src/binding/authorization-session.ts';
import { StoreUnavailable } from '../../src/binding/ports.ts';
import { Browser } from '../../src/demo/browser.ts';
import { systemClock } from '../../src/system.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { callbackOf, consent, unknownSessionId, visitAsProgram } from '../support/consent.ts';
import { pinnedFlow, postToken } from '../support/flows.ts';
import { startLoadBalancer } from '../support/load-balancer.ts';
import { watchStore } from '../support/watched-store.ts';
import { startWorld, type WorldOptions } from '../support/world.ts';

/** Every sample whose name begins with ours, without the buckets: `name{labels}` to value. */
async function samplesOf(metrics: Metrics): Promise<Readonly<Record<string, number>>> {
  const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith('session_binding_'));
  const samples = lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line] as const);
  return Object.fromEntries(
    samples
      .filter(([name]) => !name.includes('_bucket{'))
      .map(([name, line]) => [name.replace('session_binding_', ''), Number(line.slice(name.length))]),
  );
}

async function startMeasured(options: WorldOptions = {}) {
  let nowMs = 0;
  const metrics = createMetrics({ ...systemClock, monotonicMs: () => nowMs });
  const world = await startWorld({ ...options, metrics });
  const advance = (ms: number) => (nowMs += ms);
  return { world, metrics, advance, samples: () => samplesOf(metrics) };
}

const outcome = (event: string, code: string) => `outcomes_total{event="${event}",code="${code}"}`;

describe('the metrics', () => {
  it('count a flow from its pin to its end, and tell how old it was', async () => {
    const { world, advance, samples } = await startMeasured();
    const flow = await pinnedFlow(world);
    expect(await samples()).toMatchObject({
      [outcome('user_token', 'kept')]: 1,
      pinned_flows_total: 1,
      open_flows: 1,
    });

    advance(42_000);
    expect((await visitAsProgram(flow.browser, flow.url)).status).toBe(200);

    const after = await samples();
    expect(after).toMatchObject({
      [outcome('callback', 'completed')]: 1,
      open_flows: 0,
      flow_age_seconds_count: 1,
      flow_age_seconds_sum: 42,
      'callback_duration_seconds_count{agentcore="called"}': 1,
      'agentcore_call_duration_seconds_count{answer="completed"}': 1,
      contended_claims_total: 0,
      'key_fetch_duration_seconds_count{source="issuer",result="ok"}': 2,
    });
    for (const record of ['user_token', 'pin', 'attempt', 'completion', 'browser_session']) {
      expect(after[`store_operation_duration_seconds_count{record="${record}",result="ok"}`]).toBeGreaterThan(
        0,
      );
    }
  });

  it('count a flow that nobody finishes as open for ten minutes, and one that is posted twice once', async () => {
    const { world, advance, samples } = await startMeasured();
    const token = await world.tokenOf('alice');
    const { sessionUri } = await world.agent.open(token);
    for (let times = 0; times < 2; times += 1) {
      await postToken(world, new Browser(), { user_token: token, session_uri: sessionUri });
    }
    expect(await samples()).toMatchObject({ open_flows: 1, pinned_flows_total: 1 });
    advance(10 * 60_000 - 1);
    expect(await samples()).toMatchObject({ open_flows: 1 });
    advance(1);
    expect(await samples()).toMatchObject({ open_flows: 0, pinned_flows_total: 1 });
  });

  it('keep a flow open that was denied or could not be finished: it still can be', async () => {
    const { world, samples } = await startMeasured();
    const token = await world.tokenOf('alice');
    const { sessionUri, ...opened } = await world.agent.open(token);
    const browser = await world.signedIn(token, { session_uri: sessionUri });
    expect((await visitAsProgram(browser, await consent({ ...opened, sessionUri }, 'deny'))).status).toBe(
      403,
    );
    expect(await samples()).toMatchObject({ open_flows: 1, [outcome('callback', 'consent_denied')]: 1 });
  });

  it('count what AgentCore did not answer, by reason', async () => {
    const { world, samples } = await startMeasured();
    const flow = await pinnedFlow(world);
    world.agentcore.faults.inject('throttled');
    expect((await visitAsProgram(flow.browser, flow.url)).status).toBe(503);
    expect(await samples()).toMatchObject({
      [outcome('callback', 'agentcore_unavailable')]: 1,
      'agentcore_call_duration_seconds_count{answer="unavailable"}': 3,
      'agentcore_unavailable_total{reason="throttled"}': 3,
      open_flows: 1,
    });
  });

  it('count two visits at once as one call and one contended claim', async () => {
    const { world, samples } = await startMeasured();
    const flow = await pinnedFlow(world);
    world.agentcore.faults.inject({ slowMs: 200 });
    const visits = await Promise.all([
      visitAsProgram(flow.browser, flow.url),
      visitAsProgram(flow.browser, flow.url),
    ]);
    expect(visits.map(({ status }) => status)).toEqual([200, 200]);
    expect(await samples()).toMatchObject({
      contended_claims_total: 1,
      'agentcore_call_duration_seconds_count{answer="completed"}': 1,
    });
  });

  it('count shed and limited requests', async () => {
    const { world, samples } = await startMeasured({
      config: { rateLimitPerMinute: 2 },
      limits: { inFlight: 0 },
    });
    const browser = new Browser();
    expect((await browser.open(callbackOf(world.url, unknownSessionId()))).status).toBe(503);
    for (const status of [400, 400, 429]) {
      expect((await browser.open(`${world.url}/oauth2/callback`)).status).toBe(status);
    }
    expect(await samples()).toMatchObject({
      [outcome('refused', 'overloaded')]: 1,
      [outcome('refused', 'invalid_request')]: 2,
      [outcome('refused', 'rate_limited')]: 1,
    });
  });

  it('count and time what the store does not do', async () => {
    let isDown = false;
    const { world, samples } = await startMeasured({
      store: watchStore(() => {
        if (isDown) throw new StoreUnavailable('down');
      }),
    });
    const flow = await pinnedFlow(world);
    isDown = true;
    expect((await visitAsProgram(flow.browser, flow.url)).status).toBe(503);
    const after = await samples();
    expect(after).toMatchObject({
      [outcome('error', 'store_unavailable')]: 1,
      'store_operation_duration_seconds_count{record="browser_session",result="failed"}': 1,
    });
  });

  it('count the identities of a load balancer that do not count, by reason [SB-20]', async () => {
    const loadBalancer = await startLoadBalancer();
    onTestFinished(() => loadBalancer.close());
    const { world, samples } = await startMeasured({ config: loadBalancer.config });
    const claims = { sub: 'sub-of-alice', username: 'alice' };
    const header = { signer: 'arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/canary/1' };
    const identity = loadBalancer.identityOf(world.issuer.issuer, claims, { header });
    const url = callbackOf(world.url, unknownSessionId());
    for (const headers of [{}, { 'x-amzn-oidc-data': identity }, { 'x-amzn-oidc-data': identity }]) {
      expect((await new Browser().send(url, { headers })).status).toBe(401);
    }
    const found = Object.entries(await samples()).filter(([name]) => name.startsWith('load_balancer'));
    expect(Object.fromEntries(found)).toEqual({
      'load_balancer_refusals_total{reason="header_missing"}': 1,
      'load_balancer_refusals_total{reason="wrong_signer"}': 2,
    });
    const good = loadBalancer.identityOf(world.issuer.issuer, claims);
    await new Browser().send(url, { headers: { 'x-amzn-oidc-data': good } });
    expect(await samples()).toMatchObject({ 'sign_ins_total{by="load_balancer"}': 1 });
  });

  it('count requests to an issuer that fail', async () => {
    const { world, samples } = await startMeasured({
      issuerFetch: () => async () => Promise.reject(new TypeError('fetch failed')),
    });
    expect((await postToken(world, new Browser(), { user_token: await world.tokenOf('alice') })).status).toBe(
      503,
    );
    expect(await samples()).toMatchObject({
      [outcome('user_token', 'issuer_unavailable')]: 1,
      'key_fetch_duration_seconds_count{source="issuer",result="failed"}': 1,
    });
  });

  it('pass every event on to the log, and count what no flow above comes to', async () => {
    const heard: string[] = [];
    const hear = (name: string) => () => void heard.push(name);
    const metrics = createMetrics(systemClock);
    const audit = metrics.measureAudit({
      decided: hear('decided'),
      started: hear('started'),
      recordLost: hear('recordLost'),
      userTokenPosted: hear('userTokenPosted'),
      signedIn: hear('signedIn'),
      signedOut: hear('signedOut'),
      loadBalancerRefused: hear('loadBalancerRefused'),
      recordUnreadable: hear('recordUnreadable'),
      requestRefused: hear('requestRefused'),
      requestFailed: hear('requestFailed'),
    });
    const user = { issuer: 'https://issuer.example.com', subject: 'alice' };
    const authorizationSession = parseAuthorizationSession(unknownSessionId());
    if (authorizationSession === undefined) throw new TypeError('well-formed');
    const about = { requestId: 'a', authorizationSession };
    const call = { answer: 'completed', durationMs: 1 };

    audit.decided({ ...about, outcome: { code: 'in_progress', calls: [] }, durationMs: 1 });
    audit.decided({ ...about, outcome: { code: 'completed', calls: [call] }, durationMs: 1 });
    audit.started({ requestId: 'a', authorizationSessionKey: 'k', user, code: 'started' });
    audit.recordLost({ ...about, code: 'completed' });
    // Somebody else's flow is not pinned by this.
    audit.userTokenPosted({ ...about, user, code: 'user_mismatch' });
    audit.signedIn({ requestId: 'a', user, by: 'login' });
    audit.signedOut({ requestId: 'a', user, forgets: true });
    audit.loadBalancerRefused({ requestId: 'a', reason: 'expired' });
    audit.recordUnreadable({ kind: 'pin' });
    audit.requestRefused({ requestId: 'a', code: 'not_found' });
    audit.requestFailed({ requestId: 'a', code: 'internal_error', error: new Error('x') });

    expect(heard).toEqual(['decided', ...Object.keys(audit)]);
    const samples = await samplesOf(metrics);
    expect(samples).toMatchObject({
      [outcome('callback', 'in_progress')]: 1,
      [outcome('start', 'started')]: 1,
      [outcome('user_token', 'user_mismatch')]: 1,
      [outcome('refused', 'not_found')]: 1,
      [outcome('error', 'internal_error')]: 1,
      'callback_duration_seconds_count{agentcore="called"}': 1,
      'callback_duration_seconds_count{agentcore="not_called"}': 1,
      contended_claims_total: 1,
      lost_records_total: 1,
      pinned_flows_total: 0,
      open_flows: 0,
      'sign_ins_total{by="login"}': 1,
      'load_balancer_refusals_total{reason="expired"}': 1,
      'unreadable_records_total{kind="pin"}': 1,
    });
    // A call that AgentCore answered is none that it did not.
    expect(Object.keys(samples).filter((name) => name.startsWith('agentcore_unavailable'))).toEqual([]);
  });

  it('tell a key server that refuses from one that does not answer', async () => {
    const metrics = createMetrics(systemClock);
    const answering = (status: number) => async () => new Response('', { status });
    await metrics.measureKeyFetch('load_balancer', answering(200))('https://keys.example.com');
    await metrics.measureKeyFetch('load_balancer', answering(403))('https://keys.example.com');
    expect(await samplesOf(metrics)).toMatchObject({
      'key_fetch_duration_seconds_count{source="load_balancer",result="ok"}': 1,
      'key_fetch_duration_seconds_count{source="load_balancer",result="refused"}': 1,
    });
  });

  it('name no user, flow, token or address [SB-16]', async () => {
    const { world, metrics } = await startMeasured();
    const flow = await pinnedFlow(world, 'canary-user');
    await visitAsProgram(flow.browser, flow.url);
    const text = await metrics.render();
    const id = flow.sessionUri.split(':').at(-1) ?? '';
    for (const canary of ['canary', id, flow.token, '127.0.0.1', world.url])
      expect(text).not.toContain(canary);
  });

  it('tell of the event loop and the process', async () => {
    const text = await createMetrics(systemClock).render();
    for (const name of [
      'nodejs_eventloop_lag_p99_seconds',
      'process_resident_memory_bytes',
      'process_cpu_seconds_total',
    ]) {
      expect(text).toContain(`\n${name}`);
    }
  });
});
