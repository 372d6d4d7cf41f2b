import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';

/** A bare connection: for bytes that no HTTP client would send, and for what clients hide. */
export interface RawConnection {
  send(bytes: string | Buffer): void;
  /** Everything received once one whole answer is there, or the other side has closed; fails after ten seconds. */
  untilAnswered(): Promise<string>;
  /** Everything received by the time the other side has closed. */
  untilClosed(): Promise<string>;
  destroy(): void;
}

const PATIENCE_MS = 10_000;

/** Connects to the port of that URL. The connection never closes its own side, as a hoarder would not. */
export async function connectRaw(url: string): Promise<RawConnection> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  const seen = { text: '', isClosed: false };
  const changes = new EventEmitter();
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    seen.text += text;
    changes.emit('change');
  });
  // A reset is one way to close.
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      seen.isClosed = true;
      changes.emit('change');
    });
  }
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve) => socket.once('connect', resolve));

  async function waitFor(isDone: () => boolean): Promise<string> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (!isDone() && !seen.isClosed) {
      await once(changes, 'change', { signal }).catch(() => {
        throw new Error(`still waiting; received so far: ${seen.text}`);
      });
    }
    return seen.text;
  }

  return {
    send: (bytes) => void socket.write(bytes),
    untilAnswered: () => waitFor(() => isWhole(seen.text)),
    untilClosed: () => waitFor(() => false),
    destroy: () => void socket.destroy(),
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends one request as it stands, line breaks included, and reads its answer. */
export async function sendRaw(url: string, bytes: string | Buffer): Promise<RawAnswer> {
  const connection = await connectRaw(url);
  connection.send(bytes);
  const received = await connection.untilAnswered();
  connection.destroy();
  return parseAnswer(received);
}

function isWhole(received: string): boolean {
  if (!received.includes('\r\n\r\n')) return false;
  const { headers, body } = parseAnswer(received);
  return body.length >= Number(headers['content-length'] ?? 0);
}

/** The first answer in what was received. */
export function parseAnswer(received: string): RawAnswer {
  const end = received.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = received.slice(0, end).split('\r\n');
  const pairs = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(pairs),
    body: received.slice(end + 4),
  };
}
