import { inventGrant, requestGrant, type ResourceGrant } from './agentcore-exchange.ts';
import type { AuthorizationFlow, UserIdentifier } from './agentcore-flows.ts';
import type { OperationDeps } from './agentcore-operations.ts';
import { type AwsAnswer, exception, ok } from './agentcore-wire.ts';
import { type JsonObject, stringOf } from './message-body.ts';

const SESSION_URI = /^urn:ietf:params:oauth:request_uri:[a-zA-Z0-9\-._~]+$/;

/** A completion as the API's model allows it: exactly one identifier, each within its length. */
interface CompletionRequest {
  readonly sessionUri: string;
  readonly user: UserIdentifier;
}

function parseCompletionRequest(input: JsonObject): CompletionRequest | undefined {
  const sessionUri = stringOf(input['sessionUri']);
  const identifier = input['userIdentifier'];
  if (sessionUri === undefined || sessionUri.length > 1024 || !SESSION_URI.test(sessionUri)) return undefined;
  if (typeof identifier !== 'object' || identifier === null) return undefined;
  const members = Object.entries(identifier);
  const [member] = members;
  if (members.length !== 1 || member === undefined) return undefined;
  const [name, value] = member;
  if (typeof value !== 'string' || value === '') return undefined;
  if (name === 'userToken' && value.length <= 131_072) return { sessionUri, user: { userToken: value } };
  if (name === 'userId' && value.length <= 128) return { sessionUri, user: { userId: value } };
  return undefined;
}

export async function completeResourceTokenAuth(input: JsonObject, deps: OperationDeps): Promise<AwsAnswer> {
  const completion = parseCompletionRequest(input);
  if (completion === undefined) return exception('ValidationException', 'Request validation failed');
  const { sessionUri, user } = completion;
  switch (await deps.flows.bind(sessionUri, user, (flow) => redeem(flow, deps))) {
    case 'bound':
      return ok();
    case 'invalid_or_expired':
      return exception('AccessDeniedException', 'Invalid or expired session');
    case 'unauthorized':
      return exception('UnauthorizedException', 'The user token has expired');
    case 'no_grant':
      // @NOTE live: how a failing authorization server shows is not documented.
      return exception('ValidationException', 'Error parsing the response of the authorization server');
  }
}

async function redeem(flow: AuthorizationFlow, deps: OperationDeps): Promise<ResourceGrant | undefined> {
  const provider = deps.providers.get(flow.provider);
  if (provider === undefined) return deps.isStrict ? undefined : inventGrant();
  const parameters = {
    grant_type: 'authorization_code',
    code: flow.code ?? '',
    redirect_uri: deps.callbackUrlOf(provider),
  };
  return requestGrant(provider, parameters, deps.nowMs());
}
