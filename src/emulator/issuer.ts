import { createPublicKey, generateKeyPair, randomUUID, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { listenOnLoopback } from './loopback-server.ts';
import { sendJson } from './message-body.ts';

/** A Cognito-shaped OIDC issuer on loopback: discovery, a key set, and access tokens with real signatures. */
export interface Issuer {
  /** As in `iss`, e.g. `http://127.0.0.1:4000/us-east-1_Emulator`. */
  readonly issuer: string;
  readonly discoveryUrl: string;
  readonly discoveryRequests: number;
  readonly jwksRequests: number;
  /** Requests that arrived by following a redirect of this issuer. */
  readonly redirectedRequests: number;
  /** What goes wrong from now on; `{}` is a healthy issuer. */
  faults: IssuerFaults;
  accessToken(request?: AccessTokenRequest): Promise<string>;
  /** A JWT with these claims and header parameters and no others, signed like an access token. */
  sign(claims: object, header?: object): string;
  /** The key set as it is published now. */
  keySet(): readonly Readonly<Record<string, unknown>>[];
  /** A new signing key. Tokens of the old one stay verifiable only with `keepOld`. */
  rotateKeys(options?: { readonly keepOld?: boolean }): Promise<void>;
  /** Stops listening and cuts open connections; returns when the port is free. */
  close(): Promise<void>;
}

export interface IssuerFaults {
  /** Instead of the document: a cut connection, no answer, half an answer, or the right document sent wrongly. */
  readonly mode?: 'down' | 'hang' | 'hang_in_body' | 'status_500' | 'html' | 'redirect' | 'huge';
  /** Which of the two documents `mode` and `slowMs` spoil; both when absent. */
  readonly only?: 'discovery' | 'jwks';
  readonly slowMs?: number;
  /** Published instead of the right value. */
  readonly issuer?: unknown;
  readonly jwksUri?: unknown;
  readonly keys?: unknown;
}

export interface AccessTokenRequest {
  readonly subject?: string;
  readonly username?: string;
  readonly clientId?: string;
  readonly scope?: string;
  /** Negative: expired that long ago. */
  readonly expiresInSeconds?: number;
  /** Further or other claims; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Further or other header parameters; undefined leaves one out. */
  readonly header?: Readonly<Record<string, unknown>>;
}

export interface IssuerOptions {
  readonly port?: number;
  /** Path of the issuer, as a Cognito pool id is one. */
  readonly path?: string;
  readonly clock?: { nowMs(): number };
  /** What else answers at this address. */
  readonly beside?: Beside;
}

/** What stands beside discovery and key set, as Cognito's API and its sign-in pages do. */
export interface Beside {
  /** Further members of the discovery document. */
  discovery(origin: string): object;
  answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void>;
}

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

const HUGE_BYTES = 300 * 1024;

export async function startIssuer(options: IssuerOptions = {}): Promise<Issuer> {
  const { path = '/us-east-1_Emulator', clock = { nowMs: () => Date.now() }, beside } = options;
  const requests = { discovery: 0, jwks: 0, redirected: 0 };
  let signingKey = await generateSigningKey();
  let published: readonly SigningKey[] = [signingKey];

  const server = await listenOnLoopback(answer, options.port);
  const issuer = `${server.origin}${path}`;

  const signClaims = (claims: object, header: object = {}) =>
    signCompact({ kid: signingKey.kid, alg: 'RS256', ...header }, claims, signingKey.privateKey);

  const emulator = {
    issuer,
    discoveryUrl: `${issuer}/.well-known/openid-configuration`,
    get discoveryRequests() {
      return requests.discovery;
    },
    get jwksRequests() {
      return requests.jwks;
    },
    get redirectedRequests() {
      return requests.redirected;
    },
    faults: {} as IssuerFaults,
    accessToken(request: AccessTokenRequest = {}) {
      const nowSeconds = Math.floor(clock.nowMs() / 1000);
      const claims = { ...cognitoClaims(issuer, request, nowSeconds), ...request.claims };
      return Promise.resolve(signClaims(claims, request.header));
    },
    sign: signClaims,
    keySet: () => published.map(publicJwk),
    async rotateKeys({ keepOld = false }: { readonly keepOld?: boolean } = {}) {
      signingKey = await generateSigningKey();
      published = keepOld ? [signingKey, ...published] : [signingKey];
    },
    close: () => server.close(),
  } satisfies Issuer;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', issuer);
    const endpoint = endpointOf(url.pathname);
    if (endpoint === undefined && beside !== undefined) return beside.answer(request, response, url);
    if (endpoint === undefined) return void response.writeHead(404).end();
    requests[endpoint]++;
    const { faults } = emulator;
    const document =
      endpoint === 'discovery' ? discoveryDocument(faults) : { keys: faults.keys ?? emulator.keySet() };
    if (url.searchParams.has('redirected')) {
      requests.redirected++;
      return sendJson(response, document);
    }
    if (faults.only !== undefined && faults.only !== endpoint) return sendJson(response, document);
    if (faults.slowMs !== undefined)
      await new Promise((resolve) => setTimeout(resolve, faults.slowMs).unref());
    sendSpoiled(request, response, document, faults.mode);
  }

  function endpointOf(pathname: string): 'discovery' | 'jwks' | undefined {
    if (pathname === `${path}/.well-known/openid-configuration`) return 'discovery';
    return pathname === `${path}/.well-known/jwks.json` ? 'jwks' : undefined;
  }

  function discoveryDocument(faults: IssuerFaults): object {
    return {
      ...beside?.discovery(server.origin),
      issuer: 'issuer' in faults ? faults.issuer : issuer,
      jwks_uri: 'jwksUri' in faults ? faults.jwksUri : `${issuer}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ['RS256'],
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
    };
  }

  return emulator;
}

function sendSpoiled(
  request: IncomingMessage,
  response: ServerResponse,
  document: object,
  mode: IssuerFaults['mode'],
): void {
  switch (mode) {
    case undefined:
      return sendJson(response, document);
    case 'down':
      return void request.socket.destroy();
    case 'hang':
      return;
    case 'hang_in_body':
      return void response.writeHead(200, { 'content-type': 'application/json' }).write('{');
    case 'status_500':
      return sendJson(response, document, 500);
    case 'html':
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><p>Hello</p>');
    case 'redirect':
      return void response.writeHead(302, { location: `${request.url ?? ''}?redirected` }).end();
    case 'huge':
      // Written in pieces and without a Content-Length: only whoever counts notices.
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(' '.repeat(HUGE_BYTES));
      return void response.end(JSON.stringify(document));
  }
}

async function generateSigningKey(): Promise<SigningKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return { kid: randomUUID(), privateKey };
}

function publicJwk({ kid, privateKey }: SigningKey): Readonly<Record<string, unknown>> {
  return { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
}

// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
// An access token of Cognito names its client in `client_id` and has no `aud`.
function cognitoClaims(issuer: string, request: AccessTokenRequest, nowSeconds: number): object {
  return {
    sub: request.subject ?? '11111111-2222-4333-8444-555555555555',
    iss: issuer,
    client_id: request.clientId ?? 'emulated-client',
    origin_jti: randomUUID(),
    token_use: 'access',
    scope: request.scope ?? 'openid profile',
    auth_time: nowSeconds,
    exp: nowSeconds + (request.expiresInSeconds ?? 3600),
    iat: nowSeconds,
    jti: randomUUID(),
    username: request.username ?? 'testuser',
  };
}

function signCompact(header: object, claims: object, privateKey: KeyObject): string {
  const input = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
}
