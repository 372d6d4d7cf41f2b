import { describe, expect, it } from 'vitest';
import { expectNoCookie, expectPage, expectProblem } from '../support/answers.ts';
import { cookieHeader, pinnedFlow } from '../support/flows.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareWorld } from '../support/shared-world.ts';
import { type StoreCall, watchStore } from '../support/watched-store.ts';

const calls: StoreCall[] = [];
const world = shareWorld({
  config: { allowedHosts: ['binding.example.com'] },
  store: watchStore((call) => calls.push(call)),
});

const MALFORMED: readonly string[] = [
  '',
  'Host: \r\n',
  'Host: localhost\r\nHost: localhost\r\n',
  'Host: localhost\r\nHost: evil.example\r\n',
  'Host: evil.example\r\nhost: localhost\r\n',
  'Host: localhost, evil.example\r\n',
  'Host: localhost evil.example\r\n',
  'Host: evil@localhost\r\n',
  'Host: localhost/evil\r\n',
  'Host: localhost?evil\r\n',
  'Host: localhost#evil\r\n',
  'Host: localhost\\evil\r\n',
  'Host: http://localhost\r\n',
  'Host: localhost:80:80\r\n',
  'Host: localhost:evil\r\n',
  'Host: localhost:999999\r\n',
  'Host: ::1\r\n',
  'Host: [::1\r\n',
  'Host: [evil]\r\n',
  'Host: %6cocalhost\r\n',
  'Host: l\u00f6calhost\r\n',
];

const FOREIGN: readonly string[] = [
  'evil.example',
  'evil.example:9090',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'evil.localhost.example',
  'xbinding.example.com',
  'binding.example.com.evil.example',
  'sub.binding.example.com',
  'localhost.',
  '127.1',
  '0.0.0.0',
  '2130706433',
  '0x7f.0.0.1',
  '169.254.169.254',
  '10.0.0.1',
  '[::]',
  '[::ffff:127.0.0.1]',
];

const OURS: readonly string[] = [
  'localhost',
  'localhost:9090',
  'LOCALHOST',
  'localhost:',
  'app.localhost',
  '127.0.0.1',
  '127.0.0.53:80',
  '[::1]:9090',
  'binding.example.com',
  'Binding.Example.com:443',
];

describe('the callback', () => {
  it.each(MALFORMED)('takes exactly one well-formed Host, not %j [SB-19]', async (hostLines) => {
    const { flow, answer } = await visit(hostLines);
    expectProblem(answer, 400, 'invalid_request');
    expectUntouched(flow, answer);
  });

  it.each(FOREIGN)(
    'does not answer under %s: a page may have rebound its name to us [SB-19]',
    async (host) => {
      const { flow, answer } = await visit(`Host: ${host}\r\n`);
      expectProblem(answer, 421, 'misdirected_host');
      expectUntouched(flow, answer);
    },
  );

  it.each(OURS)('answers under %s', async (host) => {
    const { answer } = await visit(`Host: ${host}\r\n`);
    expect([answer.status, answer.body]).toEqual([200, '{"status":"completed"}']);
  });

  it('tells a person who came by a wrong name, in words', async () => {
    const answer = await sendRaw(
      world().url,
      'GET /oauth2/callback HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\n\r\n',
    );
    expectPage(answer, 421, 'misdirected_host');
    expect(answer.body).not.toContain('evil');
  });
});

describe('a probe', () => {
  it.each(['/ping', '/ready'])('of %s is answered under any Host, and under none', async (path) => {
    for (const hostLines of ['', 'Host: 10.0.0.7:9090\r\n', 'Host: a\r\nHost: b\r\n']) {
      const answer = await sendRaw(world().url, `GET ${path} HTTP/1.1\r\n${hostLines}\r\n`);
      expect(answer.status).toBe(200);
    }
  });

  it('of HTTP/1.0, without Host, is answered too', async () => {
    expect((await sendRaw(world().url, 'GET /ping HTTP/1.0\r\n\r\n')).status).toBe(200);
  });
});

let visits = 0;

async function visit(hostLines: string) {
  visits += 1;
  const flow = await pinnedFlow(world(), `visitor-${visits}`);
  calls.length = 0;
  const { pathname, search } = new URL(flow.url);
  const cookie = cookieHeader(flow.browser, flow.url);
  const bytes = `GET ${pathname}${search} HTTP/1.1\r\n${hostLines}Cookie: ${cookie}\r\nAccept: application/json\r\n\r\n`;
  return { flow, answer: await sendRaw(world().url, Buffer.from(bytes, 'latin1')) };
}

function expectUntouched(
  { sessionUri }: { sessionUri: string },
  answer: Awaited<ReturnType<typeof sendRaw>>,
): void {
  expectNoCookie(answer);
  expect(answer.body).not.toContain('evil');
  expect(calls).toEqual([]);
  expect(world().agentcore.calls.filter((call) => call.sessionUri === sessionUri)).toEqual([]);
  expect(world().log()).toContainEqual(
    expect.objectContaining({ event: 'refused', request_id: answer.headers['x-request-id'] }),
  );
}
