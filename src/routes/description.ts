import type { FastifyServerOptions } from 'fastify';
import type { FastifySchema } from 'fastify';
import { type OutcomeCode, outcomeRow } from '../pages/outcomes.ts';

/** What `docs/openapi.json` says of a route. */
export interface RouteDescription extends FastifySchema {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  /** Each of these alone is enough; none at all: anybody may ask. */
  readonly security: readonly Readonly<Record<string, readonly []>>[];
  readonly consumes?: readonly string[];
  readonly response: DescribedAnswers;
}

/** By status. */
export type DescribedAnswers = Readonly<Record<number, DescribedAnswer>>;

export interface DescribedAnswer {
  readonly description: string;
  /** Which of these headers it carries; one that is `required` always. */
  readonly headers?: Readonly<Record<string, DescribedHeader>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
  /** An answer without a body. */
  readonly type?: 'null';
}

interface DescribedHeader {
  readonly type: 'string';
  readonly description: string;
  readonly required?: true;
  readonly pattern?: string;
}

/** For the generator of the document; serialisation knows none of them. */
export const SHARED_SCHEMAS = [
  {
    $id: 'problem',
    description: 'RFC 9457, with a stable `code`. The reference in `request_id` is also that of the log.',
    type: 'object',
    required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
    additionalProperties: false,
    properties: {
      type: { const: 'about:blank' },
      title: { type: 'string', minLength: 1 },
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: { type: 'string', minLength: 1 },
      code: { type: 'string', pattern: '^[a-z_]+$' },
      request_id: { type: 'string', pattern: '^[\\w-]{16}$' },
    },
  },
  {
    $id: 'page',
    description: 'A page for people, in English or Japanese. Programs ask for `application/json`.',
    type: 'string',
    pattern: '^<!doctype html>',
  },
] as const;

export const PAGE = { 'text/html': { schema: { $ref: 'page#' } } } as const;

/** 303: what a browser asks for next. */
export function describeRedirect(description: string): DescribedAnswer {
  const location = { type: 'string', description: 'Where to, perhaps relative.', required: true } as const;
  return { description, headers: { location }, type: 'null' };
}

export const SET_COOKIE = {
  'set-cookie': { type: 'string', description: 'Cookies of the browser session, of forms and of logins.' },
} as const satisfies Readonly<Record<string, DescribedHeader>>;

/**
 * Queries, headers and bodies are described, and not validated by their description: the routes read them raw, in the
 * order of checks of contract §2 and with words of their own. Nor are answers made by it: a serialiser made of a schema
 * would drop what it does not name, without a word, where a test should fail. So neither compiler is even loaded.
 */
export const DESCRIBED_ONLY: FastifyServerOptions['schemaController'] & object = {
  compilersFactory: {
    // The type knows Ajv's validators only.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    buildValidator: (() => () => () => true) as never,
    buildSerializer: () => () => (answer: unknown) => JSON.stringify(answer),
  },
};

/** How any route may answer: too many header lines, a wrong Host, a rate limit, an outage, a bug. */
const ANYWHERE: readonly OutcomeCode[] = [
  'invalid_request',
  'misdirected_host',
  'rate_limited',
  'internal_error',
  'store_unavailable',
];

/** Where a body is read, that of a preflight too. */
export const BODY_CODES: readonly OutcomeCode[] = ['payload_too_large', 'unsupported_media_type'];

/**
 * The answers of a route: its own, and those that `sendOutcome` makes of these codes and of what holds anywhere.
 * Statuses and headers are those of the table of outcomes. `headers`: what each of them may carry.
 */
export function describeAnswers(
  own: DescribedAnswers,
  codes: readonly OutcomeCode[],
  headers: DescribedAnswer['headers'] = {},
): DescribedAnswers {
  return merge(own, describeOutcomes([...new Set([...codes, ...ANYWHERE])]), headers);
}

/** The answers of a probe, which has neither Host nor rate limit nor store. */
export function describeProbe(own: DescribedAnswers): DescribedAnswers {
  return merge(own, describeOutcomes(['invalid_request', 'internal_error']), {});
}

/** The preflight of a route that pages of other origins may ask (CORS). */
export function describePreflight(operationId: string, tag: string) {
  return {
    operationId,
    tags: [tag],
    summary: 'May a page of this origin ask?',
    security: [],
    response: describeAnswers({ 204: { description: 'It may.', headers: PREFLIGHT_HEADERS, type: 'null' } }, [
      'forbidden_origin',
      ...BODY_CODES,
    ]),
  } as const satisfies RouteDescription;
}

const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': { type: 'string', description: 'The method.', required: true },
  'access-control-allow-headers': { type: 'string', description: 'Its headers.', required: true },
  'access-control-max-age': {
    type: 'string',
    description: 'For how many seconds that holds.',
    required: true,
  },
} as const;

/** The answers that `sendOutcome` makes of these codes, by status. */
function describeOutcomes(codes: readonly OutcomeCode[]): DescribedAnswers {
  const statuses = new Set(codes.map((code) => outcomeRow(code).status));
  return Object.fromEntries(
    [...statuses].map((status) => {
      const these = codes.filter((code) => outcomeRow(code).status === status);
      return [status, describeStatus(status, these)];
    }),
  );
}

function describeStatus(status: number, codes: readonly OutcomeCode[]): DescribedAnswer {
  const rows = codes.map((code) => outcomeRow(code));
  const retries = rows.filter(({ retryAfterSeconds }) => retryAfterSeconds !== undefined);
  return {
    description: codes.map((code) => `\`${code}\`: ${outcomeRow(code).text}`).join('\n\n'),
    headers: {
      ...(retries.length > 0 && {
        'retry-after': {
          type: 'string',
          description: 'Seconds after which trying again may help.',
          pattern: '^\\d+$',
          ...(retries.length === rows.length && { required: true }),
        },
      }),
      ...(status === 401 && {
        'www-authenticate': {
          type: 'string',
          description: 'RFC 6750 section 3.',
          pattern: '^Bearer ',
          required: true,
        },
      }),
      ...(status === 405 && {
        allow: { type: 'string', description: 'The methods that this path answers.', required: true },
      }),
    },
    content:
      status < 400
        ? { 'application/json': { schema: statusSchema(codes) }, ...PAGE }
        : { 'application/problem+json': { schema: problemSchema(status, codes) }, ...PAGE },
  };
}

function statusSchema(codes: readonly OutcomeCode[]) {
  return {
    type: 'object',
    required: ['status'],
    additionalProperties: false,
    properties: { status: { enum: codes } },
  };
}

function problemSchema(status: number, codes: readonly OutcomeCode[]) {
  return {
    allOf: [
      { $ref: 'problem#' },
      { properties: { status: { const: status }, code: { enum: codes.toSorted() } } },
    ],
  };
}

/** Both lists together: where they share a status, that answer may be either. */
function merge(
  own: DescribedAnswers,
  outcomes: DescribedAnswers,
  headers: NonNullable<DescribedAnswer['headers']>,
): DescribedAnswers {
  const statuses = [...new Set([...Object.keys(own), ...Object.keys(outcomes)])].map(Number);
  return Object.fromEntries(
    statuses.map((status) => {
      const [one, other] = [own[status], outcomes[status]];
      const description = [one?.description, other?.description].filter(Boolean).join('\n\n');
      const content = { ...other?.content, ...one?.content };
      const merged = {
        ...one,
        description,
        headers: { ...headers, ...other?.headers, ...one?.headers },
        ...(Object.keys(content).length > 0 && { content }),
      };
      return [status, merged];
    }),
  );
}
