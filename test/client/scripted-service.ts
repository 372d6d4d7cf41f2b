import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createSessionBindingClient, type SessionBindingClientOptions } from '../../src/client/client.ts';
import type { Timers } from '../../src/client/timers.ts';

/** A request as it arrived. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** True once the client has hung up. */
  hasLeft: boolean;
}

export type Reply = (response: ServerResponse, arrived: Arrived) => void;

export const USER_TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOiJuZXZlci1zaG93In0.c2lnbmF0dXJlLWNhbmFyeQ';
export const REQUEST_ID = 'Zx81_Qy-77aBcDeF';
export const SESSION_URI = 'urn:ietf:params:oauth:request_uri:abc.DEF~1';
export const AUTHORIZATION_URL = `https://authorize.example/identities/oauth2/authorize?request_uri=${encodeURIComponent(SESSION_URI)}`;

/** What the service answers to a user token that pins. */
export const STORED = {
  status: 'success',
  user: { subject: 'sub-of-alice', username: 'alice' },
  expires_at: '2030-01-01T00:00:00.000Z',
  callback_url: 'https://binding.example/oauth2/callback',
  custom_state: 'sb1.sealed',
  start_url: 'https://binding.example/oauth2/start?flow=opaque',
};

export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Reply {
  return (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(value));
}

export function problem(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Reply {
  const body = { type: 'about:blank', title: 'No', status, detail: 'No.', code, request_id: REQUEST_ID };
  return json(body, status, {
    'content-type': 'application/problem+json',
    'x-request-id': REQUEST_ID,
    ...headers,
  });
}

export function html(status: number): Reply {
  return (response) =>
    void response
      .writeHead(status, { 'content-type': 'text/html' })
      .end('<!doctype html><p>Something in between.</p>');
}

export const reset: Reply = (response) => void response.socket?.resetAndDestroy();

/** Never answers. */
export const hang: Reply = () => undefined;

/** A 200 that breaks off in its middle. */
export const truncated: Reply = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '64' });
  response.write('{"status":', () => response.socket?.resetAndDestroy());
};

export interface ScriptedService {
  readonly url: string;
  readonly arrived: readonly Arrived[];
  /** What sleep was asked for, in milliseconds, in order. */
  readonly pauses: readonly number[];
  readonly timers: Timers & { advance(ms: number): void; chance: number };
  client(options?: SessionBindingClientOptions): ReturnType<typeof createSessionBindingClient>;
}

/** A server that gives these replies in turn, the last one for ever; and timers that only count. */
export async function startScriptedService(...replies: readonly Reply[]): Promise<ScriptedService> {
  const arrived: Arrived[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const entry: Arrived = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
        hasLeft: false,
      };
      response.once('close', () => (entry.hasLeft = true));
      const reply = replies[Math.min(arrived.length, replies.length - 1)];
      arrived.push(entry);
      reply?.(response, entry);
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const pauses: number[] = [];
  let nowMs = 1_000;
  const timers = {
    chance: 0,
    advance: (ms: number) => void (nowMs += ms),
    nowMs: () => nowMs,
    fraction: () => timers.chance,
    sleep: async (ms: number, signal: AbortSignal | undefined) => {
      signal?.throwIfAborted();
      pauses.push(ms);
      nowMs += ms;
    },
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    arrived,
    pauses,
    timers,
    client: (options = {}) => createSessionBindingClient({ baseUrl: url, timers, ...options }),
  };
}
