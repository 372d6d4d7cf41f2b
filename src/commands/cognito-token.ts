import { createHmac } from 'node:crypto';
import { Secret } from '../binding/secret.ts';

export interface CognitoSignIn {
  /** Of the user pool's API. */
  readonly endpoint: string;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly username: string;
  readonly password: Secret;
}

export type CognitoAnswer =
  | { readonly kind: 'signed_in'; readonly userToken: Secret }
  /** One line for the operator, none of it Cognito's text. */
  | { readonly kind: 'refused'; readonly problem: string };

const BUDGET_MS = 10_000;

/** What to do about a refusal, by Cognito's exception or challenge. */
const FIXES: ReadonlyMap<string, string> = new Map([
  [
    'NotAuthorizedException',
    'wrong user name or password, or the client has a secret: set COGNITO_CLIENT_SECRET',
  ],
  ['UserNotFoundException', 'wrong user name or password'],
  ['UserNotConfirmedException', 'the user is not confirmed yet'],
  ['PasswordResetRequiredException', 'the password has to be reset first'],
  ['InvalidParameterException', 'the client must allow ALLOW_USER_PASSWORD_AUTH'],
  ['ResourceNotFoundException', 'there is no such client in this region'],
  ['NEW_PASSWORD_REQUIRED', 'set a permanent one: aws cognito-idp admin-set-user-password --permanent'],
]);

/**
 * InitiateAuth with a password. It is a public operation, which needs neither credentials nor a signature: a client of
 * the SDK would be one more dependency for one POST.
 */
export async function signInAtCognito(signIn: CognitoSignIn): Promise<CognitoAnswer> {
  const { endpoint, clientId, clientSecret, username, password } = signIn;
  const secretHash =
    clientSecret &&
    createHmac('sha256', clientSecret.reveal()).update(`${username}${clientId}`).digest('base64');
  let answer: unknown;
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      // The password goes to this host alone.
      redirect: 'error',
      signal: AbortSignal.timeout(BUDGET_MS),
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth',
      },
      body: JSON.stringify({
        AuthFlow: 'USER_PASSWORD_AUTH',
        ClientId: clientId,
        AuthParameters: {
          USERNAME: username,
          PASSWORD: password.reveal(),
          ...(secretHash && { SECRET_HASH: secretHash }),
        },
      }),
    });
    answer = await response.json();
  } catch {
    return { kind: 'refused', problem: `${new URL(endpoint).host} does not answer as Cognito does` };
  }
  const userToken = read(read(answer, 'AuthenticationResult'), 'AccessToken');
  if (typeof userToken === 'string') return { kind: 'signed_in', userToken: new Secret(userToken) };
  const type = read(answer, 'ChallengeName') ?? read(answer, '__type');
  const word =
    typeof type === 'string' && /^[\w.#-]{1,100}$/.test(type) ? (type.split('#').at(-1) ?? '') : 'it';
  const fix = FIXES.get(word) ?? 'sign in with your app, and hand its access token to `token -`';
  return { kind: 'refused', problem: `Cognito answers ${word}: ${fix}` };
}

function read(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
