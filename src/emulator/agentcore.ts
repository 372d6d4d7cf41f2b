import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AUTHORIZE_PATH, serveConsent } from './agentcore-consent.ts';
import { type CompletionFault, type CompletionFaults, FaultSwitch, playFault } from './agentcore-faults.ts';
import { AgentCoreFlows, type Binding, type VaultOwner } from './agentcore-flows.ts';
import {
  completeResourceTokenAuth,
  getResourceOauth2Token,
  getWorkloadAccessTokenForJwt,
  getWorkloadAccessTokenForUserId,
  type OperationDeps,
} from './agentcore-operations.ts';
import {
  type AwsAnswer,
  exception,
  parseJsonObject,
  readBody,
  refuseUnsigned,
  sendAwsAnswer,
  stringOf,
} from './agentcore-wire.ts';

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
  readonly endpoint: string;
  /** The workload identity's allowed return URLs; empty at first. */
  readonly returnUrls: Set<string>;
  readonly faults: CompletionFaults;
  /** Completions that arrived signed, in order, without those refused for their signature. */
  readonly calls: readonly CompletionCall[];
  readonly completeCalls: number;
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
}

const OPERATIONS: ReadonlyMap<
  string,
  (input: Readonly<Record<string, unknown>>, deps: OperationDeps) => AwsAnswer
> = new Map([
  ['/identities/GetWorkloadAccessTokenForJWT', getWorkloadAccessTokenForJwt],
  ['/identities/GetWorkloadAccessTokenForUserId', getWorkloadAccessTokenForUserId],
  ['/identities/oauth2/token', getResourceOauth2Token],
  ['/identities/CompleteResourceTokenAuth', completeResourceTokenAuth],
]);

/** Starts a stand-in on 127.0.0.1, over real HTTP, so that the real SDK and a real browser can talk to it. */
export async function startAgentCore(options: AgentCoreStandInOptions = {}): Promise<AgentCoreStandIn> {
  const clock = options.clock ?? { nowMs: () => Date.now() };
  let advancedMs = 0;
  const nowMs = () => clock.nowMs() + advancedMs;

  const flows = new AgentCoreFlows(nowMs);
  const returnUrls = new Set<string>();
  const faults = new FaultSwitch();
  const calls: CompletionCall[] = [];

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const endpoint = `http://127.0.0.1:${portOf(server.address())}`;
  const deps: OperationDeps = { flows, returnUrls, endpoint };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', endpoint);
    if (url.pathname === AUTHORIZE_PATH) return serveConsent(request, response, url, flows);

    const operation = request.method === 'POST' ? OPERATIONS.get(url.pathname) : undefined;
    const input = parseJsonObject(await readBody(request));
    if (operation === undefined) {
      const name = 'UnknownOperationException';
      return sendAwsAnswer(response, { kind: 'exception', name, status: 404, message: 'Unknown operation' });
    }
    const unsigned = refuseUnsigned(request);
    if (unsigned !== undefined) return sendAwsAnswer(response, unsigned);
    if (input === undefined) return sendAwsAnswer(response, exception('ValidationException', 'Not JSON'));
    if (operation !== completeResourceTokenAuth) return sendAwsAnswer(response, operation(input, deps));
    return complete(input, response);
  }

  async function complete(input: Readonly<Record<string, unknown>>, response: ServerResponse): Promise<void> {
    const fault = faults.take();
    if (typeof fault === 'object' && 'slowMs' in fault) {
      record(input, describe(fault));
      // It binds although the caller may have gone meanwhile: a slow AgentCore does not notice.
      await sleep(fault.slowMs, undefined, { ref: false });
      return sendAwsAnswer(response, completeResourceTokenAuth(input, deps));
    }
    if (fault !== undefined) {
      record(input, describe(fault));
      return playFault(response, fault, () => completeResourceTokenAuth(input, deps));
    }
    const answer = completeResourceTokenAuth(input, deps);
    record(input, answer.kind === 'ok' ? 'bound' : answer.name);
    sendAwsAnswer(response, answer);
  }

  function record(input: Readonly<Record<string, unknown>>, answer: string): void {
    const identifier = parseIdentifier(input['userIdentifier']);
    calls.push({ sessionUri: stringOf(input['sessionUri']), ...identifier, atMs: nowMs(), answer });
  }

  return {
    endpoint,
    returnUrls,
    faults,
    calls,
    get completeCalls() {
      return calls.length;
    },
    get bindings() {
      return flows.bindings;
    },
    vaultOwnerOf: (sessionUri) => flows.bindings.find((binding) => binding.sessionUri === sessionUri)?.owner,
    advance(ms) {
      advancedMs += ms;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function describe(fault: CompletionFault): string {
  if (typeof fault === 'string') return fault;
  return 'slowMs' in fault ? 'slow' : fault.exception;
}

function parseIdentifier(value: unknown): Pick<CompletionCall, 'userToken' | 'userId'> {
  const identifier = typeof value === 'object' && value !== null ? { ...value } : {};
  return {
    userToken: 'userToken' in identifier ? stringOf(identifier.userToken) : undefined,
    userId: 'userId' in identifier ? stringOf(identifier.userId) : undefined,
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
