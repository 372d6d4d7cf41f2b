import { createServer, request } from 'node:http';
import { connect, type Server } from 'node:net';
import { fastify, type FastifyInstance } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen, ListenError } from '../../src/listen.ts';
import { freePort } from '../support/free-port.ts';
import { HAS_IPV6_LOOPBACK } from '../support/loopback.ts';

const SECOND = HAS_IPV6_LOOPBACK ? '::1' : '127.0.0.2';
const LOCALHOST = ['127.0.0.1', SECOND] as const;
/** Kept for documentation (RFC 5737): no machine has it. */
const NOBODYS = '198.51.100.1';

function buildApp(): FastifyInstance {
  const app = fastify({
    requestTimeout: 300,
    http: { connectionsCheckingInterval: 50, headersTimeout: 300 },
  });
  app.get('/', (req) => ({ local: req.socket.localAddress }));
  app.post('/', () => ({}));
  onTestFinished(async () => app.close());
  return app;
}

async function occupy(port: number, host: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ port, host }, resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  return server;
}

/** Whether somebody listens there. */
function isOpen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function get(port: number, host: string, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ port, host, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}

describe('localhost', () => {
  it('is both addresses, on one port', async () => {
    const port = await freePort();
    const listener = await listen(buildApp(), { listenAddresses: LOCALHOST, port });
    expect(listener).toMatchObject({ port, hosts: LOCALHOST });
    expect(await get(port, '127.0.0.1')).toBe('{"local":"127.0.0.1"}');
    expect(await get(port, SECOND)).toBe(`{"local":"${SECOND}"}`);
    await listener.close();
  });

  it('is one ephemeral port', async () => {
    const listener = await listen(buildApp(), { listenAddresses: LOCALHOST, port: 0 });
    expect(await get(listener.port, '127.0.0.1')).toContain('127.0.0.1');
    expect(await get(listener.port, SECOND)).toContain(SECOND);
    await listener.close();
  });

  it.each([
    [NOBODYS, '127.0.0.1'],
    ['127.0.0.1', NOBODYS],
    [SECOND, NOBODYS],
  ])('is the address that exists: %s and %s', async (one, other) => {
    const port = await freePort();
    const listener = await listen(buildApp(), { listenAddresses: [one, other], port });
    const existing = one === NOBODYS ? other : one;
    expect(listener.hosts).toEqual([existing]);
    expect(await get(port, existing)).toContain(existing);
    await listener.close();
  });

  it.each(LOCALHOST)(
    'is refused, and nowhere listened on, while another program holds the port on %s, where browsers may go',
    async (taken) => {
      const port = await freePort();
      const other = await occupy(port, taken);
      await expect(listen(buildApp(), { listenAddresses: LOCALHOST, port })).rejects.toEqual(
        new ListenError(`port ${port} on ${taken} is taken: set PORT to another one`),
      );
      await new Promise((resolve) => other.close(resolve));
      for (const host of LOCALHOST) expect(await isOpen(port, host)).toBe(false);
    },
  );

  it('is refused where no address exists', async () => {
    const port = await freePort();
    await expect(listen(buildApp(), { listenAddresses: [NOBODYS, '203.0.113.1'], port })).rejects.toEqual(
      new ListenError('203.0.113.1 is no address of this machine: set HOST'),
    );
  });
});

describe('a connection of the second address', () => {
  it('is subject to the time limits of the first [SB-21]', async () => {
    const port = await freePort();
    const listener = await listen(buildApp(), { listenAddresses: LOCALHOST, port });
    const socket = connect({ port, host: SECOND });
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.write(
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
    );
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    await listener.close();
  });

  it('does not hold up the closing when it is idle', async () => {
    const app = buildApp();
    const port = await freePort();
    const listener = await listen(app, { listenAddresses: LOCALHOST, port });
    const socket = connect({ port, host: SECOND });
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    await Promise.all([app.close(), listener.close()]);
    expect(await isOpen(port, SECOND)).toBe(false);
    socket.destroy();
  });

  it('is answered although the closing has begun', async () => {
    const app = buildApp();
    let answerNow: (() => void) | undefined;
    const arrived = new Promise<void>((resolve) => {
      app.get('/slow', async () => {
        resolve();
        await new Promise<void>((answered) => (answerNow = answered));
        return 'done';
      });
    });
    const port = await freePort();
    const listener = await listen(app, { listenAddresses: LOCALHOST, port });
    const answer = get(port, SECOND, '/slow');
    await arrived;
    let hasClosed = false;
    const closed = Promise.all([app.close(), listener.close()]).then(() => (hasClosed = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([hasClosed, await isOpen(port, SECOND), await isOpen(port, '127.0.0.1')]).toEqual([
      false,
      false,
      false,
    ]);
    answerNow?.();
    expect(await answer).toBe('done');
    await closed;
  });
});
