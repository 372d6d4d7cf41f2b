import { randomUUID } from 'node:crypto';
import type { CognitoPool, SignIn } from './cognito-pool.ts';

export const ACCESS_TTL_SECONDS = 3600;

/** Signs for a pool; the issuer's own keys do. */
export interface TokenSigner {
  readonly issuer: string;
  sign(claims: object): string;
}

export interface IssuedTokens {
  readonly accessToken: string;
  readonly idToken: string;
}

/**
 * The access and the ID token of a sign-in, claim by claim as Cognito makes them: the access token names its client in
 * `client_id` and has no `aud`, the ID token has `aud` and the user's attributes.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html
 */
export function issueTokens(signer: TokenSigner, pool: CognitoPool, signIn: SignIn): IssuedTokens {
  const { user, clientId, scope, nonce, authTimeSeconds } = signIn;
  const nowSeconds = Math.floor(pool.nowMs() / 1000);
  const common = {
    sub: user.subject,
    iss: signer.issuer,
    origin_jti: randomUUID(),
    event_id: randomUUID(),
    auth_time: authTimeSeconds,
    iat: nowSeconds,
    exp: nowSeconds + ACCESS_TTL_SECONDS,
  };
  const accessToken = signer.sign({
    ...common,
    token_use: 'access',
    client_id: clientId,
    scope,
    username: user.username,
    jti: randomUUID(),
  });
  const idToken = signer.sign({
    ...common,
    token_use: 'id',
    aud: clientId,
    'cognito:username': user.username,
    email: user.email,
    email_verified: true,
    ...(nonce === undefined ? {} : { nonce }),
    jti: randomUUID(),
  });
  const expiresAtMs = (nowSeconds + ACCESS_TTL_SECONDS) * 1000;
  pool.rememberAccessToken(accessToken, { user, scope, expiresAtMs });
  return { accessToken, idToken };
}
