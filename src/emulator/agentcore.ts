import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AUTHORIZE_PATH,
  CALLBACK_PATH,
  callbackUrlAt,
  serveAuthorize,
  serveProviderCallback,
} from './agentcore-consent.ts';
import { completeResourceTokenAuth } from './agentcore-completion.ts';
import { CONTROL_OPERATIONS } from './agentcore-control.ts';
import { type AgentCoreFaults, type CompletionFault, FaultSwitch, playFault } from './agentcore-faults.ts';
import { AgentCoreFlows, type AuthorizationFlow, type Binding, type VaultOwner } from './agentcore-flows.ts';
import {
  getResourceOauth2Token,
  getWorkloadAccessToken,
  getWorkloadAccessTokenForJwt,
  getWorkloadAccessTokenForUserId,
  type OperationDeps,
} from './agentcore-operations.ts';
import { type CredentialProvider, CredentialProviders, type KnownVendors } from './agentcore-providers.ts';
import { DEFAULT_UNKNOWNS, type Unknowns } from './agentcore-unknowns.ts';
import { type AwsAnswer, exception, refuseUnsigned, sendAwsAnswer } from './agentcore-wire.ts';
import { Workloads } from './agentcore-workloads.ts';
import { pushBounded } from './bounded-map.ts';
import type { EmulatedCall } from './emulated-call.ts';
import { listenOnLoopback } from './loopback-server.ts';
import { type JsonObject, objectOf, parseJsonObject, readBody, stringOf } from './message-body.ts';

/** One request of CompleteResourceTokenAuth, as it arrived. */
export interface CompletionCall {
  readonly sessionUri: string | undefined;
  readonly userToken: string | undefined;
  readonly userId: string | undefined;
  readonly atMs: number;
  /** `bound`, the exception's name, or the fault that was played. */
  readonly answer: string;
}

/** AgentCore Identity on loopback: what the SDK can see of it, and what tests and the demo need to see. */
export interface AgentCoreStandIn {
  /** Of both planes: `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE` and `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL`. */
  readonly endpoint: string;
  /** Allowed for every workload identity, beside what the control plane registers; empty at first. */
  readonly returnUrls: Set<string>;
  readonly workloads: Workloads;
  readonly providers: CredentialProviders;
  /** What must be registered as redirect URI at the provider's authorization server. */
  callbackUrlOf(provider: CredentialProvider): string;
  readonly faults: AgentCoreFaults;
  /** How AWS behaves where nobody knows; may be turned at any time. */
  readonly unknowns: Unknowns;
  /** Completions that arrived signed, in order, without those refused for their signature. */
  readonly calls: readonly CompletionCall[];
  readonly completeCalls: number;
  /** Every authorization session that was opened. */
  readonly flows: readonly AuthorizationFlow[];
  readonly bindings: readonly Binding[];
  /** In whose vault the token of that flow lies, if it was bound at all. */
  vaultOwnerOf(sessionUri: string): VaultOwner | undefined;
  /** Moves this stand-in's time forward. */
  advance(ms: number): void;
  close(): Promise<void>;
}

export interface AgentCoreStandInOptions {
  readonly port?: number;
  readonly clock?: { nowMs(): number };
  readonly unknowns?: Partial<Unknowns>;
  /**
   * The authorization servers that AgentCore knows by itself. With them it is as strict as the real one; without, any
   * name of a workload identity or provider will do, and consent is asked for at AgentCore's own page.
   */
  readonly vendors?: KnownVendors;
  /** Where browsers reach it, if not at `endpoint`: another name of the loopback, so that it is another site. */
  readonly browserName?: string;
  readonly onCall?: (call: EmulatedCall) => void;
}

type Operation = (input: JsonObject, deps: OperationDeps) => AwsAnswer | Promise<AwsAnswer>;

const COMPLETE_PATH = '/identities/CompleteResourceTokenAuth';

const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['/identities/GetWorkloadAccessToken', getWorkloadAccessToken],
  ['/identities/GetWorkloadAccessTokenForJWT', getWorkloadAccessTokenForJwt],
  ['/identities/GetWorkloadAccessTokenForUserId', getWorkloadAccessTokenForUserId],
  ['/identities/oauth2/token', getResourceOauth2Token],
  [COMPLETE_PATH, completeResourceTokenAuth],
  ...Object.entries(CONTROL_OPERATIONS),
]);

