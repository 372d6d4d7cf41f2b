import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { startWorld, type World } from '../support/world.ts';
import { cookieHeader, sendRaw } from './raw-socket.ts';

const URN = 'urn:ietf:params:oauth:request_uri:forwarded';
/** Tests come from 127.0.0.1; these are proxies elsewhere. */
const ELSEWHERE = ['10.0.0.0/8', '127.0.0.2', '::1', '2001:db8::/32'];
const CONFIG = { publicUrl: 'https://auth.example.com', allowedHosts: ['internal.example.com'] };

/** A callback that would be bound, with these header lines besides. */
async function visit(world: World, cookie: string, lines: readonly string[], path = '/oauth2/callback') {
  const headers = ['Host: localhost', `Cookie: ${cookie}`, 'Accept: application/json', ...lines];
  const text = `GET ${path}?session_id=${URN} HTTP/1.1\r\n${headers.join('\r\n')}\r\nConnection: close\r\n\r\n`;
  return sendRaw(world.url, text);
}

describe('X-Forwarded-Host from a trusted proxy', () => {
  it('must be ours, each and every one of them, or nothing happens [SB-19, SB-20]', async () => {
    const world = await startWorld({ config: { ...CONFIG, trustedProxies: ['127.0.0.1/32'] } });
    const cookie = await cookieHeader(world);
    for (const lines of [
      ['X-Forwarded-Host: attacker.example'],
      ['X-Forwarded-Host: auth.example.com.attacker.example'],
      ['X-Forwarded-Host: attacker.example, auth.example.com'],
      ['X-Forwarded-Host: auth.example.com,attacker.example'],
      ['X-Forwarded-Host: auth.example.com', 'X-Forwarded-Host: attacker.example'],
      ['X-Forwarded-Host: attacker.example', 'x-forwarded-host: auth.example.com'],
      ['X-Forwarded-Host: auth.example.com@attacker.example'],
      ['X-Forwarded-Host: https://auth.example.com'],
      ['X-Forwarded-Host: auth.example.com/'],
      ['X-Forwarded-Host: auth.example.com,'],
      ['X-Forwarded-Host:'],
      ['X-Forwarded-Host: "auth.example.com"'],
      ['X-Forwarded-Host: localhost.'],
    ]) {
      const answer = await visit(world, cookie, lines);
      expect({ lines, statuses: answer.statuses }).toEqual({ lines, statuses: [421] });
      expect(answer.text).toContain('"misdirected_host"');
    }
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it('is accepted when it is ours, whatever its port and case', async () => {
    const world = await startWorld({ config: { ...CONFIG, trustedProxies: ['127.0.0.1'] } });
    const cookie = await cookieHeader(world);
    const statuses = [];
    for (const lines of [
      [],
      ['X-Forwarded-Host: Auth.Example.com'],
      ['X-Forwarded-Host: auth.example.com:8443', 'X-Forwarded-Port: 1'],
      ['X-Forwarded-Host: internal.example.com, auth.example.com'],
      ['X-Forwarded-Host: [::1]:9090'],
    ]) {
      statuses.push((await visit(world, cookie, lines)).statuses[0]);
    }
    expect(statuses).toEqual([410, 410, 410, 410, 410]);
    expect(world.agentcore.completeCalls).toBe(5);
  });

  it('does not excuse a foreign Host [SB-19]', async () => {
    const world = await startWorld({ config: { ...CONFIG, trustedProxies: ['127.0.0.1'] } });
    const answer = await new Browser().send(`${world.url}/oauth2/callback?session_id=${URN}`, {
      headers: { host: 'attacker.example', 'x-forwarded-host': 'auth.example.com' },
    });
    expect(answer.status).toBe(421);
  });

  it('does not matter to probes, which come by address', async () => {
    const world = await startWorld({ config: { ...CONFIG, trustedProxies: ['127.0.0.1'] } });
    expect((await visit(world, '', ['X-Forwarded-Host: attacker.example'], '/ping')).statuses).toEqual([200]);
    expect((await visit(world, '', ['X-Forwarded-Host: attacker.example'], '/ready')).statuses).toEqual([
      200,
    ]);
  });
});

describe('forwarded headers from anybody else', () => {
  it.each([
    ['nobody', []],
    ['proxies elsewhere', ELSEWHERE],
  ])('change nothing while %s is trusted [SB-20]', async (_, trustedProxies) => {
    const world = await startWorld({ config: { ...CONFIG, trustedProxies } });
    const answer = await visit(world, await cookieHeader(world), [
      'X-Forwarded-Host: attacker.example',
      'X-Forwarded-Proto: http',
      'X-Forwarded-For: 10.0.0.1',
      'X-Forwarded-Port: 80',
      'X-Forwarded-Prefix: /attacker',
      'X-Original-URL: /ping',
      'X-Rewrite-URL: /ping',
      'X-HTTP-Method-Override: DELETE',
      'Forwarded: for=10.0.0.1;host=attacker.example;proto=http',
    ]);
    expect(answer.statuses).toEqual([410]);
    expect(answer.text).not.toContain('attacker');
    expect(world.agentcore.completeCalls).toBe(1);
  });
});

describe('a trusted proxy', () => {
  it('is not believed by `Forwarded`, by a method override or another address [SB-20]', async () => {
    const world = await startWorld({ config: { ...CONFIG, trustedProxies: ['127.0.0.1'] } });
    const answer = await visit(world, await cookieHeader(world), [
      'Forwarded: for=10.0.0.1;host=attacker.example;proto=http',
      'X-Forwarded-Proto: http',
      'X-Original-URL: /ping',
      'X-HTTP-Method-Override: DELETE',
    ]);
    expect(answer.statuses).toEqual([410]);
    expect(world.agentcore.completeCalls).toBe(1);
  });

  it('does not choose the request id, which the log is searched by [SB-16]', async () => {
    const world = await startWorld({ config: { ...CONFIG, trustedProxies: ['127.0.0.1'] } });
    const answer = await visit(world, '', ['X-Request-Id: chosen-by-me', 'Request-Id: chosen-by-me']);
    expect(answer.statuses).toEqual([401]);
    expect(answer.text).toMatch(/^x-request-id: [\w-]{16}\r$/im);
    expect(answer.text).not.toContain('chosen-by-me');
    expect(world.rawLog()).not.toContain('chosen-by-me');
  });

  it('decides no cookie: name and Secure follow PUBLIC_URL [SB-33]', async () => {
    const world = await startWorld({ config: { ...CONFIG, trustedProxies: ['127.0.0.1'] } });
    const answer = await new Browser().send(`${world.url}/userIdentifier/token`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'localhost',
      },
      body: JSON.stringify({ user_token: await world.tokenOf('alice') }),
    });
    expect(answer.status).toBe(200);
    expect(String(answer.headers['set-cookie'])).toMatch(/^__Host-session-binding=.*; Secure/);
    expect(JSON.parse(answer.body)).toMatchObject({
      callback_url: 'https://auth.example.com/oauth2/callback',
    });
  });
});
