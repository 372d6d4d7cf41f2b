// Writes docs/openapi.json from the schemas of the routes. Needs a build: npm run openapi
import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifySwagger from '@fastify/swagger';
import { format, resolveConfig } from 'prettier';
import { buildApp } from '../dist/app.js';
import { loadConfig } from '../dist/env/config.js';
import { createUserTokenVerifier } from '../dist/issuer/user-token-verifier.js';
import { Readiness } from '../dist/readiness.js';
import { describeAnswers } from '../dist/routes/description.js';
import { browserSessionCookie } from '../dist/session/cookie.js';
import { createMemoryStore } from '../dist/store/memory-store.js';
import { systemClock, systemRandomness } from '../dist/system.js';
import { createAudit } from '../dist/telemetry/audit.js';
import { createLogger } from '../dist/telemetry/logger.js';

export const FILE = fileURLToPath(new URL('../docs/openapi.json', import.meta.url));

/** A deployment that has every route. */
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  PUBLIC_URL: 'https://binding.example.com',
  JWT_DISCOVERY_URL: 'https://issuer.example.com/.well-known/openid-configuration',
  JWT_ALLOWED_CLIENTS: 'client',
  // No secret of anybody's: nothing is ever asked of this service.
  SESSION_SECRET: randomBytes(32).toString('base64'),
  STORE_URL: 'memory:?replicas=1',
  LOGIN_CLIENT_ID: 'client',
  LOGIN_CLIENT_SECRET: randomBytes(32).toString('base64'),
};

const { version, description: summary } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
);
const REQUEST_ID = { $ref: '#/components/headers/x-request-id' };
const cookie = browserSessionCookie(ENVIRONMENT.PUBLIC_URL).name;

/** How the service answers where no operation is described; a path of the document only while it is made. */
const ELSEWHERE = '/elsewhere';
const elsewhere = { response: describeAnswers({}, ['not_found', 'method_not_allowed']) };

const OPTIONS = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'agentcore-session-binding',
      version,
      summary,
      description: `Written by \`npm run openapi\` from the schemas of the routes; the tests hold every answer to it.

A path that is not described answers with the response \`not_found\`, another method of one that is with
\`method_not_allowed\`, an address that cannot be decoded with \`invalid_request\`. Bytes that are no HTTP request are a
problem document with 400, 408 or 431. HEAD runs no GET. Every answer carries the headers of \`#/components/headers\`.

Errors are problem documents unless the client prefers \`text/html\`; a success of a callback is a page unless it prefers
\`application/json\`. Queries and forms are read as they come: a parameter that must not be chosen between is refused when
it comes twice.`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'PUBLIC_URL, with its path prefix or without' }],
    tags: [
      { name: 'apps', description: 'What apps and agents ask' },
      { name: 'browsers', description: 'What browsers of people open' },
      { name: 'operation', description: 'What load balancers and schedulers ask' },
    ],
    components: {
      headers: {
        'x-request-id': {
          description: 'The reference of this answer, in the log, too. Never taken over from a request.',
          required: true,
          schema: { type: 'string', pattern: '^[\\w-]{16}$' },
        },
        'cache-control': { required: true, schema: { const: 'no-store' } },
        'content-security-policy': {
          required: true,
          schema: { type: 'string', pattern: "^default-src 'none'; base-uri 'none'; frame-ancestors 'none'" },
        },
        'referrer-policy': { required: true, schema: { enum: ['no-referrer', 'strict-origin'] } },
        'x-content-type-options': { required: true, schema: { const: 'nosniff' } },
      },
      securitySchemes: {
        browserSession: {
          type: 'apiKey',
          in: 'cookie',
          name: cookie,
          description: `Who sits at the browser. On http loopback \`${browserSessionCookie('http://localhost').name}\`.`,
        },
        loadBalancer: {
          type: 'apiKey',
          in: 'header',
          name: 'x-amzn-oidc-data',
          description: 'Where ALB_ARN is set: signed by that load balancer.',
        },
        userToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
    },
  },
  convertConstToEnum: false,
  refResolver: { buildLocalReference: (schema) => schema.$id },
  transform: ({ schema, url }) => ({ schema, url: url.replace('*', ':session_uri') }),
};

/** The document, as text, from the routes as they are registered. */
export async function describeService() {
  const document = await collect();
  const {
    404: not_found,
    405: method_not_allowed,
    400: invalid_request,
  } = document.paths[ELSEWHERE].get.responses;
  document.components.responses = { not_found, method_not_allowed, invalid_request };
  delete document.paths[ELSEWHERE];
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const answers = operations.flatMap(({ responses }) => Object.values(responses));
  for (const answer of [...answers, ...Object.values(document.components.responses)]) {
    answer.headers = { 'x-request-id': REQUEST_ID, ...tidyHeaders(answer.headers) };
  }
  const options = await resolveConfig(FILE);
  return format(JSON.stringify(document), { ...options, parser: 'json' });
}

/** Whoever makes a Fastify is told of it before any route: the service needs no door for this script. */
async function collect() {
  const onCreated = ({ fastify }) => {
    fastify.register(fastifySwagger, OPTIONS);
    fastify.register(async (app) => app.get(ELSEWHERE, { schema: elsewhere }, async () => undefined));
  };
  subscribe('fastify.initialization', onCreated);
  try {
    const app = await buildApp(parts());
    await app.ready();
    const document = app.swagger();
    await app.close();
    return document;
  } finally {
    unsubscribe('fastify.initialization', onCreated);
  }
}

function parts() {
  const machine = { resourceMetadata: undefined, hasDockerenv: false, space: undefined };
  const loaded = loadConfig(ENVIRONMENT, () => '', machine);
  if (loaded.kind === 'invalid') throw new Error(loaded.problems.join('\n'));
  const { config } = loaded;
  const logger = createLogger('silent', { write: () => undefined });
  const clock = systemClock;
  const store = createMemoryStore(clock);
  const nothing = async () => true;
  return {
    config,
    logger,
    audit: createAudit(logger),
    store,
    verifier: createUserTokenVerifier({ ...config, recognizesCognito: false, clock }),
    completer: { complete: nothing },
    loadBalancer: undefined,
    readiness: new Readiness({
      clock,
      storeWorks: nothing,
      credentialsWork: nothing,
      issuers: { status: () => [], load: nothing },
    }),
    clock,
    randomness: systemRandomness,
  };
}

/** Headers without their flag, which is none of a schema's. */
function tidyHeaders(headers = {}) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, { schema, ...header }]) => {
      const { required = false, ...rest } = schema;
      return [name, { ...header, required, schema: rest }];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, await describeService());
