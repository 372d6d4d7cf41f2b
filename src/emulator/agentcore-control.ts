import { clientSecretArn, credentialProviderArn, workloadIdentityArn } from './agentcore-arns.ts';
import type { OperationDeps } from './agentcore-operations.ts';
import { configurationOf, type CredentialProvider, parseProviderSettings } from './agentcore-providers.ts';
import { type AwsAnswer, exception, ok } from './agentcore-wire.ts';
import { isWorkloadName, type Workload } from './agentcore-workloads.ts';
import { type JsonObject, stringOf } from './message-body.ts';

type Operation = (input: JsonObject, deps: OperationDeps) => AwsAnswer;

/** The control plane, by path: workload identities and OAuth2 credential providers. */
export const CONTROL_OPERATIONS: Readonly<Record<string, Operation>> = {
  '/identities/CreateWorkloadIdentity': (input, { workloads }) => {
    const workload = parseWorkload(input);
    if (workload === undefined) return INVALID;
    if (workloads.get(workload.name) !== undefined) {
      // Not ConflictException: seen on live accounts, whatever the name suggests.
      return exception(
        'ValidationException',
        `WorkloadIdentity with name '${workload.name}' already exists.`,
      );
    }
    const { name, arn, urls } = shownWorkload(workloads.put(workload.name, workload.returnUrls));
    return ok({ name, workloadIdentityArn: arn, allowedResourceOauth2ReturnUrls: urls }, 201);
  },

  '/identities/GetWorkloadIdentity': (input, { workloads }) => {
    const workload = workloads.get(nameIn(input));
    return workload === undefined ? noWorkload(input) : ok(describeWorkload(workload));
  },

  // Replaces the whole list of return URLs: a caller that does not read it first takes others' URLs away.
  '/identities/UpdateWorkloadIdentity': (input, { workloads }) => {
    const workload = parseWorkload(input);
    if (workload === undefined) return INVALID;
    if (workloads.get(workload.name) === undefined) return noWorkload(input);
    return ok(describeWorkload(workloads.put(workload.name, workload.returnUrls)));
  },

  '/identities/ListWorkloadIdentities': (input, { workloads }) =>
    listed(input, 'workloadIdentities', workloads.list(), (workload) => {
      const { name, arn } = shownWorkload(workload);
      return { name, workloadIdentityArn: arn };
    }),

  '/identities/DeleteWorkloadIdentity': (input, { workloads }) =>
    workloads.delete(nameIn(input)) ? ok({}, 204) : noWorkload(input),

  '/identities/CreateOauth2CredentialProvider': (input, deps) => {
    const settings = parseProviderSettings(input, deps.vendors);
    const name = nameIn(input);
    if (settings === undefined || !PROVIDER_NAME.test(name)) return INVALID;
    if (deps.providers.get(name) !== undefined) {
      return exception('ConflictException', `Oauth2CredentialProvider with name '${name}' already exists.`);
    }
    return ok(describeProvider(deps.providers.put(name, settings), deps), 201);
  },

  '/identities/GetOauth2CredentialProvider': (input, deps) => {
    const provider = deps.providers.get(nameIn(input));
    return provider === undefined ? noProvider(input) : ok(describeProvider(provider, deps));
  },

  '/identities/UpdateOauth2CredentialProvider': (input, deps) => {
    const settings = parseProviderSettings(input, deps.vendors);
    if (settings === undefined) return INVALID;
    if (deps.providers.get(nameIn(input)) === undefined) return noProvider(input);
    return ok(describeProvider(deps.providers.put(nameIn(input), settings), deps));
  },

  '/identities/ListOauth2CredentialProviders': (input, { providers }) =>
    listed(input, 'credentialProviders', providers.list(), (provider) => ({
      name: provider.name,
      credentialProviderVendor: provider.vendor,
      credentialProviderArn: credentialProviderArn(provider.name),
      ...timesOf(provider),
    })),

  '/identities/DeleteOauth2CredentialProvider': (input, { providers }) =>
    providers.delete(nameIn(input)) ? ok({}, 204) : noProvider(input),
};

const INVALID = exception('ValidationException', 'Request validation failed');
const PROVIDER_NAME = /^[a-zA-Z0-9\-_]{1,128}$/;

function nameIn(input: JsonObject): string {
  return stringOf(input['name']) ?? '';
}

function parseWorkload(input: JsonObject): Pick<Workload, 'name' | 'returnUrls'> | undefined {
  const urls = input['allowedResourceOauth2ReturnUrls'] ?? [];
  if (!isWorkloadName(nameIn(input)) || !Array.isArray(urls)) return undefined;
  const returnUrls = urls.filter((url) => typeof url === 'string' && URL.canParse(url)).map(String);
  return returnUrls.length === urls.length ? { name: nameIn(input), returnUrls } : undefined;
}

function shownWorkload({ name, returnUrls }: Workload) {
  return { name, arn: workloadIdentityArn(name), urls: returnUrls };
}

function describeWorkload(workload: Workload): JsonObject {
  const { name, arn, urls } = shownWorkload(workload);
  const times = timesOf(workload);
  return { name, workloadIdentityArn: arn, allowedResourceOauth2ReturnUrls: urls, ...times };
}

function describeProvider(provider: CredentialProvider, deps: OperationDeps): JsonObject {
  return {
    name: provider.name,
    credentialProviderVendor: provider.vendor,
    credentialProviderArn: credentialProviderArn(provider.name),
    clientSecretArn: { secretArn: clientSecretArn(provider.name) },
    clientSecretSource: 'MANAGED',
    callbackUrl: deps.callbackUrlOf(provider),
    oauth2ProviderConfigOutput: configurationOf(provider),
    status: 'READY',
    ...timesOf(provider),
  };
}

/** Seconds, as AWS's JSON writes time. */
function timesOf(record: { readonly createdAtMs: number; readonly updatedAtMs: number }): JsonObject {
  return { createdTime: record.createdAtMs / 1000, lastUpdatedTime: record.updatedAtMs / 1000 };
}

const MAX_RESULTS = 20;

/** One page of a list; `nextToken` is simply the place where the next one begins. */
function listed<T>(
  input: JsonObject,
  member: string,
  records: readonly T[],
  show: (record: T) => JsonObject,
): AwsAnswer {
  const { maxResults = MAX_RESULTS } = input;
  const start = Number(stringOf(input['nextToken']) ?? '0');
  const isInRange =
    Number.isInteger(maxResults) && Number(maxResults) >= 1 && Number(maxResults) <= MAX_RESULTS;
  if (!isInRange || !Number.isInteger(start)) return INVALID;
  const end = start + Number(maxResults);
  const more = end < records.length ? { nextToken: String(end) } : {};
  return ok({ [member]: records.slice(start, end).map(show), ...more });
}

function noWorkload(input: JsonObject): AwsAnswer {
  return exception('ResourceNotFoundException', `WorkloadIdentity '${nameIn(input)}' not found.`);
}

function noProvider(input: JsonObject): AwsAnswer {
  return exception('ResourceNotFoundException', `Oauth2CredentialProvider '${nameIn(input)}' not found.`);
}
