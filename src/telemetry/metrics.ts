import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../binding/clock.ts';
import type { Audit } from './audit.ts';
import { OpenFlows } from './open-flows.ts';

export type KeySource = 'issuer' | 'load_balancer';

export interface Metrics {
  /** The same audit, whose events are counted, too. */
  measureAudit(audit: Audit): Audit;
  /** The same `fetch`, whose requests are timed, too. */
  measureKeyFetch(source: KeySource, fetch: typeof globalThis.fetch): typeof globalThis.fetch;
  /** `record`: which records, one word of a closed set. */
  readonly observeStore: (operation: {
    readonly record: string;
    readonly succeeded: boolean;
    readonly durationMs: number;
  }) => void;
  /** In the text format of Prometheus. */
  readonly contentType: string;
  render(): Promise<string>;
}

const PREFIX = 'session_binding_';
/** Seconds. A callback has ten of them, and AgentCore three for each call. */
const CALL_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10];
const STORE_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1];
/** Seconds between pin and callback; a flow lives for six hundred. */
const AGE_BUCKETS = [5, 10, 20, 30, 60, 120, 300, 450, 600];

/**
 * Every metric of the service. Labels are words of closed sets, never anything that a request brought along: a label
 * per user, flow or address would name people (SB-16) and grow without end (SB-22).
 */
export function createMetrics(clock: Clock): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const openFlows = new OpenFlows(clock);

  const outcomes = new Counter({
    name: `${PREFIX}outcomes_total`,
    help: 'Audit events by outcome code: callbacks, start links, posted user tokens, refused requests, errors.',
    labelNames: ['event', 'code'],
    registers,
  });
  const callbackDuration = new Histogram({
    name: `${PREFIX}callback_duration_seconds`,
    help: 'Time from the end of the HTTP checks to the outcome of a callback, by whether AgentCore was called.',
    labelNames: ['agentcore'],
    buckets: CALL_BUCKETS,
    registers,
  });
  const callDuration = new Histogram({
    name: `${PREFIX}agentcore_call_duration_seconds`,
    help: 'Calls of CompleteResourceTokenAuth, by what AgentCore made of them.',
    labelNames: ['answer'],
    buckets: CALL_BUCKETS,
    registers,
  });
  const unavailable = new Counter({
    name: `${PREFIX}agentcore_unavailable_total`,
    help: 'Calls that AgentCore did not confirm or refuse, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const contended = new Counter({
    name: `${PREFIX}contended_claims_total`,
    help: 'Callbacks that found another visit of the same user at the same flow.',
    registers,
  });
  const lostRecords = new Counter({
    name: `${PREFIX}lost_records_total`,
    help: 'Callbacks whose end AgentCore told, and the store did not take.',
    registers,
  });
  const unreadable = new Counter({
    name: `${PREFIX}unreadable_records_total`,
    help: 'Records of the store that these secrets cannot open, by kind.',
    labelNames: ['kind'],
    registers,
  });
  const signIns = new Counter({
    name: `${PREFIX}sign_ins_total`,
    help: 'Browsers that became somebody other than by posting a user token, by the way they did.',
    labelNames: ['by'],
    registers,
  });
  const identityRefusals = new Counter({
    name: `${PREFIX}load_balancer_refusals_total`,
    help: 'Requests that came without an identity of the load balancer that counts, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const pinned = new Counter({
    name: `${PREFIX}pinned_flows_total`,
    help: 'Flows that this process saw pinned.',
    registers,
  });
  const age = new Histogram({
    name: `${PREFIX}flow_age_seconds`,
    help: 'Age of a flow at its callback, of flows that this process saw pinned.',
    buckets: AGE_BUCKETS,
    registers,
  });
  const storeDuration = new Histogram({
    name: `${PREFIX}store_operation_duration_seconds`,
    help: 'Operations of the store, by kind of record and result.',
    labelNames: ['record', 'result'],
    buckets: STORE_BUCKETS,
    registers,
  });
  const fetchDuration = new Histogram({
    name: `${PREFIX}key_fetch_duration_seconds`,
    help: 'Requests for discovery documents and keys, by whose they are and result.',
    labelNames: ['source', 'result'],
    buckets: CALL_BUCKETS,
    registers,
  });
  const open = new Gauge({
    name: `${PREFIX}open_flows`,
    help: 'Flows that this process saw pinned in the last ten minutes, and not ended.',
    registers: [],
    collect() {
      this.set(openFlows.count());
    },
  });
  registry.registerMetric(open);

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    measureAudit: (audit) => ({
      ...audit,
      decided(event) {
        audit.decided(event);
        const { outcome, authorizationSession, durationMs } = event;
        const { code, reason, calls } = outcome;
        outcomes.inc({ event: 'callback', code });
        callbackDuration.observe(
          { agentcore: calls.length > 0 ? 'called' : 'not_called' },
          durationMs / 1000,
        );
        for (const call of calls) {
          callDuration.observe({ answer: call.answer }, call.durationMs / 1000);
          if (call.answer === 'unavailable') unavailable.inc({ reason: call.reason ?? 'unknown' });
        }
        if (code === 'in_progress' || reason === 'waited') contended.inc();
        if (authorizationSession === undefined) return;
        const ageMs = openFlows.ageMs(authorizationSession.key);
        if (ageMs !== undefined) age.observe(ageMs / 1000);
        if (code === 'completed') openFlows.end(authorizationSession.key);
      },
      started(event) {
        audit.started(event);
        outcomes.inc({ event: 'start', code: event.code });
      },
      recordLost(event) {
        audit.recordLost(event);
        lostRecords.inc();
      },
      userTokenPosted(event) {
        audit.userTokenPosted(event);
        outcomes.inc({ event: 'user_token', code: event.code });
        if (event.code !== 'kept' || event.authorizationSession === undefined) return;
        if (openFlows.begin(event.authorizationSession.key)) pinned.inc();
      },
      signedIn(event) {
        audit.signedIn(event);
        signIns.inc({ by: event.by });
      },
      loadBalancerRefused(event) {
        audit.loadBalancerRefused(event);
        identityRefusals.inc({ reason: event.reason });
      },
      recordUnreadable(event) {
        audit.recordUnreadable(event);
        unreadable.inc({ kind: event.kind });
      },
      requestRefused(event) {
        audit.requestRefused(event);
        outcomes.inc({ event: 'refused', code: event.code });
      },
      requestFailed(event) {
        audit.requestFailed(event);
        outcomes.inc({ event: 'error', code: event.code });
      },
    }),
    measureKeyFetch: (source, fetch) => async (input, init) => {
      const startedMs = clock.monotonicMs();
      const observe = (result: string) =>
        fetchDuration.observe({ source, result }, (clock.monotonicMs() - startedMs) / 1000);
      try {
        const response = await fetch(input, init);
        observe(response.ok ? 'ok' : 'refused');
        return response;
      } catch (error) {
        observe('failed');
        throw error;
      }
    },
    observeStore: ({ record, succeeded, durationMs }) =>
      storeDuration.observe({ record, result: succeeded ? 'ok' : 'failed' }, durationMs / 1000),
  };
}
