import { connect } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * One connection that is kept alive, and one request at a time on it. Node's own client costs about as much as the
 * service that is to be measured; this one writes a string and looks for the end of the answer.
 */
export class HttpConnection {
  #socket;
  #answered;
  #received = Buffer.alloc(0);

  /** `onClosed` is told once, when no further request can be sent. */
  constructor(port, onClosed) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => {
      onClosed(this);
      this.#answer(undefined);
    });
  }

  /** Calls back with `{ status, head, body }`, or undefined if the connection ends before the answer. */
  send(request, answered) {
    this.#answered = answered;
    this.#socket.write(request, 'latin1');
  }

  close() {
    this.#socket.destroy();
  }

  #read(chunk) {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = this.#received.latin1Slice(0, headEnd);
    const bodyLength = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const end = headEnd + HEAD_END.length + bodyLength;
    if (this.#received.length < end) return;
    const body = this.#received.subarray(headEnd + HEAD_END.length, end);
    this.#received = Buffer.alloc(0);
    this.#answer({ status: Number(head.slice(9, 12)), head, body });
  }

  #answer(answer) {
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.(answer);
  }
}
