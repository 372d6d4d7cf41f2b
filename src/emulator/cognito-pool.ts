import { randomBytes, randomUUID } from 'node:crypto';
import { BoundedMap } from './bounded-map.ts';

export interface EmulatedUser {
  readonly username: string;
  readonly password: string;
  /** Made up where it is not said. */
  readonly subject?: string;
  readonly email?: string;
}

export interface PoolUser extends Required<EmulatedUser> {}

/** An app client of the user pool. */
export interface EmulatedClient {
  readonly clientId: string;
  /** With one, the API wants SECRET_HASH and the token endpoint the secret. */
  readonly clientSecret?: string;
  /** Where the hosted sign-in may send the browser, compared exactly. */
  readonly redirectUris?: readonly string[];
  readonly logoutUris?: readonly string[];
}

/** Somebody has signed in: what codes, refresh tokens and the browser's cookie stand for. */
export interface SignIn {
  readonly user: PoolUser;
  readonly clientId: string;
  readonly scope: string;
  readonly nonce: string | undefined;
  readonly authTimeSeconds: number;
}

interface Code extends SignIn {
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  readonly expiresAtMs: number;
}

interface RefreshToken extends SignIn {
  readonly expiresAtMs: number;
}

interface AccessToken {
  readonly user: PoolUser;
  readonly scope: string;
  readonly expiresAtMs: number;
}

const CODE_TTL_MS = 5 * 60_000;
const REFRESH_TTL_MS = 30 * 24 * 3_600_000;

/** The state of a user pool. */
export class CognitoPool {
  readonly nowMs: () => number;
  readonly #users = new BoundedMap<string, PoolUser>();
  readonly #clients = new BoundedMap<string, EmulatedClient>();
  readonly #codes = new BoundedMap<string, Code>();
  readonly #refreshTokens = new BoundedMap<string, RefreshToken>();
  readonly #accessTokens = new BoundedMap<string, AccessToken>();
  readonly #browsers = new BoundedMap<string, PoolUser>();

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  addUser(user: EmulatedUser): PoolUser {
    const added = { subject: randomUUID(), email: `${user.username}@example.com`, ...user };
    this.#users.set(user.username, added);
    return added;
  }

  addClient(client: EmulatedClient): void {
    this.#clients.set(client.clientId, client);
  }

  client(clientId: string): EmulatedClient | undefined {
    return this.#clients.get(clientId);
  }

  /** Which of name and password is wrong is not told. */
  userWith(username: string, password: string): PoolUser | undefined {
    const user = this.#users.get(username);
    return user?.password === password ? user : undefined;
  }

  /** Nothing where nobody has this name. */
  subjectOf(username: string | undefined): Pick<PoolUser, 'subject'> | undefined {
    const user = this.#users.get(username ?? '');
    return user && { subject: user.subject };
  }

  rememberBrowser(user: PoolUser): string {
    const id = randomBytes(24).toString('base64url');
    this.#browsers.set(id, user);
    return id;
  }

  userOfBrowser(id: string | undefined): PoolUser | undefined {
    return this.#browsers.get(id ?? '');
  }

  forgetBrowser(id: string | undefined): void {
    this.#browsers.delete(id ?? '');
  }

  grantCode(code: Omit<Code, 'expiresAtMs'>): string {
    const id = randomUUID();
    this.#codes.set(id, { ...code, expiresAtMs: this.nowMs() + CODE_TTL_MS });
    return id;
  }

  /** A code is worth one attempt, a wrong one included. */
  takeCode(id: string): Code | undefined {
    const code = this.#codes.get(id);
    this.#codes.delete(id);
    return code !== undefined && code.expiresAtMs > this.nowMs() ? code : undefined;
  }

  grantRefreshToken(signIn: SignIn): string {
    const refreshToken = randomBytes(48).toString('base64url');
    this.#refreshTokens.set(refreshToken, { ...signIn, expiresAtMs: this.nowMs() + REFRESH_TTL_MS });
    return refreshToken;
  }

  signInOf(refreshToken: string, clientId: string): SignIn | undefined {
    const found = this.#refreshTokens.get(refreshToken);
    if (found === undefined || found.clientId !== clientId) return undefined;
    return found.expiresAtMs > this.nowMs() ? found : undefined;
  }

  rememberAccessToken(jwt: string, accessToken: AccessToken): void {
    this.#accessTokens.set(jwt, accessToken);
  }

  accessToken(jwt: string): AccessToken | undefined {
    const found = this.#accessTokens.get(jwt);
    return found !== undefined && found.expiresAtMs > this.nowMs() ? found : undefined;
  }
}
