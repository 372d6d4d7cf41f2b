import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  type ClientAuth,
  ClientSecretPost,
  Configuration,
  customFetch,
  None,
  type ServerMetadata,
} from 'openid-client';
import type { Clock, Randomness } from '../binding/clock.ts';
import { Secret } from '../binding/secret.ts';
import type { User } from '../binding/user.ts';
import { checkClaims } from './claims.ts';
import { isCognitoIssuer } from './cognito-pools.ts';
import { parseCompactJwt } from './compact-jwt.ts';
import { ISSUER_BUDGETS, type IssuerBudgets, type IssuerKeys } from './issuer-keys.ts';
import { parseEndpointUrl } from './issuer-url.ts';
import { createLimitedFetch } from './limited-fetch.ts';
import { explainLoginFailure, type LoginFailure } from './login-failure.ts';
import { verifySignature } from './verify-signature.ts';

/** What a login must come back with, known to the browser that began it and to nobody else (SB-31). */
export interface LoginSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

export type BegunLogin =
  | { readonly kind: 'begun'; readonly authorizationUrl: string; readonly secrets: LoginSecrets }
  | LoginFailure;

export type FinishedLogin =
  { readonly kind: 'proven'; readonly user: User; readonly username?: string } | LoginFailure;

/** Signs people in at the issuer of their user tokens: OIDC authorization code with PKCE. */
export interface RelyingParty {
  /** A new login: where to send the browser, and what to give it along. */
  begin(): Promise<BegunLogin>;
  /** Whose login came back with these parameters. None of the issuer's tokens leaves this function. */
  finish(parameters: URLSearchParams, secrets: LoginSecrets): Promise<FinishedLogin>;
  /** Where a browser of this user signs out at the issuer, if there is such a place. */
  endSessionUrl(user: User): string | undefined;
}

export interface RelyingPartyOptions {
  readonly keys: IssuerKeys;
  readonly clientId: string;
  /** Undefined: a public client. */
  readonly clientSecret: Secret | undefined;
  readonly scopes: readonly string[];
  readonly userClaim: string;
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly budgets?: Partial<IssuerBudgets>;
}

const SECRET_BYTES = 32;

