import { createServer, type RequestListener, type Server } from 'node:http';

export interface PageListener {
  readonly port: number;
  /** Stops listening and cuts open connections. */
  close(): Promise<void>;
}

// Browsers take `localhost` for either: a stranger's program on the other one would get the page's requests.
const ADDRESSES = ['127.0.0.1', '::1'] as const;

/** Listens on the loopback addresses that there are, at this port or, where somebody else has it, at a free one. */
export async function listenForPage(answer: RequestListener, port: number): Promise<PageListener> {
  const asked = await listenAt(port, answer);
  if (asked !== undefined) return asked;
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const free = await listenAt(0, answer);
    if (free !== undefined) return free;
  }
  throw new Error('no port is free on both loopback addresses');
}

/** Undefined where the port is taken on one of them. */
async function listenAt(asked: number, answer: RequestListener): Promise<PageListener | undefined> {
  const servers: Server[] = [];
  const close = async () => {
    await Promise.all(servers.map(closeServer));
  };
  let port = asked;
  for (const address of ADDRESSES) {
    const server = createServer(answer);
    try {
      await listen(server, port, address);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      // A machine without IPv6 has no ::1.
      if (address === '::1' && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) continue;
      await close();
      if (code === 'EADDRINUSE' || code === 'EACCES') return undefined;
      throw error;
    }
    servers.push(server);
    const bound = server.address();
    if (typeof bound === 'object' && bound !== null) ({ port } = bound);
  }
  return { port, close };
}

async function listen(server: Server, port: number, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: address, ipv6Only: true }, resolve);
  });
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
