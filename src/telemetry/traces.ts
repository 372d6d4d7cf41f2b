import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Audit } from './audit.ts';

/**
 * Spans for the SDK that the operator has loaded. Names and attributes are words of closed sets, and the reference of
 * the request: never an address with its query, a token, a state, a flow or a user (SB-16).
 */
export interface Traces {
  /** One span a request, from its first hook to the last byte of its answer. Comes before every other hook. */
  readonly traceRequests: (app: FastifyInstance) => void;
  /** The same audit, whose codes stand in the span of their request, too. */
  readonly traceAudit: (audit: Audit) => Audit;
  /**
   * The same function, each call of which is a span within that of its request, with how it ended; outside of one it is
   * none.
   */
  readonly traceCalls: <Args extends readonly unknown[], Result>(
    name: string,
    call: (...args: Args) => Promise<Result>,
    kind?: 'internal' | 'client',
  ) => (...args: Args) => Promise<Result>;
  /** Runs one operation of the store in such a span. What a record says stays out of it. */
  readonly traceOperation: (record: string, method: string, run: () => Promise<unknown>) => Promise<unknown>;
  /** Headers that tell the other side which span is asking. */
  readonly outgoingHeaders: () => Readonly<Record<string, string>>;
}

/** All that leaves: baggage is what strangers wrote, and would travel on to AWS. */
const TRACE_CONTEXT = ['traceparent', 'tracestate'];
const OUTGOING = {
  set(headers: Record<string, string>, name: string, value: string) {
    if (TRACE_CONTEXT.includes(name)) headers[name] = value;
  },
};

const REQUEST_SPAN = createContextKey('session-binding request');
const PREFIX = 'session_binding.';

/** Of a result, what is a word of ours. */
const WORDS = ['kind', 'code', 'reason'] as const;

export function createTraces(): Traces {
  const tracer = trace.getTracer('agentcore-session-binding');
  const requests = new WeakMap<FastifyRequest, Span>();

  function begin(request: FastifyRequest): Context {
    const { method, headers } = request;
    // Which trace it belongs to is all that is believed of a stranger: his baggage, which the operator's SDK may write
    // into every span, is not.
    const parent = propagation.deleteBaggage(propagation.extract(ROOT_CONTEXT, headers));
    const { url: route } = request.routeOptions;
    const attributes = {
      'http.request.method': method,
      ...(route !== undefined && { 'http.route': route }),
      [`${PREFIX}request_id`]: request.id,
    };
    const name = route === undefined ? method : `${method} ${route}`;
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
    requests.set(request, span);
    return trace.setSpan(parent, span).setValue(REQUEST_SPAN, span);
  }

  /** The span of the request in which this is called, until it ends. */
  function requestSpan(): Span | undefined {
    // Nobody else has this key.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const span = context.active().getValue(REQUEST_SPAN) as Span | undefined;
    return span?.isRecording() === true ? span : undefined;
  }

  async function inSpan<Result>(
    name: string,
    kind: SpanKind,
    run: () => Promise<Result>,
    describe?: (result: Result) => Attributes,
  ): Promise<Result> {
    if (requestSpan() === undefined) return run();
    const span = tracer.startSpan(name, { kind });
    try {
      const result = await context.with(trace.setSpan(context.active(), span), run);
      if (describe !== undefined) span.setAttributes(describe(result));
      return result;
    } catch (error) {
      // Its name: the message may hold what caused it.
      const type = error instanceof Error ? error.name : 'unknown';
      span.setAttribute('error.type', type).setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }

  const tellCode = (code: string) => void requestSpan()?.setAttribute(`${PREFIX}code`, code);

  return {
    traceRequests(app) {
      app.addHook('onRequest', (request, _reply, done) => context.with(begin(request), done));
      app.addHook('onResponse', (request, { statusCode }, done) => {
        const span = requests.get(request);
        span?.setAttribute('http.response.status_code', statusCode);
        if (statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
        span?.end();
        done();
      });
    },

    traceAudit: (audit) => ({
      ...audit,
      decided(event) {
        audit.decided(event);
        tellCode(event.outcome.code);
      },
      started(event) {
        audit.started(event);
        tellCode(event.code);
      },
      userTokenPosted(event) {
        audit.userTokenPosted(event);
        tellCode(event.code);
      },
      requestRefused(event) {
        audit.requestRefused(event);
        tellCode(event.code);
      },
      requestFailed(event) {
        audit.requestFailed(event);
        tellCode(event.code);
      },
    }),

    traceCalls:
      (name, call, kind = 'internal') =>
      (...args) =>
        inSpan(name, kind === 'client' ? SpanKind.CLIENT : SpanKind.INTERNAL, () => call(...args), wordsOf),

    traceOperation: (record, method, run) => inSpan(`store ${record}.${method}`, SpanKind.INTERNAL, run),

    outgoingHeaders() {
      const headers: Record<string, string> = {};
      propagation.inject(context.active(), headers, OUTGOING);
      return headers;
    },
  };
}

function wordsOf(result: unknown): Attributes {
  if (typeof result !== 'object' || result === null) return {};
  const facts = new Map<string, unknown>(Object.entries(result));
  const words = WORDS.flatMap((word) => {
    const value = facts.get(word);
    return typeof value === 'string' ? [[`${PREFIX}${word}`, value] as const] : [];
  });
  const awsRequestId = facts.get('awsRequestId');
  return {
    ...Object.fromEntries(words),
    ...(typeof awsRequestId === 'string' && { 'aws.request_id': awsRequestId }),
  };
}