export function createRelyingParty(options: RelyingPartyOptions): RelyingParty {
  const { keys, clientId, clientSecret, scopes, userClaim, publicUrl, clock, randomness } = options;
  const budgets: IssuerBudgets = { ...ISSUER_BUDGETS, ...options.budgets };
  // From configuration alone: a Host or path of the request in it would send the code wherever they say (SB-19).
  const redirectUri = new URL(`${publicUrl}/login/callback`);

  /** The issuer whose keys are held: of two documents that name one issuer the verifier has chosen (SB-11). */
  async function findIssuer(): Promise<
    { readonly kind: 'found'; readonly server: ServerMetadata } | LoginFailure
  > {
    await keys.load();
    const [issuer, metadata] = [keys.issuer(), keys.metadata()];
    if (issuer === undefined || metadata === undefined) return unavailable('issuer_never_reached');
    const authorizationEndpoint = parseEndpointUrl(metadata.authorization_endpoint, keys.discoveryUrl);
    const tokenEndpoint = parseEndpointUrl(metadata.token_endpoint, keys.discoveryUrl);
    if (authorizationEndpoint === undefined) return unavailable('authorization_endpoint_not_https');
    if (tokenEndpoint === undefined) return unavailable('token_endpoint_not_https');
    const server = {
      issuer,
      authorization_endpoint: authorizationEndpoint.href,
      token_endpoint: tokenEndpoint.href,
      // What is left out means these two (OpenID Connect Discovery 1.0 section 3).
      token_endpoint_auth_methods_supported: stringsIn(metadata.token_endpoint_auth_methods_supported) ?? [],
      id_token_signing_alg_values_supported: stringsIn(metadata.id_token_signing_alg_values_supported) ?? [
        'RS256',
      ],
      // An issuer that names itself in its answers must always do so, else a mix-up goes unseen (RFC 9207).
      authorization_response_iss_parameter_supported:
        metadata.authorization_response_iss_parameter_supported === true,
    };
    return { kind: 'found', server };
  }

  function configure(server: ServerMetadata, onAsked = () => {}): Configuration {
    const configuration = new Configuration(
      server,
      clientId,
      undefined,
      clientAuth(server, clientId, clientSecret),
    );
    // Every endpoint went through parseEndpointUrl, which knows the one exception: loopback.
    allowInsecureRequests(configuration);
    configuration[customFetch] = createLimitedFetch(clock, budgets, onAsked);
    return configuration;
  }

  return {
    async begin() {
      const found = await findIssuer();
      if (found.kind !== 'found') return found;
      const secrets: LoginSecrets = {
        state: randomness.id(SECRET_BYTES),
        nonce: randomness.id(SECRET_BYTES),
        codeVerifier: randomness.id(SECRET_BYTES),
      };
      const authorizationUrl = buildAuthorizationUrl(configure(found.server), {
        redirect_uri: redirectUri.href,
        scope: scopes.join(' '),
        state: secrets.state,
        nonce: secrets.nonce,
        code_challenge: await calculatePKCECodeChallenge(secrets.codeVerifier),
        code_challenge_method: 'S256',
      });
      return { kind: 'begun', authorizationUrl: authorizationUrl.href, secrets };
    },

    async finish(parameters, { state, nonce, codeVerifier }) {
      const found = await findIssuer();
      if (found.kind !== 'found') return found;
      const returned = new URL(redirectUri);
      returned.search = parameters.toString();
      let wasIssuerAsked = false;
      const configuration = configure(found.server, () => (wasIssuerAsked = true));
      let idToken: Secret;
      try {
        const answer = await authorizationCodeGrant(configuration, returned, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        });
        idToken = new Secret(answer.id_token ?? '');
      } catch (error) {
        return explainLoginFailure(error, wasIssuerAsked);
      }
      return proveUser(idToken, found.server.issuer);
    },

    endSessionUrl({ issuer }) {
      const url = parseEndpointUrl(keys.metadata()?.end_session_endpoint, keys.discoveryUrl);
      if (url === undefined || issuer !== keys.issuer()) return undefined;
      url.searchParams.set('client_id', clientId);
      // Cognito refuses a logout that leads nowhere, and calls the parameter its own name. Other issuers need none, and
      // refuse one that nobody registered.
      if (isCognitoIssuer(issuer)) url.searchParams.set('logout_uri', `${publicUrl}/sign-in`);
      return url.href;
    },
  };

  // The library has checked issuer, audience and nonce. The signature is checked here as that of a user token is: with
  // keys that a short RSA key or a symmetric one never becomes (SB-10).
  async function proveUser(idToken: Secret, issuer: string): Promise<FinishedLogin> {
    const parsed = parseCompactJwt(idToken.reveal());
    if (parsed.kind === 'refused') return unavailable(parsed.reason);
    const signature = await verifySignature(idToken, parsed, keys);
    if (signature.kind !== 'verified') return unavailable(signature.reason);
    const policy = { allowedClients: [], allowedAudience: [clientId], allowedScopes: [], userClaim };
    const check = checkClaims(signature.claims, policy, clock.nowMs());
    if (check.kind === 'refused') return unavailable(check.reason);
    const { subject, username } = check;
    return { kind: 'proven', user: { issuer, subject }, ...(username !== undefined && { username }) };
  }
}

/**
 * The secret goes in the header, which every issuer must accept and the strict ones expect (RFC 6749 section 2.3.1),
 * unless this one says that it takes it in the body alone.
 */
function clientAuth(server: ServerMetadata, clientId: string, secret: Secret | undefined): ClientAuth {
  if (secret === undefined) return None();
  const methods = server.token_endpoint_auth_methods_supported ?? [];
  if (methods.includes('client_secret_post') && !methods.includes('client_secret_basic')) {
    return ClientSecretPost(secret.reveal());
  }
  // The library's own also escapes what needs no escaping, such as the hyphen, and not every issuer undoes that.
  return (_server, _client, _body, headers) => {
    const credentials = [clientId, secret.reveal()].map((text) => encodeURIComponent(text)).join(':');
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  };
}

function stringsIn(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}

function unavailable(reason: string): LoginFailure {
  return { kind: 'issuer_unavailable', reason };
}
