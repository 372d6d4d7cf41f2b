import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import type { Html } from '../pages/html.ts';
import type { Brand } from '../pages/brand.ts';
import { chooseWords } from '../pages/languages.ts';
import { type Manner, pageCsp, type PageNeeds } from '../pages/layout.ts';
import { type OutcomePageFacts, renderOutcomePage } from '../pages/outcome-page.ts';
import { type OutcomeCode, outcomeRow } from '../pages/outcomes.ts';
import { rememberLast } from '../pages/remember.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose pages this service shows. */
    readonly brand: Brand;
  }
}

/** On every answer (contract §5). HTML pages replace the last two. */
export const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
} as const;

export type AnswerFacts = Omit<OutcomePageFacts, 'requestId'>;

/** Answers with an outcome: the page for people, JSON for programs. */
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
  if (prefersPage(request, status)) {
    const page = renderOutcomePage(code, { ...facts, requestId: request.id }, mannerOf(request));
    return sendPage(reply, page, { formsLeadTo: facts.signOut === undefined ? undefined : [] });
  }
  if (status < 400) return reply.type('application/json').send({ status: code });
  return reply.type('application/problem+json').send(problem(code, request.id, facts.detail));
}

/** The client's doing: neither a success nor a fault of ours or of AWS's. */
function isRefusal(code: OutcomeCode): boolean {
  const { status } = outcomeRow(code);
  return status >= 400 && status < 500;
}

/** RFC 9457, with our stable `code`. */
function problem(code: OutcomeCode, requestId: string, detail?: string) {
  const { status, title, text } = outcomeRow(code);
  return { type: 'about:blank', title, status, detail: detail ?? text, code, request_id: requestId };
}

/** In whose name and in which language this request is answered. */
export function mannerOf({ brand, headers }: FastifyRequest): Manner {
  return { brand, words: chooseWords(headers['accept-language']) };
}

/** A page of ours, with the headers of a page. */
export function sendPage(reply: FastifyReply, page: Html, needs: PageNeeds = {}): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', pageCsp(needs, reply.request.brand))
    .header('referrer-policy', 'strict-origin')
    .send(page.toString());
}

/** RFC 6750 section 3: what a 401 must carry. */
function challenge(code: OutcomeCode): string {
  const realm = 'Bearer realm="agentcore-session-binding"';
  return code === 'invalid_token' ? `${realm}, error="invalid_token"` : realm;
}

/** Errors are problem documents unless the client prefers HTML; a success is a page unless it prefers JSON. */
export function prefersPage({ headers: { accept } }: FastifyRequest, status: number): boolean {
  if (accept === undefined) return status < 400;
  return status < 400 ? prefersPageOfSuccess(accept) : prefersPageOfError(accept);
}

const prefersPageOfSuccess = rememberLast((accept) => choosesPage(accept, ['text/html', 'application/json']));
const prefersPageOfError = rememberLast((accept) => choosesPage(accept, ['application/json', 'text/html']));

function choosesPage(accept: string, offered: readonly string[]): boolean {
  const chosen = new Negotiator({ headers: { accept } }).mediaType([...offered, 'application/problem+json']);
  return (chosen ?? offered[0]) === 'text/html';
}
