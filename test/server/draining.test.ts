import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startWorld } from '../support/world.ts';

interface Answer {
  readonly status: number | undefined;
  readonly connection: string | undefined;
}

/** Asks as a client that wants to keep its connection. */
function ask(
  url: string,
  path: string,
  method = 'GET',
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      method,
      path,
      headers: { connection: 'keep-alive', ...headers },
      agent: false as const,
    };
    request(url.replace('localhost', '127.0.0.1'), options, (response) => {
      response.resume();
      response.on('end', () =>
        resolve({ status: response.statusCode, connection: response.headers.connection }),
      );
    })
      .on('error', reject)
      .end();
  });
}

const REQUESTS = [
  [200, '/ping'],
  [401, '/oauth2/callback?session_id=urn:ietf:params:oauth:request_uri:abc'],
  [400, '/oauth2/callback'],
  [404, '/nowhere'],
  [405, '/ping', 'DELETE'],
  [421, '/oauth2/callback', 'GET', { host: 'attacker.example' }],
] as const;

describe('while the service drains', () => {
  it.each(REQUESTS)(
    '%i at %s asks the client to hang up, since its connection holds up the exit',
    async (...row) => {
      const [status, path, method, headers] = row;
      const { url, readiness } = await startWorld();
      expect(await ask(url, path, method, headers)).toEqual({ status, connection: 'keep-alive' });
      readiness.drain();
      expect(await ask(url, path, method, headers)).toEqual({ status, connection: 'close' });
    },
  );

  it('a malformed address is hung up on at any time, since no rule of ours sees it', async () => {
    const { url } = await startWorld();
    expect(await ask(url, '/%zz')).toEqual({ status: 400, connection: 'close' });
  });

  it('a request that was on its way when the closing began is served', async () => {
    const { url, app } = await startWorld();
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.write('GET /ping HTTP/1.1\r\n');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const closed = app.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.write('Host: localhost\r\n\r\n');
    await ended;
    expect(answer).toMatch(/^HTTP\/1\.1 200 .*\{"status":"success"\}$/s);
    expect(answer).toMatch(/^connection: close\r$/im);
    await closed;
  });

  it('an answer that was begun before asks for it too', async () => {
    const world = await startWorld({ attemptTimeoutMs: 5_000 });
    const token = await world.tokenOf('alice');
    const flow = await world.agent.open(token);
    const alice = await world.signedIn(token, { session_uri: flow.sessionUri });
    world.agentcore.faults.inject({ slowMs: 400 });
    const page = alice.submit(flow.authorizationUrl, { decision: 'allow' });
    while (world.agentcore.completeCalls === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    world.readiness.drain();
    expect(await page).toMatchObject({ status: 200, headers: { connection: 'close' } });
  });
});
