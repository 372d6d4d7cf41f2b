import { expect } from 'vitest';
import type { OutcomeCode } from '../../src/pages/outcomes.ts';
import { OUTCOMES } from '../../src/pages/outcomes.ts';

/** An answer of the service: of the scripted browser, of supertest or of a raw socket. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Supertest puts its text here, and an object in `body`. */
  readonly text?: string;
  readonly body?: unknown;
}

const CSP = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const PAGE_CSP = new RegExp(
  `^${CSP}; form-action '(?:none|self)'; style-src 'sha256-[\\w+/]{43}='; script-src(?: 'sha256-[\\w+/]{43}=')+$`,
);

export function textOf(answer: Answer): string {
  return answer.text ?? String(answer.body);
}

/** Headers of contract §5 that every answer carries, and a request id of our own making. */
export function expectSafeHeaders(answer: Answer, csp = new RegExp(`^${CSP}`)): void {
  expect(answer.headers).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringMatching(csp),
    'x-request-id': expect.stringMatching(/^[\w-]{16}$/),
  });
}

/** A problem document (RFC 9457): status, code, reference, headers of §5. */
export function expectProblem(answer: Answer, status: number, code: OutcomeCode): void {
  const problem: unknown = parse(textOf(answer));
  expect({ status: answer.status, problem }).toMatchObject({ status, problem: { code, status } });
  expect(problem).toEqual({
    type: 'about:blank',
    title: OUTCOMES[code].title,
    status,
    detail: expect.stringMatching(/\S/),
    code,
    request_id: answer.headers['x-request-id'],
  });
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json\b/);
  expect(answer.headers['referrer-policy']).toBe('no-referrer');
  expectSafeHeaders(answer, new RegExp(`^${CSP}$`));
}

/** The page of an outcome: status, words, reference, headers of §5 for pages. */
export function expectPage(answer: Answer, status: number, code: OutcomeCode): void {
  const text = textOf(answer);
  const title = /<h1>([^<]*)<\/h1>/.exec(text)?.[1];
  expect({ status: answer.status, title }).toEqual({ status, title: OUTCOMES[code].title });
  if (code !== 'completed')
    expect(text).toContain(`Reference <code>${String(answer.headers['x-request-id'])}</code>`);
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(answer.headers['referrer-policy']).toBe('strict-origin');
  expectSafeHeaders(answer, PAGE_CSP);
}

/** The page of a second visit: the first result, to the user whose result it is. */
export function expectAlreadyConnected(answer: Answer): void {
  expect(answer.status).toBe(200);
  expect(textOf(answer)).toContain('<h1>You are already connected</h1>');
  expectSafeHeaders(answer, PAGE_CSP);
}

/** No cookie at all: neither a new one nor one taken away. */
export function expectNoCookie(answer: Answer): void {
  expect(answer.headers['set-cookie']).toBeUndefined();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return `not JSON: ${text.slice(0, 300)}`;
  }
}
