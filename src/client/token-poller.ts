import type { CallLimits, SessionBindingClient } from './session-binding-client.ts';
import { SessionBindingError } from './session-binding-error.ts';
import { realTimers, type Timers } from './timers.ts';

export interface TokenPollerOptions extends CallLimits {
  readonly client: SessionBindingClient;
  /** The user token that pinned the flow. */
  readonly userToken: string;
  readonly sessionUri: string;
  /** Asks AgentCore: GetResourceOauth2Token with this `sessionUri`. Undefined where it has no access token yet. */
  readonly fetchToken: () => Promise<string | undefined>;
  /** For tests. */
  readonly timers?: Timers | undefined;
}

/** The shape of AWS's agent SDKs: whoever needs the access token awaits it. */
export interface TokenPoller {
  pollForToken(): Promise<string>;
}

/** AgentCore may take a moment between binding a flow and answering with its token. */
const SECOND_LOOK_MS = 1_000;

/**
 * Waits for the flow at the service, then asks AgentCore once, at most twice; AWS's own pollers ask every five
 * seconds for ten minutes, also after a denial.
 */
export function createTokenPoller(options: TokenPollerOptions): TokenPoller {
  const { client, fetchToken, timers = realTimers, ...request } = options;
  return {
    async pollForToken() {
      const doubt = await client.waitForAuthorization(request).catch((error: unknown) => {
        // The answer to the binding was lost: only AgentCore knows whether it took place.
        if (error instanceof SessionBindingError && error.code === 'outcome_unknown') return error;
        throw error;
      });
      const accessToken = await fetchToken();
      if (accessToken !== undefined) return accessToken;
      if (doubt !== undefined) throw doubt;
      await timers.sleep(SECOND_LOOK_MS, request.signal);
      const secondLook = await fetchToken();
      if (secondLook === undefined) throw new SessionBindingError('access_token_missing');
      return secondLook;
    },
  };
}

export interface AuthUrlHandlerOptions extends CallLimits {
  readonly client: SessionBindingClient;
  /** The JWT with which the user invoked the agent. */
  readonly userToken: string;
  /** Shows the link to this user; anybody else gets nowhere with it. */
  readonly showLink: (startUrl: string) => void | Promise<void>;
  readonly returnTo?: string | undefined;
  readonly label?: string | undefined;
}

/**
 * The `onAuthUrl` of AWS's TypeScript agent SDK, which takes no poller of its own but awaits this before it polls:
 * pins the flow, shows its start link and waits. The SDK's first poll then finds the access token; a denial rejects
 * the SDK's call at once.
 */
export function createAuthUrlHandler(
  options: AuthUrlHandlerOptions,
): (authorizationUrl: string) => Promise<void> {
  const { client, showLink, returnTo, label, ...request } = options;
  const { userToken, signal } = request;
  return async (authorizationUrl) => {
    const stored = await client.storeUserToken({ userToken, authorizationUrl, returnTo, label, signal });
    await showLink(stored.startUrl);
    await client.waitForAuthorization({ ...request, authorizationUrl });
  };
}
