import { randomBytes } from 'node:crypto';
import { BoundedMap } from './bounded-map.ts';
import type { ResourceAccount } from './resource-accounts.ts';

/** An application that is registered at the provider. AgentCore is one, once for each credential provider. */
export interface ResourceApp {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Compared exactly. */
  readonly redirectUris: readonly string[];
}

/** Somebody has allowed an application to act in his account. */
export interface Consent {
  readonly account: ResourceAccount;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Whether a refresh token was asked for. */
  readonly isOffline: boolean;
}

interface Expiring extends Consent {
  readonly expiresAtMs: number;
}

export interface GrantRules {
  /** How access tokens begin. */
  readonly prefix: string;
  /** Without one they live until the end of the emulator. */
  readonly accessTtlSeconds: number | undefined;
}

const CODE_TTL_MS = 10 * 60_000;

/** The codes and tokens of a resource provider. */
export class ResourceGrants {
  readonly #rules: GrantRules;
  readonly #nowMs: () => number;
  readonly #codes = new BoundedMap<string, Expiring & { readonly redirectUri: string }>();
  readonly #accessTokens = new BoundedMap<string, Expiring>();
  readonly #refreshTokens = new BoundedMap<string, Consent>();

  constructor(rules: GrantRules, nowMs: () => number) {
    this.#rules = rules;
    this.#nowMs = nowMs;
  }

  grantCode(consent: Consent, redirectUri: string): string {
    const code = randomBytes(15).toString('base64url');
    this.#codes.set(code, { ...consent, redirectUri, expiresAtMs: this.#nowMs() + CODE_TTL_MS });
    return code;
  }

  /** A code is worth one attempt, a wrong one included. */
  redeemCode(code: string, clientId: string, redirectUri: string): object | undefined {
    const found = this.#codes.get(code);
    this.#codes.delete(code);
    if (found === undefined || !this.#isLive(found)) return undefined;
    if (found.clientId !== clientId || found.redirectUri !== redirectUri) return undefined;
    const { account, scopes, isOffline } = found;
    return this.#answer({ account, clientId, scopes, isOffline }, isOffline);
  }

  redeemRefreshToken(refreshToken: string, clientId: string): object | undefined {
    const consent = this.#refreshTokens.get(refreshToken);
    return consent?.clientId === clientId ? this.#answer(consent, false) : undefined;
  }

  consentOf(accessToken: string | undefined): Consent | undefined {
    const found = this.#accessTokens.get(accessToken ?? '');
    return found !== undefined && this.#isLive(found) ? found : undefined;
  }

  /** The user takes back what he has allowed: nothing that was issued for this account works any more. */
  revoke(login: string): void {
    for (const tokens of [this.#accessTokens, this.#refreshTokens]) {
      for (const [id, { account }] of tokens) if (account.login === login) tokens.delete(id);
    }
  }

  #answer(consent: Consent, withRefreshToken: boolean): object {
    const { prefix, accessTtlSeconds } = this.#rules;
    const accessToken = prefix + randomBytes(27).toString('base64url');
    const expiresAtMs =
      accessTtlSeconds === undefined ? Number.POSITIVE_INFINITY : this.#nowMs() + accessTtlSeconds * 1000;
    this.#accessTokens.set(accessToken, { ...consent, expiresAtMs });
    const refreshToken = withRefreshToken ? `1//${randomBytes(36).toString('base64url')}` : undefined;
    if (refreshToken !== undefined) this.#refreshTokens.set(refreshToken, consent);
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      scope: consent.scopes.join(' '),
      ...(accessTtlSeconds === undefined ? {} : { expires_in: accessTtlSeconds }),
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    };
  }

  #isLive({ expiresAtMs }: Expiring): boolean {
    return expiresAtMs > this.#nowMs();
  }
}
