// Whether an answer of the service is the one that docs/openapi.json describes. Plain JavaScript, since the test of the
// image holds its answers to it, too.
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

const FILE = new URL('../../docs/openapi.json', import.meta.url);

/** Headers that tell a browser or a program what to do: one that is not described is a mistake of the document. */
const TELLING = ['location', 'set-cookie', 'retry-after', 'www-authenticate', 'allow'];

/**
 * What of this answer is not as it is described; undefined where nothing is.
 *
 * @param {import('./complain-about.mjs').SentAnswer} answer
 */
export function complainAbout({ method, url, status, headers, body }) {
  const response = findResponse(method, url, status);
  if (response === undefined) return 'no such answer';
  return complainAboutHeaders(response.described, headers) ?? complainAboutBody(response, headers, body);
}

/** The description, and where it stands in the document, as a JSON pointer. */
function findResponse(method, url, status) {
  const { paths, components } = read();
  const path = findPath(url);
  const operations = path === undefined ? undefined : paths[path];
  const own = operations?.[method.toLowerCase()];
  if (own !== undefined) {
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
  return described && { described, pointer: pointerTo('components', 'responses', name) };
}

/** The last parameter of a path takes everything that is left. */
function findPath(url) {
  const path = decoded(url.split(/[?#]/, 1)[0] ?? '');
  return Object.keys(read().paths).find((template) => {
    const start = template.replace(/\{.*$/, '');
    return start === template ? path === template : path.startsWith(start);
  });
}

function decoded(path) {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

function complainAboutHeaders({ headers: own = {} }, sent) {
  const described = new Map(Object.entries(read().components.headers));
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

function complainAboutBody({ described: { content }, pointer }, headers, body) {
  if (content === undefined) return body === '' ? undefined : 'a body, where none is described';
  const type = String(headers['content-type']).split(';')[0] ?? '';
  if (content[type] === undefined) return `a body of type ${type}`;
  const isJson = type.endsWith('json');
  const validate = compile(`${pointer}${pointerTo('content', type, 'schema').slice(1)}`);
  if (validate(isJson ? JSON.parse(body) : body)) return undefined;
  const [error] = validate.errors ?? [];
  return `its body: ${error?.instancePath} ${error?.message} ${JSON.stringify(error?.params)}`;
}

function pointerTo(...names) {
  const escaped = names.map((name) =>
    encodeURIComponent(String(name).replaceAll('~', '~0').replaceAll('/', '~1')),
  );
  return `#/${escaped.join('/')}`;
}

// Read and compiled once a file, and what no answer needs not at all.
let document;
let ajv;
const validators = new Map();

function read() {
  document ??= JSON.parse(readFileSync(FILE, 'utf8'));
  return document;
}

/** Of a schema, or of where one stands in the document. */
function compile(schema) {
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
