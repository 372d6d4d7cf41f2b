import { AUTHORIZE_PATH } from './agentcore-consent.ts';
import { requestGrant, type ResourceGrant } from './agentcore-exchange.ts';
import {
  type AgentCoreFlows,
  type AuthorizationFlow,
  isSameOwner,
  ownerOfJwt,
  type WorkloadIdentity,
} from './agentcore-flows.ts';
import type { CredentialProvider, CredentialProviders, KnownVendors } from './agentcore-providers.ts';
import type { Unknowns } from './agentcore-unknowns.ts';
import { type AwsAnswer, exception, ok } from './agentcore-wire.ts';
import type { Workloads } from './agentcore-workloads.ts';
import { type JsonObject, objectOf, stringOf } from './message-body.ts';

export interface OperationDeps {
  readonly flows: AgentCoreFlows;
  readonly workloads: Workloads;
  readonly providers: CredentialProviders;
  readonly vendors: KnownVendors;
  readonly unknowns: Unknowns;
  /** Whether workload identities and providers must have been created before they are used. */
  readonly isStrict: boolean;
  /** Allowed for every workload identity, beside its own. */
  readonly returnUrls: ReadonlySet<string>;
  /** Where browsers reach AgentCore. */
  readonly browserEndpoint: string;
  readonly nowMs: () => number;
  callbackUrlOf(provider: CredentialProvider): string;
}

export function getWorkloadAccessToken(input: JsonObject, deps: OperationDeps): AwsAnswer {
  return mint(input, deps, undefined);
}

export function getWorkloadAccessTokenForJwt(input: JsonObject, deps: OperationDeps): AwsAnswer {
  const jwt = stringOf(input['userToken']);
  if (!jwt) return exception('ValidationException', 'userToken is required');
  const owner = ownerOfJwt(jwt);
  if (owner === undefined) return exception('UnauthorizedException', 'The user token is not a JWT');
  return mint(input, deps, { owner, artifact: jwt });
}

export function getWorkloadAccessTokenForUserId(input: JsonObject, deps: OperationDeps): AwsAnswer {
  const userId = stringOf(input['userId']);
  if (!userId || userId.length > 128) return exception('ValidationException', 'userId is required');
  return mint(input, deps, { owner: { kind: 'user_id', userId }, artifact: userId });
}

function mint(
  input: JsonObject,
  { flows, workloads, isStrict }: OperationDeps,
  user: Pick<WorkloadIdentity, 'owner' | 'artifact'> | undefined,
): AwsAnswer {
  const workloadName = stringOf(input['workloadName']);
  if (!workloadName) return exception('ValidationException', 'workloadName is required');
  if (isStrict && workloads.get(workloadName) === undefined) {
    return exception('ResourceNotFoundException', `WorkloadIdentity '${workloadName}' not found.`);
  }
  const identity = user === undefined ? { workloadName } : { workloadName, ...user };
  return ok({ workloadAccessToken: flows.mintWorkloadAccessToken(identity) });
}

