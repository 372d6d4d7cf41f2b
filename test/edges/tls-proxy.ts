import { request as requestHttp } from 'node:http';
import { createServer, request as requestHttps } from 'node:https';
import type { Page, SendOptions } from '../../src/demo/browser.ts';
import { createSelfSigned } from './self-signed.ts';

export interface TlsProxy {
  /** `https://localhost:PORT`. */
  readonly origin: string;
  readonly cert: string;
  /** Where requests go from now on. */
  upstream: string;
  close(): Promise<void>;
}

export interface TlsProxyOptions {
  /** The path below which the service is; other paths are the proxy's own 404. */
  readonly prefix?: string;
  readonly stripsPrefix?: boolean;
  /** Header lines that it adds or replaces. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What upstream gets as its Host: the browser's, or as in nginx's default the upstream's own. */
  readonly hostOf?: 'browser' | 'upstream';
}

/** A proxy that ends TLS, as load balancers and nginx do. Listens on loopback. */
export async function startTlsProxy(options: TlsProxyOptions = {}): Promise<TlsProxy> {
  const { key, cert } = createSelfSigned();
  const { prefix = '', stripsPrefix = false } = options;
  const server = createServer({ key, cert }, (incoming, outgoing) => {
    const path = incoming.url ?? '/';
    if (!path.startsWith(`${prefix}/`)) return void outgoing.writeHead(404).end();
    const hop = incoming.socket.remoteAddress ?? '';
    const before = incoming.headers['x-forwarded-for'];
    const upstream = requestHttp(new URL(stripsPrefix ? path.slice(prefix.length) : path, proxy.upstream), {
      method: incoming.method ?? 'GET',
      agent: false,
      headers: {
        ...incoming.headers,
        'x-forwarded-for': before === undefined ? hop : `${String(before)}, ${hop}`,
        'x-forwarded-proto': 'https',
        ...(options.hostOf === 'upstream' ? { host: new URL(proxy.upstream).host } : {}),
        ...options.headers,
      },
    });
    upstream.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const proxy: TlsProxy = {
    origin: `https://localhost:${address.port}`,
    cert,
    upstream: '',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

/** One request over TLS, believing that certificate alone; no redirects. */
export function sendTls(proxy: TlsProxy, url: string, options: SendOptions = {}): Promise<Page> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const { port } = new URL(proxy.origin);
    // By address, as a resolver would answer: the certificate is checked for the name all the same.
    const to = { host: '127.0.0.1', port, servername: 'localhost', ca: proxy.cert, agent: false as const };
    const { host, pathname, search } = new URL(url);
    const sent = { method, path: pathname + search, headers: { host, ...headers } };
    const outgoing = requestHttps({ ...to, ...sent }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: incoming.statusCode ?? 0, url, headers: incoming.headers, body: text });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
