import { type Baggage, propagation } from '@opentelemetry/api';
import { NodeTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { fastify } from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { createTraces } from '../../src/telemetry/traces.ts';

it('of a stranger reaches no span processor, which may write it into every span; his trace does [SB-16]', async () => {
  const seen: { readonly traceId: string; readonly baggage: Baggage | undefined }[] = [];
  const processor: SpanProcessor = {
    onStart: (span, parent) =>
      void seen.push({ traceId: span.spanContext().traceId, baggage: propagation.getBaggage(parent) }),
    onEnd: () => undefined,
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  const provider = new NodeTracerProvider({ spanProcessors: [processor] });
  provider.register();
  onTestFinished(() => provider.shutdown());

  const traces = createTraces();
  const app = fastify();
  traces.traceRequests(app);
  const decide = traces.traceCalls('decide', async () => ({ kind: 'done' }));
  app.get('/', () => decide());
  const traceId = '0000000000000000000000000000000a';
  await app.inject({
    url: '/',
    headers: { traceparent: `00-${traceId}-1234567890abcdef-01`, baggage: 'user=mallory' },
  });

  expect(seen).toEqual([
    { traceId, baggage: undefined },
    { traceId, baggage: undefined },
  ]);
});
