import { connect } from 'node:net';
import type { World } from '../support/world.ts';

export interface RawAnswer {
  /** Everything that came back, as text; empty when the connection was closed without a word. */
  readonly text: string;
  /** Status lines in the order in which they came. */
  readonly statuses: readonly number[];
  readonly closed: boolean;
}

export interface RawOptions {
  readonly host?: string;
  /** Sent this often, byte by byte or piece by piece, after the first bytes. */
  readonly drip?: { readonly text: string; readonly everyMs: number };
  /** False: what comes back is left lying in the socket. */
  readonly reads?: boolean;
  /** How long to listen; the connection closing ends it earlier. */
  readonly patienceMs?: number;
}

/** Sends bytes exactly as they stand, as no HTTP client would, and gives what comes back. */
export function sendRaw(url: string, text: string, options: RawOptions = {}): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const host = options.host ?? (hostname === 'localhost' ? '127.0.0.1' : hostname);
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    let received = '';
    let drip: NodeJS.Timeout | undefined;
    const end = (closed: boolean) => {
      clearTimeout(patience);
      clearInterval(drip);
      socket.destroy();
      const statuses = [...received.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map(([, status]) => Number(status));
      resolve({ text: received, statuses, closed });
    };
    const patience = setTimeout(() => end(false), options.patienceMs ?? 1_500);
    socket.setEncoding('latin1');
    if (options.reads === false) socket.pause();
    else socket.on('data', (chunk: string) => (received += chunk));
    // A reset is a way of being refused, too.
    socket.on('error', () => end(true));
    socket.on('close', () => end(true));
    socket.on('connect', () => {
      socket.write(Buffer.from(text, 'latin1'));
      if (options.drip === undefined) return;
      const { text: piece, everyMs } = options.drip;
      drip = setInterval(() => socket.write(Buffer.from(piece, 'latin1')), everyMs);
    });
  });
}

/** The `Cookie` header of a browser in which alice is signed in. */
export async function cookieHeader(world: World): Promise<string> {
  const browser = await world.signedIn(await world.tokenOf('alice'));
  return [...browser.cookies(world.url)].map(([name, value]) => `${name}=${value}`).join('; ');
}
