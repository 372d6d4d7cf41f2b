import { type JsonObject, parseJsonObject } from './json-object.ts';
import { isServiceCode, type ServiceCode } from './service-code.ts';

/** One request, and what became of it. A fault is a value: who asked decides whether to ask again. */
export type Exchange =
  { readonly kind: 'answer'; readonly body: JsonObject } | ({ readonly kind: 'fault' } & Fault);

export interface Fault {
  /**
   * What the service said; `unreachable`: nothing, or something in between spoke of an outage;
   * `unexpected_answer`: this is not the service, or not one that this client knows.
   */
  readonly code: ServiceCode | 'unreachable' | 'unexpected_answer';
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
}

export interface ExchangeRequest {
  readonly url: string;
  readonly init: RequestInit;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends one request and reads its answer. Rejects only when the caller's signal aborts, with its reason. What the
 * platform throws goes no further: an invalid header value is quoted in its message, and that value is the user token.
 */
export async function exchange({ url, init, fetch, timeoutMs, signal }: ExchangeRequest): Promise<Exchange> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const stop = () => controller.abort();
  const timer = setTimeout(stop, timeoutMs);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    // A redirect would carry the user token to wherever it points.
    const response = await fetch(url, { ...init, redirect: 'manual', signal: controller.signal });
    return read(response, await response.text());
  } catch {
    signal?.throwIfAborted();
    return { kind: 'fault', ...UNREACHABLE };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

const UNREACHABLE: Fault = {
  code: 'unreachable',
  status: undefined,
  requestId: undefined,
  retryAfterMs: undefined,
};

function read(response: Response, text: string): Exchange {
  const { status, headers } = response;
  const body = parseJsonObject(text);
  if (response.ok && body !== undefined) return { kind: 'answer', body };
  const isProblem = headers.get('content-type')?.startsWith('application/problem+json') ?? false;
  const code = isProblem && !response.ok ? body?.['code'] : undefined;
  const isOutage = status === 429 || (status >= 502 && status <= 504);
  return {
    kind: 'fault',
    code: isServiceCode(code) ? code : isOutage ? 'unreachable' : 'unexpected_answer',
    status,
    requestId: requestIdIn(headers.get('x-request-id')),
    retryAfterMs: retryAfterMsIn(headers.get('retry-after')),
  };
}

/** Only what the service itself makes: whatever else stands there may be an echo of the request. */
function requestIdIn(header: string | null): string | undefined {
  return header !== null && /^[\w-]{16}$/.test(header) ? header : undefined;
}

function retryAfterMsIn(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : undefined;
}
