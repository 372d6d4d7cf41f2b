import { connect } from 'node:net';
import type { World } from '../support/world.ts';

export interface RawAnswer {
  /** Everything that came back, as text; empty when the connection was closed without a word. */
  readonly text: string;
  /** Status codes in the order in which they came. */
  readonly statuses: readonly number[];
  /** The other side ended the connection. */
  readonly closed: boolean;
}

export interface RawOptions {
  /** Sent this often after the first bytes. */
  readonly drip?: { readonly text: string; readonly everyMs: number };
  /** False: what comes back is left lying in the socket. */
  readonly reads?: boolean;
  /** So many answers are enough; else it listens until the connection closes. */
  readonly answers?: number;
  /** How long it listens at most. */
  readonly patienceMs?: number;
}

/** Sends bytes exactly as they stand, as no HTTP client would, and gives what comes back. */
export function sendRaw(url: string, text: string, options: RawOptions = {}): Promise<RawAnswer> {
  const { drip, reads = true, answers, patienceMs = 10_000 } = options;
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    let received = '';
    let dripping: NodeJS.Timeout | undefined;
    const statuses = () =>
      [...received.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map(([, status]) => Number(status));
    const end = (closed: boolean) => {
      clearTimeout(patience);
      clearInterval(dripping);
      socket.destroy();
      resolve({ text: received, statuses: statuses(), closed });
    };
    const patience = setTimeout(() => end(false), patienceMs);
    if (reads) {
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        received += chunk;
        // Answers of ours are small enough to come in one piece, head and body.
        if (answers !== undefined && statuses().length >= answers) end(false);
      });
    }
    // A reset is a way of being refused, too.
    socket.on('error', () => end(true));
    socket.on('close', () => end(true));
    socket.on('connect', () => {
      socket.write(Buffer.from(text, 'latin1'));
      if (drip === undefined) return;
      dripping = setInterval(() => socket.write(Buffer.from(drip.text, 'latin1')), drip.everyMs);
    });
  });
}

/** The `Cookie` header of a browser in which alice is signed in. */
export async function cookieHeader(world: World): Promise<string> {
  const browser = await world.signedIn(await world.tokenOf('alice'));
  return [...browser.cookies(world.url)].map(([name, value]) => `${name}=${value}`).join('; ');
}
