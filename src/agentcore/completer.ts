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

/** Which signal ends which call: the SDK knows them by its input at first, then by its request. */
type Signals = WeakMap<object, AbortSignal>;

/** Long enough for one lost SYN, short enough to leave time for another attempt. */
const CONNECTION_TIMEOUT_MS = 1500;

/** CompleteResourceTokenAuth through the AWS SDK. */
export function createAgentCoreCompleter(options: AgentCoreCompleterOptions): AgentCoreCompleter {
  const attemptTimeoutMs = options.attemptTimeoutMs ?? 3000;
  const signals: Signals = new WeakMap();
  const client = createClient(options, signals);

  return {
    async complete(authorizationSession, identifier, signal) {
      if (signal.aborted) return { kind: 'unavailable', mayHaveBound: false, reason: 'no_time_left' };
      const attempt = limitTime(signal, attemptTimeoutMs);

      const input = {
        sessionUri: authorizationSession.id,
        // Exactly one member: the SDK would send both, or none.
        userIdentifier:
          'userToken' in identifier
            ? { userToken: identifier.userToken.reveal() }
            : { userId: identifier.userId },
      };
      signals.set(input, attempt.signal);
      let isCalled = false;
      const call = async () => {
        // First the credentials, on their own: whatever fails here (STS, the metadata service, a hang) fails before
        // AgentCore is called, and must not be read as AgentCore's answer.
        await client.config.credentials();
        isCalled = !attempt.signal.aborted;
        return isCalled ? client.send(new CompleteResourceTokenAuthCommand(input)) : undefined;
      };
      try {
        const answer = await unlessAborted(call(), attempt.signal);
        return confirmed(answer?.$metadata.requestId);
      } catch (error) {
        return isCalled
          ? refusalOf(error)
          : { kind: 'unavailable', mayHaveBound: false, reason: 'credentials' };
      } finally {
        attempt.end();
      }
    },

    async credentialsWork(timeoutMs = 800) {
      try {
        await unlessAborted(client.config.credentials(), AbortSignal.timeout(timeoutMs));
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

/**
 * The SDK's client, without what it would do again for every call. With the defaults that is most of the CPU of a
 * callback (docs/performance.md); credentials, signature, serialisation and the reading of answers stay its own.
 */
function createClient(options: AgentCoreCompleterOptions, signals: Signals): BedrockAgentCoreClient {
  const client = new BedrockAgentCoreClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    // The chain of middleware is put together once.
    cacheMiddleware: true,
    requestHandler: createTransport({
      connectionTimeoutMs: CONNECTION_TIMEOUT_MS,
      signalOf: (signed) => signals.get(signed),
    }),
  });
  // A retry inside the SDK would hide that the first try may have bound the session. `AWS_RETRY_MODE=adaptive` would
  // besides make one user wait for another's throttling.
  client.middlewareStack.add((next) => (args) => next(args), {
    name: 'retryMiddleware',
    step: 'finalizeRequest',
    priority: 'high',
    override: true,
  });
  // The last one before the transport: what was the input's signal becomes the request's.
  client.middlewareStack.add(
    (next) => (args) => {
      const signal = signals.get(args.input);
      if (signal !== undefined && isObject(args.request)) signals.set(args.request, signal);
      return next(args);
    },
    { name: 'passSignal', step: 'deserialize', priority: 'low' },
  );
  requireSecureTransport(client);
  if (options.furtherHeaders !== undefined) addUnsignedHeaders(client, options.furtherHeaders);
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

/** As `AbortSignal.any([signal, AbortSignal.timeout(ms)])`, but gone when the call is. */
function limitTime(
  signal: AbortSignal,
  ms: number,
): { readonly signal: AbortSignal; readonly end: () => void } {
  const limited = new AbortController();
  const abort = () => limited.abort();
  const timer = setTimeout(abort, ms);
  signal.addEventListener('abort', abort);
  return {
    signal: limited.signal,
    end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    },
  };
}

/** The promise's result, or an AbortError as soon as the signal aborts: not everything in the SDK listens to it. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      const error = new Error('aborted');
      error.name = 'AbortError';
      reject(error);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