/** Starts a stand-in on 127.0.0.1, over real HTTP, so that the real SDK and a real browser can talk to it. */
export async function startAgentCore(options: AgentCoreStandInOptions = {}): Promise<AgentCoreStandIn> {
  const { clock = { nowMs: () => Date.now() }, vendors, browserName, onCall = () => {} } = options;
  let advancedMs = 0;
  const nowMs = () => clock.nowMs() + advancedMs;

  const unknowns = { ...DEFAULT_UNKNOWNS, ...options.unknowns };
  const flows = new AgentCoreFlows(nowMs, unknowns);
  const workloads = new Workloads(nowMs);
  const providers = new CredentialProviders(nowMs);
  const returnUrls = new Set<string>();
  const faults = new FaultSwitch();
  const calls: CompletionCall[] = [];

  const server = await listenOnLoopback(handle, options.port);
  const endpoint = server.origin;
  const browserEndpoint = browserName === undefined ? endpoint : endpoint.replace('127.0.0.1', browserName);
  const deps: OperationDeps = {
    flows,
    workloads,
    providers,
    vendors: vendors ?? {},
    unknowns,
    isStrict: vendors !== undefined,
    returnUrls,
    browserEndpoint,
    nowMs,
    callbackUrlOf: (provider) => callbackUrlAt(browserEndpoint, provider),
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', endpoint);
    if (url.pathname === AUTHORIZE_PATH || url.pathname.startsWith(CALLBACK_PATH)) {
      const isAuthorize = url.pathname === AUTHORIZE_PATH;
      if (isAuthorize) await serveAuthorize(request, response, url, deps);
      else serveProviderCallback(response, url, deps);
      const what = isAuthorize ? 'authorize' : 'callback';
      return onCall({ to: 'agentcore', what, answer: String(response.statusCode), atMs: nowMs() });
    }
    const operation = request.method === 'POST' ? OPERATIONS.get(url.pathname) : undefined;
    const input = parseJsonObject(await readBody(request));
    if (operation === undefined) {
      const name = 'UnknownOperationException';
      return sendAwsAnswer(response, { kind: 'exception', name, status: 404, message: 'Unknown operation' });
    }
    const unsigned = refuseUnsigned(request);
    if (unsigned !== undefined) return sendAwsAnswer(response, unsigned);
    if (input === undefined) return sendAwsAnswer(response, exception('ValidationException', 'Not JSON'));
    return perform(url.pathname, operation, input, response);
  }

  async function perform(
    path: string,
    operation: Operation,
    input: JsonObject,
    response: ServerResponse,
  ): Promise<void> {
    const run = () => Promise.resolve(operation(input, deps));
    const fault = faults.take(nameOf(path));
    if (typeof fault === 'object' && 'slowMs' in fault) {
      record(path, input, describe(fault));
      // It binds although the caller may have gone meanwhile: a slow AgentCore does not notice.
      await sleep(fault.slowMs, undefined, { ref: false });
      return sendAwsAnswer(response, await run());
    }
    if (fault !== undefined) {
      record(path, input, describe(fault));
      return playFault(response, fault, run);
    }
    const answer = await run();
    record(path, input, answer.kind === 'ok' ? 'ok' : answer.name);
    sendAwsAnswer(response, answer);
  }

  function record(path: string, input: JsonObject, answer: string): void {
    const atMs = nowMs();
    onCall({ to: 'agentcore', what: nameOf(path), answer, atMs });
    if (path !== COMPLETE_PATH) return;
    const identifier = objectOf(input['userIdentifier']) ?? {};
    pushBounded(calls, {
      sessionUri: stringOf(input['sessionUri']),
      userToken: stringOf(identifier['userToken']),
      userId: stringOf(identifier['userId']),
      atMs,
      answer: answer === 'ok' ? 'bound' : answer,
    });
  }

  return {
    endpoint,
    returnUrls,
    workloads,
    providers,
    callbackUrlOf: (provider) => deps.callbackUrlOf(provider),
    faults,
    unknowns,
    calls,
    get completeCalls() {
      return calls.length;
    },
    get flows() {
      return flows.flows;
    },
    get bindings() {
      return flows.bindings;
    },
    vaultOwnerOf: (sessionUri) => flows.bindings.find((binding) => binding.sessionUri === sessionUri)?.owner,
    advance(ms) {
      advancedMs += ms;
    },
    close: () => server.close(),
  };
}

/** The operation's name as the SDK spells it. */
function nameOf(path: string): string {
  return path === '/identities/oauth2/token' ? 'GetResourceOauth2Token' : path.slice('/identities/'.length);
}

function describe(fault: CompletionFault): string {
  if (typeof fault === 'string') return fault;
  return 'slowMs' in fault ? 'slow' : fault.exception;
}
