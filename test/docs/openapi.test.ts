import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeService, FILE } from '../../scripts/openapi.mjs';
import { OUTCOMES } from '../../src/pages/outcomes.ts';
import { complainAbout, type SentAnswer } from '../support/complain-about.mjs';

const text = readFileSync(FILE, 'utf8');

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, { readonly description?: string }>>;
}
const { paths } = JSON.parse(text) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
const OPERATIONS = Object.values(paths).flatMap((methods) => Object.values(methods));

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'x-request-id': 'AAAAAAAAAAAAAAAA',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

function problem(status: number, code: keyof typeof OUTCOMES, more = {}): Partial<SentAnswer> {
  const request_id = HEADERS['x-request-id'];
  const body = { type: 'about:blank', title: 'A', status, detail: 'B.', code, request_id, ...more };
  return {
    status,
    headers: { ...HEADERS, 'content-type': 'application/problem+json' },
    body: JSON.stringify(body),
  };
}

const PONG: SentAnswer = {
  method: 'GET',
  url: '/ping',
  status: 200,
  headers: HEADERS,
  body: '{"status":"success"}',
};
const { 'x-request-id': _reference, ...NO_REFERENCE } = HEADERS;
const callback = { url: '/oauth2/callback?session_id=x' };
const html = { 'content-type': 'text/html; charset=utf-8' };

describe('docs/openapi.json', () => {
  it('is what the routes say (npm run openapi writes it)', async () => {
    expect(await describeService()).toBe(text);
  });

  it('says of each operation what it is for, who may ask, and how each answer comes about', () => {
    expect(OPERATIONS.length).toBeGreaterThan(10);
    expect(new Set(OPERATIONS.map(({ operationId }) => operationId)).size).toBe(OPERATIONS.length);
    for (const { operationId, summary, security, responses } of OPERATIONS) {
      expect([operationId, summary, security]).not.toContain(undefined);
      for (const [status, { description = '' }] of Object.entries(responses)) {
        expect([operationId, status, description]).not.toContain('Default Response');
      }
    }
  });

  it('has a place for every outcome code', () => {
    const missing = Object.keys(OUTCOMES).filter((code) => !text.includes(`"${code}"`));
    expect(missing).toEqual([]);
  });
});

describe('an answer in any test', () => {
  const fine: readonly (readonly [name: string, answer: Partial<SentAnswer>])[] = [
    ['a pong', {}],
    ['a pong with its letters escaped', { url: '/%70ing?x=1' }],
    ['a page', { ...callback, headers: { ...HEADERS, ...html }, body: '<!doctype html><p>' }],
    ['a problem', { ...callback, ...problem(403, 'pin_required') }],
    ['no such path', { url: '/nowhere', ...problem(404, 'not_found') }],
    ['a login that is not configured', { url: '/login', ...problem(404, 'not_found') }],
    ['an address that cannot be decoded', { url: '/%zz', ...problem(400, 'invalid_request') }],
  ];
  it.each(fine)('passes that is described: %s', (_name, answer) => {
    expect(complainAbout({ ...PONG, ...answer })).toBeUndefined();
  });

  const wrong: readonly (readonly [name: string, complaint: string, answer: Partial<SentAnswer>])[] = [
    ['a status', 'no such answer', { status: 201 }],
    [
      'another media type',
      'a body of type text/plain',
      { headers: { ...HEADERS, 'content-type': 'text/plain' } },
    ],
    ['no media type', 'a body of type undefined', { headers: { ...HEADERS, 'content-type': undefined } }],
    ['a field', 'must NOT have additional properties', { body: '{"status":"success","more":1}' }],
    ['a missing field', 'must have required property', { body: '{}' }],
    ['another value', 'must be equal to constant', { body: '{"status":"failure"}' }],
    ['a missing header', 'no header x-request-id', { headers: NO_REFERENCE }],
    ['a weaker header', 'header cache-control', { headers: { ...HEADERS, 'cache-control': 'private' } }],
    ['a cookie', 'header set-cookie', { headers: { ...HEADERS, 'set-cookie': ['a=b'] } }],
    ['a redirect', 'header location', { headers: { ...HEADERS, location: '/' } }],
    [
      'a page that is none',
      'must match pattern',
      { ...callback, headers: { ...HEADERS, ...html }, body: 'no' },
    ],
    [
      'the code of another route',
      'must be equal to one of',
      { ...callback, ...problem(403, 'forbidden_origin') },
    ],
    [
      'the code of another status',
      'must be equal to one of',
      { ...callback, ...problem(403, 'invalid_token') },
    ],
    [
      'more in a problem',
      'additional properties',
      { ...callback, ...problem(403, 'pin_required', { stack: '' }) },
    ],
    [
      'a challenge that is missing',
      'no header www-authenticate',
      { ...callback, ...problem(401, 'not_signed_in') },
    ],
    ['a page where nothing is', 'no such answer', { url: '/nowhere' }],
    ['a missing path that is there', 'no such answer', problem(404, 'not_found')],
    ['a method of no path', 'no such answer', { url: '/nowhere', ...problem(405, 'method_not_allowed') }],
    ['a method without Allow', 'no header allow', { method: 'PUT', ...problem(405, 'method_not_allowed') }],
    [
      'a body where none is',
      'a body, where none',
      { ...callback, status: 303, headers: { ...HEADERS, location: '/' } },
    ],
  ];
  it.each(wrong)('fails it that is not described: %s (%s)', (_name, complaint, answer) => {
    expect(complainAbout({ ...PONG, ...answer })).toContain(complaint);
  });
});
