import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { Provider, type Configuration } from 'oidc-provider';
import { freePort } from './free-port.ts';

/** A certified OpenID provider with its own login and consent pages, where any login and any password will do. */
export interface OidcProvider {
  readonly issuer: string;
  readonly discoveryUrl: string;
  /** Requests so far, as `METHOD /path`. */
  readonly requests: string[];
  /** What the token endpoint was sent. */
  readonly tokenForms: Readonly<Record<string, unknown>>[];
  /** What goes wrong from now on; `{}` is a healthy provider. */
  spoil: Spoil;
  /** An access token of its own (RFC 9068), as an app gets one for the agent. Its audience is {@link AGENT}. */
  accessToken(login: string): Promise<string>;
  /** Any claims at all, under the provider's own key. */
  sign(claims: JWTPayload): Promise<string>;
  close(): Promise<void>;
}

export interface Spoil {
  /** Nothing answers: connections are cut. */
  readonly down?: boolean;
  /** What is said instead, by path: a changed body, or a function that takes over. */
  readonly answers?: Readonly<Record<string, (body: Record<string, unknown>) => unknown>>;
  /** Another status and headers for the token endpoint. */
  readonly tokenAnswer?: { readonly status: number; readonly headers: Readonly<Record<string, string>> };
}

export interface OidcProviderOptions {
  /** Base URLs of the services whose clients these are. */
  readonly publicUrls: readonly string[];
  /** Whom browsers ask; programs always ask 127.0.0.1. */
  readonly host?: string;
}

/** The audience of access tokens: the agent. */
export const AGENT = 'https://agent.example';

export const CLIENTS = {
  public: { clientId: 'public-client', clientSecret: undefined },
  post: { clientId: 'post-client', clientSecret: 'post-secret-4dZ8rT2vN6xQ9wLc3mJ7' },
  basic: { clientId: 'basic-client', clientSecret: 'basic-secret_5eA9sU3wP7yR~8xM' },
} as const;

const KEY_ID = 'provider-key';

/** Starts a provider; its caller closes it. */
export async function startOidcProvider(options: OidcProviderOptions): Promise<OidcProvider> {
  const { publicUrls, host = '127.0.0.1' } = options;
  const port = await freePort();
  const issuer = `http://${host}:${port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk: JWK = { ...(await exportJWK(privateKey)), kid: KEY_ID, alg: 'RS256', use: 'sig' };
  const requests: string[] = [];
  const tokenForms: Readonly<Record<string, unknown>>[] = [];
  let spoil: Spoil = {};

  const provider = quietly(() => new Provider(issuer, configurationOf(jwk, publicUrls)));
  provider.use(async (ctx, next) => {
    requests.push(`${ctx.method} ${ctx.path}`);
    await next();
    if (ctx.path === '/token') tokenForms.push({ ...ctx.oidc.body });
    const isDocument = ctx.path === '/.well-known/openid-configuration';
    if (isDocument) ctx.body = toBrowsers(ctx.body as Record<string, unknown>, issuer, port);
    const change = spoil.answers?.[ctx.path];
    if (change !== undefined) ctx.body = await change((ctx.body ?? {}) as Record<string, unknown>);
    if (ctx.path === '/token' && spoil.tokenAnswer !== undefined) {
      ctx.status = spoil.tokenAnswer.status;
      ctx.set(spoil.tokenAnswer.headers);
    }
  });
  const answer = provider.callback();
  const server: Server = createServer((request, response) => {
    if (spoil.down) return void request.socket.destroy();
    void answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));

  return {
    issuer,
    discoveryUrl: `http://127.0.0.1:${port}/.well-known/openid-configuration`,
    requests,
    tokenForms,
    get spoil() {
      return spoil;
    },
    set spoil(value) {
      spoil = value;
    },
    async accessToken(login) {
      const client = await provider.Client.find(CLIENTS.public.clientId);
      const token = new provider.AccessToken({
        accountId: login,
        client,
        scope: 'invoke',
        gty: 'authorization_code',
      } as ConstructorParameters<typeof provider.AccessToken>[0]);
      const resource = { audience: AGENT, scope: 'invoke', accessTokenFormat: 'jwt', accessTokenTTL: 3600 };
      token.resourceServer = new provider.ResourceServer(AGENT, resource as never) as never;
      return token.save();
    },
    sign: (claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: KEY_ID, typ: 'JWT' }).sign(privateKey),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function configurationOf(jwk: JWK, publicUrls: readonly string[]): Configuration {
  const redirectUris = publicUrls.map((url) => `${url}/login/callback`);
  const common = {
    redirect_uris: redirectUris,
    response_types: ['code' as const],
    grant_types: ['authorization_code'],
  };
  return {
    jwks: { keys: [jwk] },
    clients: [
      { ...common, client_id: CLIENTS.public.clientId, token_endpoint_auth_method: 'none' },
      {
        ...common,
        client_id: CLIENTS.post.clientId,
        client_secret: CLIENTS.post.clientSecret,
        token_endpoint_auth_method: 'client_secret_post',
      },
      {
        ...common,
        client_id: CLIENTS.basic.clientId,
        client_secret: CLIENTS.basic.clientSecret,
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    // The account of a login is the login itself.
    findAccount: (_ctx, login) => ({
      accountId: login,
      claims: () => ({ sub: login, preferred_username: `${login} of the provider`, oid: `oid-of-${login}` }),
    }),
    claims: { openid: ['sub', 'oid'], profile: ['preferred_username'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['a-key-of-the-provider-for-its-cookies'] },
    pkce: { required: () => true },
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      Grant: 3600,
      IdToken: 3600,
      Interaction: 600,
      Session: 3600,
    },
    features: {
      resourceIndicators: { enabled: true, getResourceServerInfo: () => ({ scope: 'invoke' }) },
    },
  };
}

/** Browsers are sent to the issuer's name, which only they can resolve; programs stay with the address. */
function toBrowsers(
  document: Record<string, unknown>,
  issuer: string,
  port: number,
): Record<string, unknown> {
  const forBrowsers = ['authorization_endpoint', 'end_session_endpoint'].map((name) => [
    name,
    String(document[name]).replace(`http://127.0.0.1:${port}`, issuer),
  ]);
  return { ...document, ...Object.fromEntries(forBrowsers) };
}

/** It says at length that its login pages are for development, which is what they are used for. */
function quietly<T>(make: () => T): T {
  const { warn, info } = console;
  Object.assign(console, { warn: () => {}, info: () => {} });
  try {
    return make();
  } finally {
    Object.assign(console, { warn, info });
  }
}
