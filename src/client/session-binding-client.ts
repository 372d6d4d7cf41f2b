import { exchange, type Fault } from './exchange.ts';
import { isJsonObject, type JsonObject, stringOf } from './json-object.ts';
import { SessionBindingError, type SessionBindingErrorCode } from './session-binding-error.ts';
import { parseServiceUrl, sessionUriOf } from './service-url.ts';
import { pauseMs, realTimers, type Timers } from './timers.ts';

export interface SessionBindingClientOptions {
  /** Where this program reaches the service: https, or http on loopback. `http://localhost:9090` by default. */
  readonly baseUrl?: string | undefined;
  /** Instead of the global one: for proxies, certificates, tracing. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** How long one request may take, besides the time it is meant to wait. 10 s by default. */
  readonly requestTimeoutMs?: number | undefined;
  /** For tests. */
  readonly timers?: Timers | undefined;
}

/** How long a call may take in all, retries included. An aborted call rejects with the signal's reason. */
export interface CallLimits {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface StoreUserTokenRequest extends CallLimits {
  /** The JWT with which the user invoked the agent. */
  readonly userToken: string;
  /** Pins the flow, as AgentCore named it in the answer of GetResourceOauth2Token: its URL, its id, or both. */
  readonly authorizationUrl?: string | undefined;
  readonly sessionUri?: string | undefined;
  /** Where the browser goes afterwards. Its origin must be in the service's `RETURN_ORIGINS`. */
  readonly returnTo?: string | undefined;
  /** What is being connected, as pages call it; at most 64 characters. */
  readonly label?: string | undefined;
}

export interface StoredUserToken {
  readonly user: { readonly subject: string; readonly username: string | undefined };
  /** When the user token expires. */
  readonly expiresAt: Date;
  /** The `resourceOauth2ReturnUrl` of GetResourceOauth2Token. */
  readonly callbackUrl: string;
  /** The `customState` of GetResourceOauth2Token, for agents that cannot pin. */
  readonly customState: string;
  /** What to show instead of the authorization URL; there is one where that was pinned. */
  readonly startUrl: string | undefined;
  /** Single-user environments only: signs this user in, once. Whoever holds it can. */
  readonly signInUrl: string | undefined;
}

type PinningRequest = StoreUserTokenRequest & { readonly authorizationUrl: string };
type PinnedUserToken = StoredUserToken & { readonly startUrl: string };

/** Which flow: AgentCore's answer has both, an elicitation of AgentCore Gateway only the URL. */
export type Flow = { readonly sessionUri: string } | { readonly authorizationUrl: string };

export type WaitForAuthorizationRequest = CallLimits & Flow & { readonly userToken: string };

export interface SessionBindingClient {
  /**
   * The callback URL that AgentCore must redirect to. Only the service knows how browsers reach it, so it is asked,
   * once. Before there is any user, `agentcore-session-binding callback-url` prints the same.
   */
  getCallbackUrl(request: CallLimits & { readonly userToken: string }): Promise<string>;
  /** Hands over the user's token and, where the flow is named, pins it to him. 30 s by default. */
  storeUserToken(request: PinningRequest): Promise<PinnedUserToken>;
  storeUserToken(request: StoreUserTokenRequest): Promise<StoredUserToken>;
  /** Resolves when the service can do its work. 40 s by default. */
  waitUntilReady(limits?: CallLimits): Promise<void>;
  /**
   * Resolves when the pinned flow is bound. Rejects as soon as it is known that it will not be: `consent_denied`,
   * `authorization_expired`, `authorization_refused`, `outcome_unknown`. Outages are waited out. 10 min by default.
   */
  waitForAuthorization(request: WaitForAuthorizationRequest): Promise<void>;
}

const STORE_BUDGET_MS = 30_000;
const READY_BUDGET_MS = 40_000;
/** AgentCore's own limit for a consent. */
const AUTHORIZATION_BUDGET_MS = 10 * 60_000;
/** The longest poll that the service holds. */
const LONGEST_POLL_SECONDS = 25;

const ENDINGS: ReadonlyMap<unknown, SessionBindingErrorCode> = new Map([
  ['denied', 'consent_denied'],
  ['expired', 'authorization_expired'],
  ['refused', 'authorization_refused'],
  ['unknown', 'outcome_unknown'],
]);

/** A client of one service. It keeps nothing but the service's callback URL. */
export function createSessionBindingClient(options: SessionBindingClientOptions = {}): SessionBindingClient {
  const { requestTimeoutMs = 10_000, timers = realTimers } = options;
  const baseUrl = parseServiceUrl(options.baseUrl ?? 'http://localhost:9090');
  // Who listens on the network would read every user token (attacker N).
  if (baseUrl === undefined) throw new TypeError('baseUrl must be https, or http on loopback, and no more');
  let callbackUrl: string | undefined;

  function send(path: string, init: RequestInit, timeoutMs: number, signal: AbortSignal | undefined) {
    const fetch = options.fetch ?? globalThis.fetch;
    return exchange({ url: `${baseUrl}${path}`, init, fetch, timeoutMs, signal });
  }

  /** Asks until there is an answer. Only for requests that may be repeated: a POST of a user token is one (§5). */
  async function ask(path: string, init: RequestInit, budgetMs: number, signal: AbortSignal | undefined) {
    const deadlineMs = timers.nowMs() + budgetMs;
    for (let failures = 1; ; failures += 1) {
      const leftMs = deadlineMs - timers.nowMs();
      const result = await send(path, init, Math.min(leftMs, requestTimeoutMs), signal);
      if (result.kind === 'answer') return result.body;
      const waitMs = pauseMs(failures, result.retryAfterMs, timers);
      // Told to come back later than that: the caller learns now what he would learn then.
      if (!isPassing(result) || timers.nowMs() + waitMs >= deadlineMs) throw errorOf(result);
      await timers.sleep(waitMs, signal);
    }
  }

  async function storeUserToken(request: PinningRequest): Promise<PinnedUserToken>;
  async function storeUserToken(request: StoreUserTokenRequest): Promise<StoredUserToken>;
  async function storeUserToken(request: StoreUserTokenRequest): Promise<StoredUserToken> {
    const { timeoutMs = STORE_BUDGET_MS, signal } = request;
    const body = JSON.stringify({
      user_token: checkUserToken(request.userToken),
      authorization_url: request.authorizationUrl,
      session_uri: request.sessionUri,
      return_to: request.returnTo,
      label: request.label,
    });
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body };
    const stored = parseStoredUserToken(await ask('/userIdentifier/token', init, timeoutMs, signal));
    const needsStartUrl = request.authorizationUrl !== undefined;
    if (stored === undefined || (needsStartUrl && stored.startUrl === undefined)) {
      throw new SessionBindingError('unexpected_answer');
    }
    ({ callbackUrl } = stored);
    return stored;
  }

