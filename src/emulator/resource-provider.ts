import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerMetadata } from './agentcore-providers.ts';
import { bearerOf, clientCredentialsOf } from './client-credentials.ts';
import type { EmulatedCall } from './emulated-call.ts';
import { listenOnLoopback } from './loopback-server.ts';
import { readForm, sendJson } from './message-body.ts';
import { DEFAULT_ACCOUNTS, type ResourceAccount } from './resource-accounts.ts';
import { serveConsent } from './resource-consent.ts';
import { type Consent, type GrantRules, type ResourceApp, ResourceGrants } from './resource-grants.ts';

/** A GitHub-like or Google-like provider on loopback: consent page, code exchange, and an API behind bearer tokens. */
export interface ResourceProvider {
  /** Of the API, and of everything that is no page. */
  readonly origin: string;
  readonly metadata: ServerMetadata;
  addApp(app: ResourceApp): void;
  addAccount(account: ResourceAccount): void;
  /** The user takes back what he has allowed. */
  revoke(login: string): void;
  /** What answers 503 from now on. */
  outage: 'none' | 'token' | 'api';
  close(): Promise<void>;
}

export interface ResourceProviderOptions {
  readonly port?: number;
  readonly clock?: { nowMs(): number };
  readonly accounts?: readonly ResourceAccount[];
  /** Where browsers reach its pages, if not at 127.0.0.1: another name of the loopback, so that it is another site. */
  readonly browserName?: string;
  readonly onCall?: (call: EmulatedCall) => void;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: object;
}

/** What makes a provider this one. */
export interface ProviderKind {
  readonly id: 'github' | 'google';
  readonly title: string;
  readonly authorizePath: string;
  readonly tokenPath: string;
  readonly grants: GrantRules;
  /** The status of a refused code: GitHub says 200. */
  readonly refusedCode: ApiAnswer;
  readonly unauthenticated: ApiAnswer;
  /** Undefined for a path that is no part of the API. */
  answer(url: URL, consent: Consent): ApiAnswer | undefined;
}

export async function startResourceProvider(
  kind: ProviderKind,
  options: ResourceProviderOptions,
): Promise<ResourceProvider> {
  const { clock = { nowMs: () => Date.now() }, browserName, onCall = () => {} } = options;
  const grants = new ResourceGrants(kind.grants, () => clock.nowMs());
  const accounts = new Map((options.accounts ?? DEFAULT_ACCOUNTS).map((account) => [account.login, account]));
  const apps = new Map<string, ResourceApp>();

  const server = await listenOnLoopback(handle, options.port);
  const { origin } = server;
  const browserOrigin = browserName === undefined ? origin : origin.replace('127.0.0.1', browserName);
  const provider: ResourceProvider = {
    origin,
    metadata: {
      issuer: origin,
      authorizationEndpoint: browserOrigin + kind.authorizePath,
      tokenEndpoint: origin + kind.tokenPath,
    },
    addApp: (app) => void apps.set(app.clientId, app),
    addAccount: (account) => void accounts.set(account.login, account),
    revoke: (login) => grants.revoke(login),
    outage: 'none',
    close: () => server.close(),
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin);
    await serve(request, response, url);
    const answer = String(response.statusCode);
    onCall({ to: kind.id, what: url.pathname, answer, atMs: clock.nowMs() });
  }

  async function serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (url.pathname === kind.authorizePath) {
      return serveConsent(request, response, url, {
        title: kind.title,
        cookieName: `${kind.id}-account`,
        accounts,
        apps,
        grantCode: (consent, redirectUri) => grants.grantCode(consent, redirectUri),
      });
    }
    if (url.pathname === kind.tokenPath) {
      const { status, body } = provider.outage === 'token' ? OUTAGE : await exchange(request);
      return sendJson(response, body, status);
    }
    const { status, body } = provider.outage === 'api' ? OUTAGE : ask(request, url);
    sendJson(response, body, status);
  }

  async function exchange(request: IncomingMessage): Promise<ApiAnswer> {
    if (request.method !== 'POST') return { status: 405, body: { error: 'invalid_request' } };
    const form = await readForm(request);
    const { clientId, clientSecret } = clientCredentialsOf(request, form);
    if (apps.get(clientId)?.clientSecret !== clientSecret || clientSecret === undefined) {
      return { status: 401, body: { error: 'invalid_client' } };
    }
    const body =
      form.get('grant_type') === 'refresh_token'
        ? grants.redeemRefreshToken(form.get('refresh_token') ?? '', clientId)
        : grants.redeemCode(form.get('code') ?? '', clientId, form.get('redirect_uri') ?? '');
    return body === undefined ? kind.refusedCode : { status: 200, body };
  }

  function ask(request: IncomingMessage, url: URL): ApiAnswer {
    const consent = grants.consentOf(bearerOf(request));
    if (consent === undefined) return kind.unauthenticated;
    return kind.answer(url, consent) ?? { status: 404, body: { message: 'Not Found' } };
  }

  return provider;
}

const OUTAGE: ApiAnswer = { status: 503, body: { message: 'Service Unavailable' } };
