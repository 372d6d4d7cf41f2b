import {
  BedrockAgentCoreClient,
  type BedrockAgentCoreClientConfig,
  CompleteResourceTokenAuthCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import type { AuthorizationCompleter, CompletionAnswer } from '../binding/ports.ts';
import { refusalOf } from './refusals.ts';
import { requireSecureTransport } from './secure-transport.ts';
import { createTransport } from './transport.ts';

export interface AgentCoreCompleterOptions {
  readonly region: string;
  /** Instead of AWS's own endpoint of the region. */
  readonly endpoint?: string;
  /** One call, from credentials to the last byte of the answer. */
  readonly attemptTimeoutMs?: number;
  /** Further headers of each call. They are not signed: whatever is in between may rewrite them. */
  readonly furtherHeaders?: () => Readonly<Record<string, string>>;
  /** Instead of the SDK's default chain. */
  readonly credentials?: NonNullable<BedrockAgentCoreClientConfig['credentials']>;
}

export interface AgentCoreCompleter extends AuthorizationCompleter {
  /** True if AWS credentials can be had within the time: for `/ready`, which must answer within a second. */
  credentialsWork(timeoutMs?: number): Promise<boolean>;
  close(): void;
}

/** Which signal ends which call: the SDK knows a call by its input at first, then by its request. */
type Signals = WeakMap<object, AbortSignal>;

/** For the operator's CloudTrail. */
const USER_AGENT = 'agentcore-session-binding';

/** Long enough for one lost SYN, short enough to leave time for another attempt. */
const CONNECTION_TIMEOUT_MS = 1500;

/** CompleteResourceTokenAuth through the AWS SDK. */
export function createAgentCoreCompleter(options: AgentCoreCompleterOptions): AgentCoreCompleter {
  const attemptTimeoutMs = options.attemptTimeoutMs ?? 3000;
  const signals: Signals = new WeakMap();
  const client = createClient(options, signals);
  // The chain of middleware, put together once. It keeps the command that it is made of; the SDK's own option for this
  // (`cacheMiddleware`) would take the first user's, with his token.
  const chain = new CompleteResourceTokenAuthCommand({
    sessionUri: undefined,
    userIdentifier: undefined,
  }).resolveMiddleware(client.middlewareStack, client.config, undefined);

  return {
    async complete(authorizationSession, identifier, signal) {
      if (signal.aborted) return { kind: 'unavailable', mayHaveBound: false, reason: 'no_time_left' };
      const attempt = new AbortController();
      let isCalled = false;
      const call = async () => {
        // First the credentials, on their own: whatever fails here (STS, the metadata service, a hang) fails before
        // AgentCore is called, and must not be read as AgentCore's answer.
        await client.config.credentials();
        if (attempt.signal.aborted) return undefined;
        isCalled = true;
        const input = {
          sessionUri: authorizationSession.id,
          // Exactly one member: the SDK would send both, or none.
          userIdentifier:
            'userToken' in identifier
              ? { userToken: identifier.userToken.reveal() }
              : { userId: identifier.userId },
        };
        signals.set(input, attempt.signal);
        return (await chain({ input })).output;
      };
      try {
        const answer = await withinTime(call(), attemptTimeoutMs, signal);
        return confirmed(answer?.$metadata.requestId);
      } catch (error) {
        attempt.abort();
        return isCalled
          ? refusalOf(error)
          : { kind: 'unavailable', mayHaveBound: false, reason: 'credentials' };
      }
    },

    async credentialsWork(timeoutMs = 800) {
      try {
        await withinTime(client.config.credentials(), timeoutMs);
        return true;
      } catch {
        return false;
      }
    },

    close() {
      client.destroy();
    },
  };
}

/** The SDK takes any 200 for a success, a proxy's HTML page too: only AWS's request id says AWS (SB-23). */
function confirmed(awsRequestId: string | undefined): CompletionAnswer {
  return awsRequestId === undefined || awsRequestId === ''
    ? { kind: 'unavailable', mayHaveBound: true, reason: 'no_request_id' }
    : { kind: 'completed', awsRequestId };
}

/** What the SDK's client does for every call and nobody here needs: its log, X-Ray, a list of its features as user agent. */
const NEEDLESS = ['loggerMiddleware', 'recursionDetectionMiddleware', 'getUserAgentMiddleware'];

/**
 * The SDK's client, without what it would do again for every call. With its defaults that is most of the CPU of a
 * callback (docs/performance.md); credentials, signature, serialisation and the reading of answers stay its own.
 */
function createClient(options: AgentCoreCompleterOptions, signals: Signals): BedrockAgentCoreClient {
  const client = new BedrockAgentCoreClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    requestHandler: createTransport({
      connectionTimeoutMs: CONNECTION_TIMEOUT_MS,
      signalOf: (signed) => signals.get(signed),
    }),
  });
  for (const name of NEEDLESS) client.middlewareStack.remove(name);
  // A retry inside the SDK would hide that the first try may have bound the session. `AWS_RETRY_MODE=adaptive` would
  // besides make one user wait for another's throttling. It is replaced, since the signature stands behind it.
  client.middlewareStack.add((next) => (args) => next(args), {
    name: 'retryMiddleware',
    step: 'finalizeRequest',
    priority: 'high',
    override: true,
  });
  // The last one before the transport: what was the input's signal becomes the request's. The chain has no
  // option for one call.
  client.middlewareStack.add(
    (next) => (args) => {
      const signal = signals.get(args.input);
      if (signal !== undefined && isObject(args.request)) signals.set(args.request, signal);
      return next(args);
    },
    { name: 'passSignal', step: 'deserialize', priority: 'low' },
  );
  requireSecureTransport(client);
  addUnsignedHeaders(client, () => ({ 'user-agent': USER_AGENT, ...options.furtherHeaders?.() }));
  return client;
}

/** The step is the first one after the signature. */
function addUnsignedHeaders(
  client: BedrockAgentCoreClient,
  furtherHeaders: () => Readonly<Record<string, string>>,
): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (isObject(request) && 'headers' in request) {
        Object.assign(request.headers ?? {}, furtherHeaders());
      }
      return next(args);
    },
    { step: 'deserialize', name: 'addUnsignedHeaders' },
  );
}

/** The promise's result, or an AbortError as soon as its time is up: not everything in the SDK can be told to stop. */
function withinTime<T>(promise: Promise<T>, ms: number, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    const giveUp = () => {
      end();
      const error = new Error('aborted');
      error.name = 'AbortError';
      reject(error);
    };
    const timer = setTimeout(giveUp, ms);
    signal?.addEventListener('abort', giveUp);
    promise.then(resolve, reject).finally(end);
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