export async function getResourceOauth2Token(input: JsonObject, deps: OperationDeps): Promise<AwsAnswer> {
  const { flows, unknowns } = deps;
  const identity = flows.identityOf(stringOf(input['workloadIdentityToken']) ?? '');
  if (identity === undefined) return exception('UnauthorizedException', 'Invalid workload access token');
  const provider = stringOf(input['resourceCredentialProviderName']);
  const scopes = Array.isArray(input['scopes']) ? input['scopes'].map(String) : undefined;
  if (!provider || scopes === undefined) {
    return exception('ValidationException', 'resourceCredentialProviderName and scopes are required');
  }
  if (input['oauth2Flow'] !== 'USER_FEDERATION' || !('owner' in identity)) {
    return exception('ValidationException', 'The stand-in knows USER_FEDERATION only, and that needs a user');
  }
  if (deps.isStrict && deps.providers.get(provider) === undefined) {
    return exception('ResourceNotFoundException', `Oauth2CredentialProvider '${provider}' not found.`);
  }

  const sessionUri = stringOf(input['sessionUri']);
  const returnUrl = stringOf(input['resourceOauth2ReturnUrl']);
  // @NOTE live: seen to be refused, though the documentation calls it optional.
  if (sessionUri !== undefined && returnUrl === undefined && unknowns.pollingWithoutReturnUrl === 'refused') {
    return NO_RETURN_URL;
  }
  const polled = flows.flowOf(sessionUri ?? '');
  const accessToken = await flows.accessTokenOf(identity, provider, polled?.scopes ?? scopes, (grant) =>
    refresh(provider, grant, deps),
  );
  if (sessionUri !== undefined) {
    if (polled === undefined || !isSameOwner(polled.identity.owner, identity.owner)) {
      return exception('ValidationException', 'Invalid sessionUri');
    }
    if (polled.isUsed && accessToken !== undefined) return ok({ accessToken });
    return ok({ sessionUri, sessionStatus: statusOf(polled, deps) });
  }
  const customState = stringOf(input['customState']);
  // @NOTE live: some teams saw customState defeat the stored access token.
  const asksAgain = customState !== undefined && unknowns.customStateWithStoredConsent === 'asks_again';
  if (accessToken !== undefined && input['forceAuthentication'] !== true && !asksAgain)
    return ok({ accessToken });

  const refusal = refuseReturnUrl(returnUrl, identity.workloadName, deps);
  if (returnUrl === undefined || refusal !== undefined) return refusal ?? NO_RETURN_URL;
  const flow = flows.openFlow({
    identity,
    provider,
    scopes,
    returnUrl,
    customState,
    customParameters: stringsOf(input['customParameters']),
  });
  const authorizationUrl = new URL(AUTHORIZE_PATH, deps.browserEndpoint);
  authorizationUrl.searchParams.set('request_uri', flow.sessionUri);
  return ok({
    authorizationUrl: authorizationUrl.href,
    sessionUri: flow.sessionUri,
    sessionStatus: 'IN_PROGRESS',
  });
}

const NO_RETURN_URL = exception(
  'ValidationException',
  'You must provide a ResourceOauth2ReturnUrl to proceed with this flow',
);

function refuseReturnUrl(
  returnUrl: string | undefined,
  workloadName: string,
  { workloads, returnUrls, unknowns }: OperationDeps,
): AwsAnswer | undefined {
  const allowed = [...returnUrls, ...(workloads.get(workloadName)?.returnUrls ?? [])];
  // @NOTE live: whether AWS takes prefixes is not documented.
  const isAllowed = allowed.some((url) =>
    unknowns.returnUrls === 'exact' ? returnUrl === url : returnUrl?.startsWith(url),
  );
  if (isAllowed) return undefined;
  if (returnUrl === undefined && allowed.length > 0) return NO_RETURN_URL;
  return exception(
    'ValidationException',
    'You must register and use at least one ResourceOauth2ReturnUrl on your workload identity to use this flow',
  );
}

function statusOf(flow: AuthorizationFlow, { flows, unknowns }: OperationDeps): 'IN_PROGRESS' | 'FAILED' {
  if (!flows.isLive(flow)) return 'FAILED';
  // @NOTE live: whether polling learns of a denial before the ten minutes are over.
  return flow.consent === 'denied' ? unknowns.statusAfterDenial : 'IN_PROGRESS';
}

function stringsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(objectOf(value) ?? {}).map(([name, text]) => [name, String(text)]),
  );
}

async function refresh(
  providerName: string,
  { refreshToken: refresh_token }: ResourceGrant,
  deps: OperationDeps,
): Promise<ResourceGrant | undefined> {
  const provider = deps.providers.get(providerName);
  if (provider === undefined || refresh_token === undefined) return undefined;
  return requestGrant(provider, { grant_type: 'refresh_token', refresh_token }, deps.nowMs());
}
