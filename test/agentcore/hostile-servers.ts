import { createPrivateKey } from 'node:crypto';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface HostileServer {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Answers whatever the listener writes: what no AWS endpoint would send. */
export function startRawServer(listener: RequestListener): Promise<HostileServer> {
  return start(createHttpServer(listener), 'http');
}

/** A TLS endpoint with a certificate that nobody has signed. */
export function startSelfSignedServer(): Promise<HostileServer> {
  const key = createPrivateKey({ key: Buffer.from(SELF_SIGNED_KEY, 'base64'), format: 'der', type: 'pkcs8' });
  const cert = `-----BEGIN CERTIFICATE-----\n${SELF_SIGNED_CERTIFICATE}\n-----END CERTIFICATE-----\n`;
  return start(createHttpsServer({ key: key.export({ format: 'pem', type: 'pkcs8' }), cert }), 'https');
}

/** A port that completes no TCP handshake: its backlog is full, and its thread accepts nobody. */
export async function startDeafServer(): Promise<HostileServer> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve) => {
    worker.once('message', resolve);
  });
  const fillers: Socket[] = [];
  for (let filled = 0; filled < 8; filled += 1) {
    fillers.push(connect(port, '127.0.0.1').on('error', () => undefined));
  }
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async close() {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}

/** A loopback port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = await startRawServer(() => undefined);
  await server.close();
  return Number(new URL(server.endpoint).port);
}

async function start(
  server: Server & { closeAllConnections(): void },
  scheme: string,
): Promise<HostileServer> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return {
    endpoint: `${scheme}://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

// Made for this test, trusted by nobody, valid for a hundred years.
const SELF_SIGNED_KEY =
  'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6sLXVmCvkMLyMi2GTqlR88r6OTaA8dvf6YDHt/sc1WmhRANCAARqXcSb3bbhfbFkzmulKZOtcHi0/ZrQWAxLhoqnkZNKMglmpjuOA5f6HVvtN/6GV082uV7ZAaOduLUfcOFEvY4P';
const SELF_SIGNED_CERTIFICATE =
  'MIIBfTCCASWgAwIBAgIUJRn49ojYNUH+YxLN/fr8Cb6HeCkwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjA0MTQxMFoYDzIxMjYxMDI5MDQxNDEwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARqXcSb3bbhfbFkzmulKZOtcHi0/ZrQWAxLhoqnkZNKMglmpjuOA5f6HVvtN/6GV082uV7ZAaOduLUfcOFEvY4Po1MwUTAdBgNVHQ4EFgQUTROU7DDhsaF18tzkrCZrqdNZ1kcwHwYDVR0jBBgwFoAUTROU7DDhsaF18tzkrCZrqdNZ1kcwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNGADBDAiAl3uUP+HVNz50yxNGvJNnc/HiOt042ucwyWqn/6kT/PAIfaZR+L9LU40IirF/aDfQaFukJ94sGknc7hzhRrXkFCA==';
