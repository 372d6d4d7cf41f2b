import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { type OutcomePageFacts, PAGE_CSP, renderOutcomePage } from '../pages/outcome-page.ts';
import { type OutcomeCode, outcomeRow } from '../pages/outcomes.ts';

/** On every answer (contract §5). HTML pages replace the last two. */
export const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
} as const;

export type AnswerFacts = Omit<OutcomePageFacts, 'requestId'>;

/**
 * Answers with an outcome: the page for people, JSON for programs. Errors are problem documents unless the client
 * prefers HTML; a success is a page unless it prefers JSON.
 */
export function sendOutcome(
  request: FastifyRequest,
  reply: FastifyReply,
  outcome: OutcomeCode,
  facts: AnswerFacts = {},
): FastifyReply {
  const code = request.isOverLimit && isRefusal(outcome) ? 'rate_limited' : outcome;
  const { status, retryAfterSeconds } = outcomeRow(code);
  reply.code(status);
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  if (status === 401) reply.header('www-authenticate', challenge(code));
  const preferred = preferredTypes(request.headers.accept, status < 400);
  if (preferred === 'html') return sendPage(request, reply, code, facts);
  if (status < 400) return reply.type('application/json').send({ status: code });
  return reply.type('application/problem+json').send(problem(code, request.id, facts.detail));
}

/** The client's doing: neither a success nor a fault of ours or of AWS's. */
function isRefusal(code: OutcomeCode): boolean {
  const { status } = outcomeRow(code);
  return status >= 400 && status < 500;
}

/** RFC 9457, with our stable `code`. */
export function problem(code: OutcomeCode, requestId: string, detail?: string) {
  const { status, title, text } = outcomeRow(code);
  return { type: 'about:blank', title, status, detail: detail ?? text, code, request_id: requestId };
}

function sendPage(request: FastifyRequest, reply: FastifyReply, code: OutcomeCode, facts: AnswerFacts) {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', PAGE_CSP)
    .header('referrer-policy', 'strict-origin')
    .send(renderOutcomePage(code, { ...facts, requestId: request.id }).toString());
}

/** RFC 6750 section 3: what a 401 must carry. */
function challenge(code: OutcomeCode): string {
  const realm = 'Bearer realm="agentcore-session-binding"';
  return code === 'invalid_token' ? `${realm}, error="invalid_token"` : realm;
}

function preferredTypes(accept: string | undefined, isSuccess: boolean): 'html' | 'json' {
  const offered = isSuccess ? ['text/html', 'application/json'] : ['application/json', 'text/html'];
  const chosen = new Negotiator({ headers: { accept } }).mediaType([...offered, 'application/problem+json']);
  return (chosen ?? offered[0]) === 'text/html' ? 'html' : 'json';
}
