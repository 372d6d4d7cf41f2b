import { AUTHORIZE_PATH } from './agentcore-consent.ts';
import { type AgentCoreFlows, isSameOwner, ownerOfJwt, type UserIdentifier } from './agentcore-flows.ts';
import { type AwsAnswer, exception, ok, stringOf } from './agentcore-wire.ts';

type Input = Readonly<Record<string, unknown>>;

export interface OperationDeps {
  readonly flows: AgentCoreFlows;
  readonly returnUrls: ReadonlySet<string>;
  readonly endpoint: string;
}

export function getWorkloadAccessTokenForJwt(input: Input, { flows }: OperationDeps): AwsAnswer {
  const workloadName = stringOf(input['workloadName']);
  const jwt = stringOf(input['userToken']);
  if (!workloadName || !jwt)
    return exception('ValidationException', 'workloadName and userToken are required');
  const owner = ownerOfJwt(jwt);
  if (owner === undefined) return exception('UnauthorizedException', 'The user token is not a JWT');
  return ok({
    workloadAccessToken: flows.mintWorkloadAccessToken({ workloadName, owner, artifact: jwt }),
  });
}

export function getWorkloadAccessTokenForUserId(input: Input, { flows }: OperationDeps): AwsAnswer {
  const workloadName = stringOf(input['workloadName']);
  const userId = stringOf(input['userId']);
  if (!workloadName || !userId)
    return exception('ValidationException', 'workloadName and userId are required');
  const owner = { kind: 'user_id', userId } as const;
  return ok({
    workloadAccessToken: flows.mintWorkloadAccessToken({ workloadName, owner, artifact: userId }),
  });
}

export function getResourceOauth2Token(input: Input, deps: OperationDeps): AwsAnswer {
  const { flows } = deps;
  const identity = flows.identityOf(stringOf(input['workloadIdentityToken']) ?? '');
  if (identity === undefined) return exception('UnauthorizedException', 'Invalid workload access token');
  const provider = stringOf(input['resourceCredentialProviderName']);
  if (!provider) return exception('ValidationException', 'resourceCredentialProviderName is required');
  if (input['oauth2Flow'] !== 'USER_FEDERATION') {
    return exception('ValidationException', 'The stand-in knows USER_FEDERATION only');
  }

  const accessToken = flows.accessTokenOf(identity, provider);
  const sessionUri = stringOf(input['sessionUri']);
  if (sessionUri !== undefined) {
    const flow = flows.flowOf(sessionUri);
    if (flow === undefined || !isSameOwner(flow.identity.owner, identity.owner)) {
      return exception('ValidationException', 'Invalid sessionUri');
    }
    if (flow.isUsed && accessToken !== undefined) return ok({ accessToken });
    const isOpen = flows.isLive(flow) && flow.consent !== 'denied';
    return ok({ sessionUri, sessionStatus: isOpen ? 'IN_PROGRESS' : 'FAILED' });
  }
  if (accessToken !== undefined && input['forceAuthentication'] !== true) return ok({ accessToken });

  const returnUrl = stringOf(input['resourceOauth2ReturnUrl']);
  // @NOTE live: compared exactly here; whether AWS takes prefixes is not documented.
  if (returnUrl === undefined || !deps.returnUrls.has(returnUrl)) {
    return exception(
      'ValidationException',
      'You must register and use at least one ResourceOauth2ReturnUrl for the workload identity',
    );
  }
  const flow = flows.openFlow({ identity, provider, returnUrl, customState: stringOf(input['customState']) });
  const authorizationUrl = new URL(AUTHORIZE_PATH, deps.endpoint);
  authorizationUrl.searchParams.set('request_uri', flow.sessionUri);
  return ok({
    authorizationUrl: authorizationUrl.href,
    sessionUri: flow.sessionUri,
    sessionStatus: 'IN_PROGRESS',
  });
}

const SESSION_URI = /^urn:ietf:params:oauth:request_uri:[a-zA-Z0-9\-._~]+$/;

/** A completion as the API's model allows it: exactly one identifier, each within its length. */
interface CompletionRequest {
  readonly sessionUri: string;
  readonly user: UserIdentifier;
}

function parseCompletionRequest(input: Input): CompletionRequest | undefined {
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

export function completeResourceTokenAuth(input: Input, { flows }: OperationDeps): AwsAnswer {
  const completion = parseCompletionRequest(input);
  if (completion === undefined) return exception('ValidationException', 'Request validation failed');
  return flows.bind(completion.sessionUri, completion.user) === 'bound'
    ? ok()
    : exception('AccessDeniedException', 'Invalid or expired session');
}
