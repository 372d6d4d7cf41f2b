import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'agentcore-session-binding' }),
  // Where to: OTEL_EXPORTER_OTLP_ENDPOINT, http://localhost:4318 by default.
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();
// The service has drained, and nothing is left to do.
process.once('beforeExit', () => void provider.shutdown());
