import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

/** What the SDK wants carried: signed, nothing may be changed. */
export interface SignedRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
}

export interface TransportResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Goes on until it is given up, once for all. Every callback has one; an AbortSignal costs ten times as much. */
export class Attempt {
  #isGivenUp = false;
  #end: (() => void) | undefined;

  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** Until then AgentCore can know nothing of it. */
  get isSent(): boolean {
    return this.#end !== undefined;
  }

  /** A request is on its way; and what giving up does. */
  sent(end: () => void): void {
    this.#end = end;
  }

  giveUp(): void {
    this.#isGivenUp = true;
    this.#end?.();
  }
}

export interface Transport {
  /** Rejects when the attempt is given up, whether the request was sent, its answer has begun, or neither. */
  send(signed: SignedRequest, attempt: Attempt): Promise<TransportResponse>;
  close(): void;
}

/** AgentCore confirms with an empty object and refuses with a sentence: whatever is longer is not its answer. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Carries the SDK's requests over kept connections, one for each that is under way: at the SDK's own 50 sockets the 51st
 * user waits for strangers (contract §10). It costs a third of what the SDK's own handler does, which keeps four timers
 * for every request (docs/performance.md). `connectionTimeoutMs` is from the name lookup to the last handshake.
 */
export function createTransport(connectionTimeoutMs: number): Transport {
  const http = new HttpAgent({ keepAlive: true });
  const https = new HttpsAgent({ keepAlive: true });

  function start({ protocol, hostname, port, method, path, headers }: SignedRequest): ClientRequest {
    // A literal IPv6 address stands in brackets in a URL only.
    const options = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port, method, path, headers };
    return protocol === 'https:'
      ? requestHttps({ ...options, agent: https })
      : requestHttp({ ...options, agent: http });
  }

  return {
    send: (signed, attempt) =>
      new Promise((resolve, reject) => {
        // The SDK took its time to sign, and nobody waits any more: what is sent now would act behind everybody's back.
        if (attempt.isGivenUp) return reject(namedError('AbortError'));
        const request = start(signed);
        attempt.sent(() => request.destroy(namedError('AbortError')));
        request.on('error', reject);
        let isAnswered = false;
        request.on('response', (message) =>
          readWhole(
            message,
            (body) => {
              isAnswered = true;
              resolve(responseOf(message, body));
            },
            reject,
          ),
        );
        // Whatever else may have ended it, an answer that switches protocols for one, ends without an error.
        request.on('close', () => {
          if (!isAnswered) reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
        });
        limitConnecting(request, connectionTimeoutMs);
        request.end(signed.body);
      }),
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

/** The SDK's own name for it, which says that nothing was sent. */
function limitConnecting(request: ClientRequest, timeoutMs: number): void {
  request.on('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => request.destroy(namedError('TimeoutError')), timeoutMs);
    request.on('close', () => clearTimeout(timer));
    socket.on('encrypted' in socket ? 'secureConnect' : 'connect', () => clearTimeout(timer));
  });
}

function readWhole(
  message: IncomingMessage,
  done: (body: Buffer) => void,
  fail: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  message.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > MAX_ANSWER_BYTES) message.destroy(namedError('AnswerTooLongError'));
  });
  message.on('end', () => done(Buffer.concat(chunks, bytes)));
  message.on('error', fail);
}

function responseOf({ statusCode = 0, headers }: IncomingMessage, body: Buffer): TransportResponse {
  const single: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) single[name] = String(value);
  return { statusCode, headers: single, body };
}

function namedError(name: string): Error {
  const error = new Error('given up');
  error.name = name;
  return error;
}
