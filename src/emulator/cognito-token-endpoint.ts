import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bearerOf, clientCredentialsOf } from './client-credentials.ts';
import type { CognitoPool, SignIn } from './cognito-pool.ts';
import { ACCESS_TTL_SECONDS, issueTokens, type TokenSigner } from './cognito-tokens.ts';
import { readForm, sendJson } from './message-body.ts';

/** `/oauth2/token`: codes with PKCE, and refresh tokens. */
export async function serveToken(
  request: IncomingMessage,
  response: ServerResponse,
  signer: TokenSigner,
  pool: CognitoPool,
): Promise<void> {
  // Single-page apps redeem their codes themselves, wherever they are; no credentials of the browser take part.
  response.setHeader('access-control-allow-origin', '*');
  if (request.method !== 'POST') return sendJson(response, { error: 'invalid_request' }, 405);
  const form = await readForm(request);
  const { clientId, clientSecret } = clientCredentialsOf(request, form);
  const client = pool.client(clientId);
  if (client === undefined || client.clientSecret !== clientSecret) {
    return sendJson(response, { error: 'invalid_client' }, 400);
  }
  switch (form.get('grant_type')) {
    case 'authorization_code': {
      const signIn = redeemCode(form, clientId, pool);
      if (signIn === undefined) return sendJson(response, { error: 'invalid_grant' }, 400);
      return sendTokens(response, signIn, signer, pool, { refresh_token: pool.grantRefreshToken(signIn) });
    }
    case 'refresh_token': {
      const signIn = pool.signInOf(form.get('refresh_token') ?? '', clientId);
      if (signIn === undefined) return sendJson(response, { error: 'invalid_grant' }, 400);
      return sendTokens(response, signIn, signer, pool, {});
    }
    default:
      return sendJson(response, { error: 'unsupported_grant_type' }, 400);
  }
}

function redeemCode(form: URLSearchParams, clientId: string, pool: CognitoPool): SignIn | undefined {
  const code = pool.takeCode(form.get('code') ?? '');
  if (code === undefined || code.clientId !== clientId) return undefined;
  if (code.redirectUri !== form.get('redirect_uri')) return undefined;
  // RFC 7636, section 4.6. A verifier without a challenge is refused, too.
  const verifier = form.get('code_verifier');
  const challenge = verifier === null ? undefined : createHash('sha256').update(verifier).digest('base64url');
  return challenge === code.challenge ? code : undefined;
}

function sendTokens(
  response: ServerResponse,
  signIn: SignIn,
  signer: TokenSigner,
  pool: CognitoPool,
  more: object,
): void {
  const { accessToken, idToken } = issueTokens(signer, pool, signIn);
  sendJson(response, {
    access_token: accessToken,
    ...(signIn.scope.split(' ').includes('openid') ? { id_token: idToken } : {}),
    ...more,
    token_type: 'Bearer',
    expires_in: ACCESS_TTL_SECONDS,
  });
}

/** `/oauth2/userInfo`, for access tokens with the scope `openid`. */
export function serveUserInfo(request: IncomingMessage, response: ServerResponse, pool: CognitoPool): void {
  const accessToken = pool.accessToken(bearerOf(request) ?? '');
  if (!accessToken?.scope.split(' ').includes('openid')) {
    return sendJson(response, { error: 'invalid_token' }, 401);
  }
  const { subject, username, email } = accessToken.user;
  sendJson(response, { sub: subject, username, email, email_verified: 'true' });
}
