import { createServer } from 'node:http';
import { listenForTest } from '../support/listen-for-test.ts';

/** A span as it was exported, with what tests ask of it. */
export interface ExportedSpan {
  readonly trace: string;
  readonly id: string;
  /** Empty where there is none. */
  readonly parent: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'other';
  /** Its status is an error. */
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly start: string;
}

export interface Trace {
  /** In the order of their beginning. */
  readonly spans: readonly ExportedSpan[];
}

/** A collector that takes traces as OTLP over HTTP, in JSON. */
export interface Receiver {
  readonly url: string;
  spans(): readonly ExportedSpan[];
  trace(id: string): Trace;
  /** Everything that was sent to it. */
  raw(): string;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly status?: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

const KINDS: Readonly<Record<number, ExportedSpan['kind']>> = { 1: 'internal', 2: 'server', 3: 'client' };

export async function startReceiver(): Promise<Receiver> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      bodies.push(`${request.url ?? ''}\n${body}`);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  const url = await listenForTest(server);
  const spans = () =>
    bodies
      .map((text) => JSON.parse(text.slice(text.indexOf('\n'))) as OtlpBody)
      .flatMap(({ resourceSpans }) => resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap((scope) => scope.spans)
      .map(readSpan)
      .toSorted((one, other) => (BigInt(one.start) < BigInt(other.start) ? -1 : 1));
  return {
    url,
    spans,
    trace: (id) => ({ spans: spans().filter(({ trace }) => trace === id) }),
    raw: () => bodies.join('\n'),
  };
}

function readSpan(span: OtlpSpan): ExportedSpan {
  const { traceId: trace, spanId: id, parentSpanId: parent = '', name, startTimeUnixNano: start } = span;
  const pairs = span.attributes.map(({ key, value }) => [key, Object.values(value)[0]] as const);
  return {
    trace,
    id,
    parent,
    name,
    kind: KINDS[span.kind] ?? 'other',
    attributes: Object.fromEntries(pairs),
    failed: span.status?.code === 2,
    start,
  };
}
