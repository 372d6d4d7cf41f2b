import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Randomness } from '../binding/clock.ts';
import { SECURITY_HEADERS } from './answer.ts';

/** Long enough to read the answer: destroyed at once, the socket may lose it. */
const LINGER_MS = 1_000;

/** Bytes that are no HTTP request never reach a route: Node hands over the bare socket. */
export function createClientErrorHandler(randomness: Randomness) {
  return (error: Error & { readonly code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const status = statusOf(error.code);
    const requestId = randomness.id(12);
    const title = STATUS_CODES[status] ?? '';
    const body = JSON.stringify({
      type: 'about:blank',
      title,
      status,
      detail: 'The request is not one that this service understands.',
      code: 'invalid_request',
      request_id: requestId,
    });
    const headers = {
      ...SECURITY_HEADERS,
      'x-request-id': requestId,
      'content-type': 'application/problem+json',
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('')}\r\n${body}`);
    // Ended on our side alone it stays open until its client closes too, and a hoarder never does (SB-21).
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}

function statusOf(code: string | undefined): number {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
}