  return {
    storeUserToken,

    getCallbackUrl: async (request) => callbackUrl ?? (await storeUserToken(request)).callbackUrl,

    async waitUntilReady({ timeoutMs = READY_BUDGET_MS, signal } = {}) {
      await ask('/ready', { headers: { accept: 'application/json' } }, timeoutMs, signal);
    },

    async waitForAuthorization(request) {
      const { timeoutMs = AUTHORIZATION_BUDGET_MS, signal } = request;
      const sessionUri =
        'sessionUri' in request ? request.sessionUri : sessionUriOf(request.authorizationUrl);
      if (sessionUri === undefined) throw new SessionBindingError('invalid_request');
      const authorization = `Bearer ${checkUserToken(request.userToken)}`;
      const init = { headers: { accept: 'application/json', authorization } };
      const deadlineMs = timers.nowMs() + timeoutMs;
      let failures = 0;
      for (;;) {
        const askedMs = timers.nowMs();
        const leftMs = deadlineMs - askedMs;
        if (leftMs <= 0) throw new SessionBindingError('timed_out');
        const seconds = Math.min(LONGEST_POLL_SECONDS, Math.floor(leftMs / 1_000));
        const path = `/authorizations/${encodeURIComponent(sessionUri)}?wait=${seconds}`;
        const result = await send(path, init, Math.min(leftMs, seconds * 1_000 + requestTimeoutMs), signal);
        if (result.kind === 'answer') {
          const { status } = result.body;
          if (status === 'completed') return;
          if (status !== 'pending') {
            throw new SessionBindingError(ENDINGS.get(status) ?? 'unexpected_answer');
          }
          // A service that cannot hold the poll answers at once: it must not be asked again at once.
          const wasHeld = timers.nowMs() - askedMs >= 1_000;
          failures = wasHeld ? 0 : failures + 1;
          if (wasHeld) continue;
        } else {
          if (!isPassing(result)) throw errorOf(result);
          failures += 1;
        }
        const retryAfterMs = result.kind === 'fault' ? result.retryAfterMs : undefined;
        const waitMs = pauseMs(failures, retryAfterMs, timers);
        await timers.sleep(Math.min(waitMs, Math.max(0, deadlineMs - timers.nowMs())), signal);
      }
    },
  };
}

function isPassing({ code, status }: Fault): boolean {
  return code === 'unreachable' || status === 429 || status === 503;
}

function errorOf(fault: Fault): SessionBindingError {
  return new SessionBindingError(fault.code, fault);
}

/** What no JWT looks like goes nowhere: the platform would quote it in the error it throws. */
function checkUserToken(userToken: string): string {
  if (!/^[\w.~+/=-]+$/.test(userToken)) throw new SessionBindingError('invalid_token');
  return userToken;
}

function parseStoredUserToken(body: JsonObject): StoredUserToken | undefined {
  const { user, expires_at: expires, callback_url: callbackUrl, custom_state: customState } = body;
  const { subject, username } = isJsonObject(user) ? user : {};
  const expiresAt = new Date(String(expires));
  if (typeof subject !== 'string' || Number.isNaN(expiresAt.getTime())) return undefined;
  if (typeof callbackUrl !== 'string' || typeof customState !== 'string') return undefined;
  return {
    user: { subject, username: stringOf(username) },
    expiresAt,
    callbackUrl,
    customState,
    startUrl: stringOf(body['start_url']),
    signInUrl: stringOf(body['sign_in_url']),
  };
}
