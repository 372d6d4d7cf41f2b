import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { startBuiltService } from '../support/built-service.ts';
import { consent } from '../support/consent.ts';
import { startReceiver, type Trace } from './otlp-receiver.ts';
import { startRecordingProxy } from '../support/recording-proxy.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SETUP = `${ROOT}/examples/tracing.mjs`;

/** W3C Trace Context of whoever asks, and what else he would like to see travel on. */
function from(traceId: string, flags: '00' | '01') {
  return {
    traceparent: `00-${traceId}-1234567890abcdef-${flags}`,
    tracestate: 'vendor=1',
    baggage: 'canary-baggage=1',
    'x-request-id': 'canary-request-id',
  };
}

const TRACES = {
  post: '00000000000000000000000000000001',
  start: '00000000000000000000000000000002',
  callback: '00000000000000000000000000000003',
  unsampled: '00000000000000000000000000000004',
  wrong: '00000000000000000000000000000005',
  failing: '00000000000000000000000000000006',
};

describe('the set-up file for traces, with a collector', () => {
  // The exporter gives up on a receiver that a busy machine keeps waiting.
  it(
    'gets a span for each step of a flow, in the trace of whoever asked, and nothing secret [SB-16]',
    { retry: 2 },
    async () => {
      const receiver = await startReceiver();
      const agentcore = await startRecordingProxy();
      const service = await startBuiltService({
        NODE_OPTIONS: `--import=${SETUP}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: agentcore.url,
      });
      agentcore.forwardTo(service.agentcore.endpoint);
      const { issuer, agent, url } = service;
      const who = { subject: 'canary-subject', username: 'canary-name', clientId: 'web-client' };
      const secrets: string[] = [];

      /** Pins a flow, starts it, consents and comes back; the requests are of these traces. */
      async function connect(
        headers: Readonly<Record<'post' | 'start' | 'callback', Record<string, string>>>,
      ) {
        const userToken = await issuer.accessToken({ ...who, expiresInSeconds: 600 });
        const flow = await agent.open(userToken);
        const browser = new Browser();
        const body = JSON.stringify({
          user_token: userToken,
          authorization_url: flow.authorizationUrl.replace(service.agentcore.endpoint, agentcore.url),
          label: 'canary',
        });
        const type = { 'content-type': 'application/json', origin: url };
        const posted = await browser.send(`${url}/userIdentifier/token`, {
          method: 'POST',
          headers: { ...type, ...headers.post },
          body,
        });
        expect(posted.status, posted.body).toBe(200);
        const { start_url: startUrl, custom_state: state } = JSON.parse(posted.body) as Record<
          string,
          string
        >;
        const started = await browser.send(startUrl ?? '', { headers: headers.start });
        expect(started.status).toBe(303);
        const callbackUrl = await consent(flow);
        const back = await browser.send(callbackUrl, {
          headers: { accept: 'application/json', ...headers.callback },
        });
        const cookies = [...browser.cookies(url).values()];
        secrets.push(
          ...userToken.split('.'),
          flow.sessionUri.split(':').at(-1) ?? '',
          state ?? '',
          ...cookies,
        );
        return back;
      }

      const sampled = await connect({
        post: from(TRACES.post, '01'),
        start: from(TRACES.start, '01'),
        callback: from(TRACES.callback, '01'),
      });
      expect(sampled.status, sampled.body).toBe(200);
      const none = from(TRACES.unsampled, '00');
      expect((await connect({ post: none, start: none, callback: none })).status).toBe(200);
      service.agentcore.faults.inject('access_denied_iam');
      const failing = from(TRACES.failing, '01');
      expect((await connect({ post: none, start: none, callback: failing })).status).toBe(500);
      const wrong = await new Browser().send(`${url}/canary-path?canary-query=1`, {
        headers: from(TRACES.wrong, '01'),
      });
      expect(wrong.status).toBe(404);
      const own = await new Browser().send(`${url}/oauth2/callback?session_id=canary`, {});
      expect(own.status).toBe(400);

      // What is still in memory is sent at the end.
      service.command.kill('SIGTERM');
      expect(await service.command.ended).toMatchObject({ code: 0 });

      const callback = receiver.trace(TRACES.callback);
      expect(namesIn(receiver.trace(TRACES.post))).toEqual([
        'POST /userIdentifier/token',
        '  verify user token',
        '  keep user token',
        '    store pin.create',
        '    store user_token.write',
        '  store browser_session.remove',
        '  store browser_session.write',
      ]);
      expect(namesIn(receiver.trace(TRACES.start))).toContain('  decide start');
      expect(namesIn(callback)).toEqual(
        expect.arrayContaining([
          'GET /oauth2/callback',
          '  store browser_session.read',
          '  decide callback',
          '    store pin.read',
          '    CompleteResourceTokenAuth',
          '    store completion.record',
        ]),
      );
      const [root] = callback.spans.filter(({ parent }) => parent === '1234567890abcdef');
      expect(root).toMatchObject({
        name: 'GET /oauth2/callback',
        kind: 'server',
        attributes: {
          'http.request.method': 'GET',
          'http.route': '/oauth2/callback',
          'http.response.status_code': 200,
          'session_binding.code': 'completed',
          'session_binding.request_id': sampled.headers['x-request-id'],
        },
      });
      const call = callback.spans.find(({ name }) => name === 'CompleteResourceTokenAuth');
      expect(call).toMatchObject({
        kind: 'client',
        attributes: {
          'session_binding.kind': 'completed',
          'aws.request_id': expect.stringMatching(/^[\w-]{36}$/),
        },
      });
      expect(callback.spans.filter(({ failed }) => failed)).toEqual([]);
      expect(receiver.trace(TRACES.failing).spans.filter(({ failed }) => failed)).toMatchObject([
        { attributes: { 'http.response.status_code': 500, 'session_binding.code': 'agentcore_forbidden' } },
      ]);
      expect(receiver.trace(TRACES.wrong).spans).toMatchObject([
        {
          name: 'GET',
          attributes: { 'http.response.status_code': 404, 'session_binding.code': 'not_found' },
        },
      ]);

      // Asked by nobody's trace, one of our own; asked not to be written down, it is not.
      const [alone] = receiver
        .spans()
        .filter(({ attributes }) => attributes['http.response.status_code'] === 400);
      expect(alone?.parent).toBe('');
      expect(receiver.trace(TRACES.unsampled).spans).toEqual([]);

      // The trace goes on at AWS, and only the trace; the signature does not cover it.
      const [first, second] = agentcore.requests.filter(({ path }) =>
        path.endsWith('/CompleteResourceTokenAuth'),
      );
      expect(first?.headers).toMatchObject({
        traceparent: `00-${TRACES.callback}-${call?.id}-01`,
        tracestate: 'vendor=1',
      });
      expect(second?.headers['traceparent']).toMatch(new RegExp(`^00-${TRACES.unsampled}-[0-9a-f]{16}-00$`));
      expect(first?.headers).not.toHaveProperty('baggage');
      expect(signedHeaders(first?.headers ?? {})).toContain('x-amz-date');
      expect(signedHeaders(first?.headers ?? {}).filter((name) => name.startsWith('trace'))).toEqual([]);

      expect(sampled.headers['x-request-id']).toMatch(/^[\w-]{16}$/);
      expect(TRACES.callback).not.toContain(sampled.headers['x-request-id']);
      expect(receiver.raw()).toContain('agentcore-session-binding');
      for (const secret of ['canary', 'session_id', ...secrets]) expect(receiver.raw()).not.toContain(secret);
    },
  );

  it('is the one of the documentation', () => {
    const page = readFileSync(`${ROOT}/docs/operations.md`, 'utf8');
    expect(page.includes(`\`\`\`js\n${readFileSync(SETUP, 'utf8')}\`\`\``)).toBe(true);
  });

  it('alone makes the service load the API', () => {
    const files = readdirSync(`${ROOT}/src`, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.ts'),
    );
    const users = files.filter((path) =>
      /from '@opentelemetry\/|import \{[^}]*\} from '[^']*telemetry\/traces\.ts'/.test(
        readFileSync(`${ROOT}/src/${path}`, 'utf8'),
      ),
    );
    expect(users).toEqual(['telemetry/traces.ts']);
  });
});

/** The names of a trace's spans in the order of their beginning, each as deep as it stands. */
function namesIn({ spans }: Trace): readonly string[] {
  const depthOf = (id: string): number => {
    const span = spans.find((one) => one.id === id);
    return span === undefined ? 0 : 1 + depthOf(span.parent);
  };
  return spans.map(({ name, parent }) => `${'  '.repeat(depthOf(parent))}${name}`);
}

function signedHeaders({ authorization }: IncomingHttpHeaders): readonly string[] {
  return /SignedHeaders=([^,]+)/.exec(authorization ?? '')?.[1]?.split(';') ?? [];
}
