import { createHash, randomBytes } from 'node:crypto';
import { isJsonObject } from '../issuer/json-object.ts';
import type { Feed } from './feed.ts';
import type { SignedIn, Visitor } from './visitor.ts';
import { APP_CLIENT_ID, type World } from './world.ts';

/** The app's own sign-in: authorization code and PKCE at Cognito. Its tokens never reach the browser. */
export async function signInUrl(
  pageUrl: string,
  username: string | null,
  { pending }: Visitor,
  { emulator }: World,
): Promise<string> {
  const { authorization_endpoint: endpoint } = await readJson(fetch(emulator.cognito.discoveryUrl));
  const [state, verifier] = [randomBytes(16), randomBytes(32)].map((bytes) => bytes.toString('base64url'));
  pending.clear();
  pending.set(String(state), String(verifier));
  const target = new URL(String(endpoint));
  const parameters = {
    response_type: 'code',
    client_id: APP_CLIENT_ID,
    redirect_uri: `${pageUrl}/signed-in`,
    scope: 'openid profile',
    state: String(state),
    code_challenge: createHash('sha256').update(String(verifier)).digest('base64url'),
    code_challenge_method: 'S256',
    login_hint: username ?? '',
    // Whoever was signed in there before is not meant.
    prompt: 'login',
  };
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
  return target.href;
}

/** Undefined where the answer is not to a question of this browser's, or Cognito does not take the code. */
export async function redeemCode(
  pageUrl: string,
  query: URLSearchParams,
  { pending }: Visitor,
  { emulator }: World,
  feed: Feed,
): Promise<SignedIn | undefined> {
  const verifier = pending.get(query.get('state') ?? '');
  pending.clear();
  if (verifier === undefined) return undefined;
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: APP_CLIENT_ID,
    code: query.get('code') ?? '',
    redirect_uri: `${pageUrl}/signed-in`,
    code_verifier: verifier,
  });
  feed.tokensGoTo = 'agent';
  try {
    const endpoint = `${emulator.cognito.endpoint}/oauth2/token`;
    const { access_token: userToken } = await readJson(fetch(endpoint, { method: 'POST', body }));
    if (typeof userToken !== 'string') return undefined;
    const headers = { authorization: `Bearer ${userToken}` };
    const { username } = await readJson(fetch(`${emulator.cognito.endpoint}/oauth2/userInfo`, { headers }));
    return { username: String(username), userToken };
  } finally {
    feed.tokensGoTo = 'service';
  }
}

async function readJson(answer: Promise<Response>): Promise<Readonly<Record<string, unknown>>> {
  const value: unknown = await (await answer).json();
  return isJsonObject(value) ? value : {};
}
