import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { StoreUnavailable } from '../binding/ports.ts';
import type { Brand } from '../pages/brand.ts';
import type { OutcomeCode } from '../pages/outcomes.ts';
import type { Audit } from '../telemetry/audit.ts';
import { SECURITY_HEADERS, sendOutcome } from './answer.ts';
import type { Forwarded } from './forwarded.ts';
import { checkHost, isOurHost } from './host.ts';
import { MAX_HEADER_LINES } from './limits.ts';
import { authorityOf } from './request-target.ts';

export interface HttpRulesOptions {
  readonly audit: Audit;
  readonly publicUrl: string;
  readonly allowedHosts: readonly string[];
  readonly forwarded: Forwarded;
}

/** Probes of load balancers and kubelets come by address: these paths answer under any Host. */
const HOST_EXEMPT: ReadonlySet<string | undefined> = new Set(['/ping', '/ready']);

/** What holds for every request, whatever its route: headers, method, Host, and how errors are told. */
export const httpRules = fastifyPlugin<HttpRulesOptions>(
  async (app, { audit, publicUrl, allowedHosts, forwarded }) => {
    const ourNames = new Set([new URL(publicUrl).hostname, ...allowedHosts]);
    const methodsByPath = new Map<string, Set<string>>();

    app.addHook('onRoute', ({ url, method }) => {
      const methods = methodsByPath.get(url) ?? new Set();
      for (const one of [method].flat()) methods.add(one);
      methodsByPath.set(url, methods);
    });

    app.addHook('onRequest', async (request, reply) => {
      reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);

      // Before anything is read from them.
      if (request.raw.rawHeaders.length > 2 * MAX_HEADER_LINES) {
        audit.requestRefused({ requestId: request.id, code: 'invalid_request', reason: 'header_lines' });
        return sendOutcome(request, reply, 'invalid_request', { detail: HEADERS_DETAIL });
      }

      // A wrong method would be a 404 after its body was read; HEAD must never run a GET handler (SB-07).
      if (request.is404) {
        const methods = methodsOf(pathOf(request.raw.url), methodsByPath);
        const code = methods === undefined ? 'not_found' : 'method_not_allowed';
        if (methods !== undefined) reply.header('allow', [...methods].join(', '));
        audit.requestRefused({ requestId: request.id, code });
        return sendOutcome(request, reply, code);
      }

      if (HOST_EXEMPT.has(request.routeOptions.url)) return;
      const host = checkHost(request.raw.rawHeaders, ourNames);
      if (host !== 'allowed') {
        audit.requestRefused({ requestId: request.id, code: host, reason: 'host' });
        return sendOutcome(request, reply, host, host === 'invalid_request' ? { detail: HOST_DETAIL } : {});
      }
      // A host has more than one way into a request, and a proxy may have rewritten only one of them (SB-19).
      const authority = authorityOf(request.originalUrl);
      const others = [...(authority === undefined ? [] : [authority]), ...forwarded.hosts(request.raw)];
      if (others.every((name) => isOurHost(name, ourNames))) return;
      audit.requestRefused({ requestId: request.id, code: 'misdirected_host', reason: 'other_host' });
      return sendOutcome(request, reply, 'misdirected_host');
    });

    app.setErrorHandler((error, request, reply) => {
      const { code, detail } = classify(error);
      const requestId = request.id;
      if (code === 'internal_error' || code === 'store_unavailable') {
        audit.requestFailed({ requestId, code, error });
      } else {
        audit.requestRefused({ requestId, code });
      }
      return sendOutcome(request, reply, code, { detail });
    });
  },
  { name: 'http-rules', fastify: '5.x' },
);

const HEADERS_DETAIL = `The request must not carry more than ${MAX_HEADER_LINES} header lines.`;
const HOST_DETAIL = 'The request must carry exactly one well-formed Host header.';

export interface FrameworkErrorHandlerDeps {
  readonly audit: Audit;
  readonly brand: Brand;
  readonly onRefused: ((request: FastifyRequest) => void) | undefined;
}

/** Fastify's answer to a URL that it cannot decode would echo it, and skips every hook. */
export function createFrameworkErrorHandler({ audit, brand, onRefused }: FrameworkErrorHandlerDeps) {
  return (_error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    // What the app decorates requests with is not on this one either.
    Object.assign(request, { brand });
    // No hook runs for it, the one that drains connections neither: it is closed in any case.
    reply.headers(SECURITY_HEADERS).header('x-request-id', request.id).header('connection', 'close');
    audit.requestRefused({ requestId: request.id, code: 'invalid_request', reason: 'address' });
    onRefused?.(request);
    sendOutcome(request, reply, 'invalid_request', { detail: 'The address is malformed.' });
  };
}

/** What a caught error is to the client. Nothing of its own text is ever shown. */
function classify(error: unknown): { readonly code: OutcomeCode; readonly detail?: string } {
  if (error instanceof StoreUnavailable) return { code: 'store_unavailable' };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { code, statusCode } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return { code: 'payload_too_large' };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return { code: 'unsupported_media_type' };
  // The JSON parser and the body reader mark the client's faults; a bug of ours has no status (house style).
  if (statusCode === 400) return { code: 'invalid_request', detail: 'The body is not valid JSON.' };
  return { code: 'internal_error' };
}

/** The methods of a path: its own route's, or those of one that ends in a wildcard. */
function methodsOf(path: string, methodsByPath: ReadonlyMap<string, ReadonlySet<string>>) {
  const own = methodsByPath.get(path);
  if (own !== undefined) return own;
  const wildcard = [...methodsByPath].find(([url]) => url.endsWith('*') && path.startsWith(url.slice(0, -1)));
  return wildcard?.[1];
}

/** The path as the router reads it: without query and fragment, its letters unescaped. */
function pathOf(url = ''): string {
  const [path = ''] = url.split(/[?#]/, 1);
  try {
    return decodeURI(path);
  } catch {
    // The router looks at no path of a method that no route has, and lets this one through to here.
    return path;
  }
}
