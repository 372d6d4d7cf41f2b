import { describe, expect, it } from 'vitest';
import { startWorld, type World } from '../support/world.ts';
import { cookieHeader, sendRaw } from './raw-socket.ts';

const URN = 'urn:ietf:params:oauth:request_uri:absolute';

/** A callback that would be bound, with this request target and Host. */
async function visit(world: World, target: string, host = 'localhost') {
  const cookie = await cookieHeader(world);
  const headers = `Host: ${host}\r\nCookie: ${cookie}\r\nAccept: application/json\r\nConnection: close\r\n`;
  return sendRaw(world.url, `GET ${target}?session_id=${URN} HTTP/1.1\r\n${headers}\r\n`);
}

describe('a request target with scheme and host (RFC 9112 section 3.2.2)', () => {
  it.each(['http://attacker.example', 'https://attacker.example:443', 'http://127.0.0.1.attacker.example'])(
    'is judged by the host in it, not by the Host beside it: %s [SB-19]',
    async (origin) => {
      const world = await startWorld();
      const answer = await visit(world, `${origin}/oauth2/callback`);
      expect(answer.statuses).toEqual([421]);
      expect(answer.text).toContain('"misdirected_host"');
      expect(world.agentcore.completeCalls).toBe(0);
    },
  );

  it.each(['http://localhost@attacker.example', 'http://attacker.example\\@localhost', 'http://'])(
    'is refused when its host cannot be read: %s [SB-19]',
    async (origin) => {
      const world = await startWorld();
      const answer = await visit(world, `${origin}/oauth2/callback`);
      expect(answer.statuses.every((status) => status === 421 || status === 400)).toBe(true);
      expect(answer.closed).toBe(true);
      expect(world.agentcore.completeCalls).toBe(0);
    },
  );

  it('does not excuse a foreign Host beside it [SB-19]', async () => {
    const world = await startWorld();
    const answer = await visit(world, 'http://localhost/oauth2/callback', 'attacker.example');
    expect(answer.statuses).toEqual([421]);
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it('finds route and browser session like any other where the host is ours', async () => {
    const world = await startWorld();
    const answer = await visit(world, 'HTTP://LOCALHOST:1234/oauth2/callback');
    expect(answer.statuses).toEqual([410]);
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('may come with a path prefix, or with no path at all', async () => {
    const world = await startWorld({ config: { publicUrl: 'https://localhost/auth' } });
    const ask = (target: string) =>
      sendRaw(world.url, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect((await ask('http://localhost/auth/ping')).statuses).toEqual([200]);
    expect((await ask('http://localhost')).statuses).toEqual([404]);
    expect((await ask('http://localhost?/ping')).statuses).toEqual([404]);
  });
});
