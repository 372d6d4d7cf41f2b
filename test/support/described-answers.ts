import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { FastifyInstance } from 'fastify';
import { afterEach } from 'vitest';
import { recordAnswer } from './answer-recorder.mjs';

interface Reference {
  readonly $ref: string;
}

interface Header {
  readonly required?: boolean;
  readonly schema: object;
}

interface Response {
  readonly headers?: Readonly<Record<string, Header | Reference>>;
  readonly content?: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Response>> }>>>
  >;
  readonly components: {
    readonly headers: Readonly<Record<string, Header>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
}

/** What came of one request, as it leaves. */
export interface SentAnswer {
  readonly method: string;
  /** As the router reads it: without the path prefix. */
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const FILE = new URL('../../docs/openapi.json', import.meta.url);

/** Headers that tell a browser or a program what to do: one that is not described is a mistake of the document. */
const TELLING = ['location', 'set-cookie', 'retry-after', 'www-authenticate', 'allow'];

const undescribed = new Set<string>();

// Where the service answers in tests, that is, for each test of a file that starts a world: the test in which an answer
// is not the document's fails, whatever it is about.
afterEach(throwUndescribed);

export function throwUndescribed(): void {
  const found = [...undescribed];
  undescribed.clear();
  if (found.length > 0) throw new Error(`docs/openapi.json does not describe:\n${found.join('\n')}`);
}

/** Holds every answer of this server to the committed document. */
export function watchAnswers(app: FastifyInstance): void {
  app.server.prependListener('request', (request: IncomingMessage, response: ServerResponse) =>
    recordAnswer(request, response, checkAnswer),
  );
}

/** The test in which it is not the document's fails. */
export function checkAnswer(answer: SentAnswer): void {
  const complaint = complainAbout(answer);
  if (complaint === undefined) return;
  undescribed.add(`${answer.method} ${answer.url.split('?')[0]} ${answer.status}: ${complaint}`);
}

/** What of this answer is not as it is described; undefined where nothing is. */
export function complainAbout({ method, url, status, headers, body }: SentAnswer): string | undefined {
  const response = findResponse(method, url, status);
  if (response === undefined) return 'no such answer';
  return complainAboutHeaders(response.described, headers) ?? complainAboutBody(response, headers, body);
}

interface Found {
  readonly described: Response;
  /** In the document, as a JSON pointer. */
  readonly pointer: string;
}

function findResponse(method: string, url: string, status: number): Found | undefined {
  const { paths, components } = read();
  const path = findPath(url);
  const operations = path === undefined ? undefined : paths[path];
  const own = operations?.[method.toLowerCase()];
  if (path !== undefined && own !== undefined) {
    const described = own.responses[status];
    return (
      described && { described, pointer: pointerTo('paths', path, method.toLowerCase(), 'responses', status) }
    );
  }
  // Nothing is there, or not for this method, or what is there is not configured.
  const mayBeMissing =
    operations === undefined ||
    Object.values(operations).some(({ responses }) => responses[404] !== undefined);
  const name = {
    400: 'invalid_request',
    404: mayBeMissing ? 'not_found' : undefined,
    405: operations === undefined ? undefined : 'method_not_allowed',
  }[status];
  const described = name === undefined ? undefined : components.responses[name];
  return name === undefined || described === undefined
    ? undefined
    : { described, pointer: pointerTo('components', 'responses', name) };
}

/** The last parameter of a path takes everything that is left. */
function findPath(url: string): string | undefined {
  const path = decoded(url.split(/[?#]/, 1)[0] ?? '');
  return Object.keys(read().paths).find((template) => {
    const start = template.replace(/\{.*$/, '');
    return start === template ? path === template : path.startsWith(start);
  });
}

function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

function complainAboutHeaders(
  { headers: own = {} }: Response,
  sent: Readonly<Record<string, unknown>>,
): string | undefined {
  const { components } = read();
  const described = new Map<string, Header>(Object.entries(components.headers));
  for (const [name, header] of Object.entries(own)) if ('schema' in header) described.set(name, header);
  for (const name of TELLING) {
    if (sent[name] !== undefined && !described.has(name)) return `header ${name} is not described`;
  }
  for (const [name, { required, schema }] of described) {
    const value = sent[name];
    if (value === undefined && required) return `no header ${name}`;
    const lines = value === undefined ? [] : [value].flat();
    if (!lines.every((line) => compile(schema)(line))) return `header ${name} is not as described`;
  }
  return undefined;
}

function complainAboutBody(
  { described: { content }, pointer }: Found,
  headers: Readonly<Record<string, unknown>>,
  body: string,
): string | undefined {
  if (content === undefined) return body === '' ? undefined : 'a body, where none is described';
  const type = String(headers['content-type']).split(';')[0] ?? '';
  if (content[type] === undefined) return `a body of type ${type}`;
  const isJson = type.endsWith('json');
  const validate = compile(`${pointer}${pointerTo('content', type, 'schema').slice(1)}`);
  const value: unknown = isJson ? JSON.parse(body) : body;
  if (validate(value)) return undefined;
  const [error] = validate.errors ?? [];
  return `its body: ${error?.instancePath} ${error?.message} ${JSON.stringify(error?.params)}`;
}

function pointerTo(...names: readonly (string | number)[]): string {
  const escaped = names.map((name) =>
    encodeURIComponent(String(name).replaceAll('~', '~0').replaceAll('/', '~1')),
  );
  return `#/${escaped.join('/')}`;
}

// Read and compiled once a file, and what no answer needs not at all.
let document: Document | undefined;
let ajv: Ajv2020 | undefined;
const validators = new Map<object | string, ValidateFunction>();

function read(): Document {
  document ??= JSON.parse(readFileSync(FILE, 'utf8')) as Document;
  return document;
}

/** Of a schema, or of where one stands in the document. */
function compile(schema: object | string): ValidateFunction {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  if (ajv === undefined) {
    ajv = new Ajv2020({ strict: false, validateSchema: false, meta: false });
    ajv.addFormat('uri', (text) => URL.canParse(text));
    ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    ajv.addSchema(read(), 'openapi');
  }
  const compiled = ajv.compile(typeof schema === 'string' ? { $ref: `openapi${schema}` } : schema);
  validators.set(schema, compiled);
  return compiled;
}
